"""What workers begin with: what hosts asked those of earlier runs for, of safeconvert's own adapters, role by role."""

from __future__ import annotations

from pathlib import Path

from safeconvert.registry.manifest import adapters, find
from safeconvert.workers.engine import ENGINE
from safeconvert.workers.preloads import Kind, Preloads, is_own
from safeconvert.workers.requests import CallFunction, ImportModules, LoadAdapter, OpenModel

ONNX = find("onnx", adapters()).folder
SOURCE, TARGET = Kind(("onnx", "onnxruntime"), "source"), Kind(("onnx", "onnxruntime"), "target")


def test_the_next_run_begins_with_what_was_asked_and_this_one_does_not() -> None:
    preloads = Preloads()
    preloads.tell(SOURCE, OpenModel(ONNX, {}))
    preloads.tell(SOURCE, CallFunction(ENGINE, "read_file"))
    preloads.tell(SOURCE, ImportModules(["onnx"]))
    assert preloads.of(SOURCE) == ()
    preloads.adopt()
    assert preloads.of(SOURCE) == tuple(sorted((ONNX, ENGINE)))
    assert preloads.of(TARGET) == ()


def test_nothing_of_somebody_elses_is_loaded_ahead(tmp_path: Path) -> None:
    preloads = Preloads()
    for folder in (
        tmp_path,
        Path(__file__).parent / "state",
        ONNX.parent / "none",
        ENGINE / ".." / ".." / ".." / "tests",
    ):
        preloads.tell(SOURCE, LoadAdapter(folder))
    preloads.adopt()
    assert preloads.of(SOURCE) == ()


def test_an_adapter_with_an_environment_of_its_own_is_not_loaded_ahead() -> None:
    apart = [adapter for adapter in adapters() if adapter.requirements]
    assert apart and not any(is_own(adapter.folder) for adapter in apart)

"""Wherever a target is converted again, its converter is given its own arguments again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from safeconvert.adapter_api.protocol import UNCHANGED, ModelRequest
from safeconvert.config.options import ConvertOptions
from safeconvert.config.settings import load_settings
from safeconvert.conversion.route import Candidate, RouteRun, convert_along
from safeconvert.core.progress import Phases
from safeconvert.core.signature import Signature
from safeconvert.registry.manifest import find
from safeconvert.registry.routes import Route
from safeconvert.repair.precision import float_twin
from safeconvert.repair.proposals import NotMade, Regraph, converted_again
from safeconvert.workers.run import Run, open_run

_MANIFEST = """
name = "{name}"
summary = "Writes down what it is given"
kind = "converter"
modules = []
packages = []
arguments = ["ordering"]
advice = ""

[[converts]]
from = "onnx"
to = "tflite"
rank = 0
"""
_ADAPTER = """
import json
from pathlib import Path
from safeconvert.adapter_api.protocol import UNCHANGED

def convert(request):
    Path(request["target"]).write_text(json.dumps({"arguments": request["arguments"], "optimize": request["optimize"]}))
    return UNCHANGED.to_json()
"""
_OPTIONS = ConvertOptions(Path("m.onnx"), "tflite", optimize="default", arguments={"ordering": "first"})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("more")
    for name in ("writes_down", "writes_down_too"):
        (folder / name).mkdir()
        (folder / name / "adapter.toml").write_text(_MANIFEST.format(name=name))
        (folder / name / "adapter.py").write_text(_ADAPTER)
    settings = load_settings()
    with open_run(replace(settings, adapters=replace(settings.adapters, folders=(folder,))), Phases()) as made:
        yield made


def given(path: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads(path.read_text())
    return content


def test_a_graph_is_converted_again_by_the_converter_that_takes_the_arguments_and_by_no_other(
    run: Run, tmp_path: Path
) -> None:
    made = Candidate(tmp_path / "m.tflite", UNCHANGED)
    new = Regraph(tmp_path / "m.onnx", Signature((), ()), made, find("writes_down", run.adapters))
    ((route, candidate),) = converted_again(run, new, _OPTIONS)
    assert route.names == ("writes_down",) and not isinstance(candidate, NotMade)
    assert given(candidate.path) == {"arguments": {"ordering": "first"}, "optimize": "default"}


def test_the_float_twin_is_converted_with_the_arguments_and_without_the_optimisation(run: Run, tmp_path: Path) -> None:
    route = Route((find("writes_down", run.adapters),), ("onnx", "tflite"))
    job = RouteRun(route, ModelRequest(str(tmp_path / "m.onnx")), None, None, "m.tflite", _OPTIONS)
    reduced, twin = convert_along(run, job).path, float_twin(run, job)
    assert given(reduced) == {"arguments": {"ordering": "first"}, "optimize": "default"}
    assert given(twin) == {"arguments": {"ordering": "first"}, "optimize": "none"}

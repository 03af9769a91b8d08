"""What every adapter promises, whichever it is, and contained: a table from the registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from safeconvert.adapter_api.protocol import ConvertReply, ConvertRequest, ModelRequest
from safeconvert.compare.layout import apply_permutation, undo_permutation
from safeconvert.config.settings import load_settings
from safeconvert.core.containment import Mode
from safeconvert.core.formats import detect
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.registry.environments import environment
from safeconvert.registry.manifest import adapters, framework
from safeconvert.workers.grants import policy_for
from safeconvert.workers.pool import WorkerPool
from safeconvert.workers.session import Session, load_files, open_session, run_converter
from safeconvert.workers.templates import Templates
from safeconvert.workers.worker import Limits

pytestmark = pytest.mark.converters
KNOWN = adapters()
FORMS = {
    "torch": ("script.pt", "program.pt2"), "keras": ("model.keras", "model.h5"), "tf": ("saved", "frozen.pb"),
    "tflite": ("model.tflite", "int8.tflite"), "onnx": ("model.onnx", "external.onnx"),
}  # fmt: skip
TAKES = {"tflite_ops": "int8.tflite"}
"""What a converter takes that is not for the first form of its source's format."""
STEPS = [(adapter, step) for adapter in KNOWN for step in adapter.steps]
SUFFIX = {"torch": ".pt2", "keras": ".keras", "tf": "_saved_model", "tflite": ".tflite", "onnx": ".onnx"}
SHAPES = ((0, 3, 8, 8), (0, 8, 8, 3))


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[WorkerPool]:
    logs, scratch = tmp_path_factory.mktemp("logs"), tmp_path_factory.mktemp("scratch")
    folders = {adapter.folder.parent for adapter in KNOWN}
    policy = policy_for(Mode.REQUIRE, folders, [tmp_path_factory.getbasetemp()], 16 << 30)
    with WorkerPool(logs, scratch, Limits(300, 16 << 30), policy, templates) as made:
        yield made


def opened(pool: WorkerPool, path: Path) -> Session:
    adapter = framework(detect(path).format, KNOWN)
    role = "torch" if adapter.name == "torch" else "rest"
    return open_session(pool.worker(role), adapter, ModelRequest(str(path), candidate_shapes=SHAPES))


def outputs(session: Session, array: np.ndarray, folder: Path) -> list[np.ndarray]:
    path = folder / f"in-{abs(hash(array.tobytes()))}.npy"
    np.save(path, array)
    (spec,) = session.signature.inputs
    (files,) = session.run([{spec.name: path}], folder / "runs")
    return list(load_files(files).values())


def inputs(session: Session, count: int = 4) -> np.ndarray:
    (spec,) = session.signature.inputs
    random = np.random.default_rng(1).normal(size=(count, *(size or 1 for size in spec.shape[1:])))
    return (random * 20).astype(spec.dtype) if spec.dtype == "int8" else random.astype(spec.dtype)


@pytest.mark.parametrize("name", [name for names in FORMS.values() for name in names])
def test_a_framework_loads_its_forms_and_gives_the_same_whatever_the_batch(
    name: str, whole: Path, pool: WorkerPool, tmp_path: Path
) -> None:
    session = opened(pool, whole / name)
    (spec,) = session.signature.inputs
    assert len(spec.shape) == 4 and {spec.shape[1], spec.shape[3]} == {3, 8} and spec.shape[0] in (None, 1, 2)
    x = inputs(session)
    (together,) = outputs(session, x, tmp_path)
    assert together.shape == (4, 5)
    np.testing.assert_array_equal(outputs(session, x.copy(), tmp_path)[0], together)
    alone = np.concatenate([outputs(session, x[n : n + 1], tmp_path)[0] for n in range(4)])
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_framework_refuses_what_is_not_its_own(name: str, pool: WorkerPool, tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(np.random.default_rng(0).bytes(4000))
    role = "torch" if name == "torch" else "rest"
    with pytest.raises((UnusableInput, AdapterFailure)):
        open_session(pool.worker(role), framework(name, KNOWN), ModelRequest(str(tmp_path / "noise")))


@pytest.mark.parametrize(("adapter", "step"), STEPS, ids=[f"{a.name}-{s.source}2{s.target}" for a, s in STEPS])
def test_a_converter_makes_a_file_of_its_format_that_computes_the_same(
    adapter, step, whole: Path, pool: WorkerPool, tmp_path: Path
) -> None:
    where = environment(adapter, load_settings().adapters)
    if not where.usable:
        pytest.skip(f"{adapter.name}: {where.reason}; {where.command}")
    source = whole / TAKES.get(adapter.name, FORMS[step.source][0])
    session = opened(pool, source)
    target = tmp_path / f"made{SUFFIX[step.target]}"
    role = "torch" if "torch" in adapter.name else "rest"
    request = ConvertRequest(ModelRequest(str(source), candidate_shapes=SHAPES), str(target), session.signature)
    reply = run_converter(pool.worker(role, where.python), adapter, request)
    assert isinstance(reply, ConvertReply)
    made = opened(pool, target)
    assert detect(target).format == step.target
    x = inputs(session)
    moved = apply_permutation(x, reply.inputs[0] if reply.inputs else None)
    (expected,), (got,) = outputs(session, x, tmp_path), outputs(made, np.ascontiguousarray(moved), tmp_path)
    got = undo_permutation(got, reply.outputs[0] if reply.outputs else None)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())

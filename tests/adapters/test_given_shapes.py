"""`--input-shape` settles the free dimensions of a model in every format, by the name that the model's input has there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.formats import detect
from safeconvert.errors import UnusableInput
from safeconvert.registry.manifest import adapters, framework
from safeconvert.workers.pool import WorkerPool
from safeconvert.workers.session import Session, open_session
from safeconvert.workers.templates import Templates
from safeconvert.workers.worker import Limits
from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters
KNOWN = adapters()
PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models whose height and width are free."""
    folder = tmp_path_factory.mktemp("free")
    run_program(PROGRAMS / "free_sizes.py", folder, modules=KERAS)
    value, kind = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("GlobalAveragePool", ["image"], ["y"])], "g",
        [value("image", kind, ["n", "h", "w", 3])], [value("y", kind, ["n", "h", 1, 1])],
    )  # fmt: skip
    onnx.save(
        onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8),
        folder / "free.onnx",
    )
    return folder


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[WorkerPool]:
    logs, scratch = tmp_path_factory.mktemp("logs"), tmp_path_factory.mktemp("scratch")
    with WorkerPool(logs, scratch, Limits(300, 16 << 30), templates=templates) as made:
        yield made


def opened(pool: WorkerPool, path: Path, shapes: dict[str, tuple[int, ...]]) -> Session:
    return open_session(
        pool.worker("all"), framework(detect(path).format, KNOWN), ModelRequest(str(path), input_shapes=shapes)
    )


@pytest.mark.parametrize("name", ["free.keras", "free_saved", "free.onnx", "free.tflite"])
def test_free_dimensions_become_those_given_by_name_or_for_the_only_input(
    name: str, free: Path, pool: WorkerPool
) -> None:
    declared = opened(pool, free / name, {}).signature.inputs[0].name
    for key in ("", declared):
        (spec,) = opened(pool, free / name, {key: (0, 9, 11, 3)}).signature.inputs
        assert (spec.name, spec.shape[1:]) == (declared, (9, 11, 3))
    for wrong in ({"nobody": (0, 9, 11, 3)}, {declared: (0, 9, 11, 4)}, {declared: (0, 9, 11)}):
        with pytest.raises(UnusableInput, match="--input-shape"):
            opened(pool, free / name, wrong)

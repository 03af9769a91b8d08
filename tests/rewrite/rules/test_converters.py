"""Each rule against the fault that it is there for: the raw converter fails, and through the adapter's rules it is right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from safeconvert.core.resources import data_folder
from safeconvert.rewrite.legalize import legalise, rules_of
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.worker import Limits, Worker
from tests.onnx_models import model, random, run

pytestmark = pytest.mark.converters
READS = {
    "onnx2keras": frozenset({
        "Add", "Sub", "Mul", "Div", "Max", "Min", "Clip", "Relu", "Elu", "Sigmoid", "Tanh", "Exp", "Log", "Pow", "Sqrt",
        "Softmax", "Conv", "Pad", "Concat", "Slice", "ReduceMean", "ReduceMax", "ReduceSum", "Floor", "Cast", "MaxPool",
        "Selu", "LRN", "PRelu", "AveragePool", "GlobalAveragePool", "Gemm", "Sum", "Squeeze", "Reshape", "Flatten",
    }),
    "onnx2torch": frozenset({
        "CumSum", "PRelu", "ConvTranspose", "Pad", "ReduceSum", "Add", "Sub", "Mul", "Div", "Relu", "Reshape", "Softplus",
        "Tanh", "Sqrt", "ReduceMean", "Pow", "Cast", "Shape", "Concat", "Exp", "Log", "Erf",
    }),
}  # fmt: skip
I = np.array  # noqa: E741
IMAGE = {"x": (2, 4, 7, 6)}


def one(kind: str, inputs: int = 1, **attributes: Any) -> list[onnx.NodeProto]:
    names = ["x", *[f"c{number}" for number in range(1, inputs)]]
    return [helper.make_node(kind, names, ["y"], kind, **attributes)]


def case(
    converter: str, rule: str, nodes: list[onnx.NodeProto], shapes: dict[str, tuple[int, ...]] | None = None,
    opset: int = 17, **constants: np.ndarray,
) -> Any:  # fmt: skip
    sizes = shapes or IMAGE
    made = model(nodes, {name: list(shape) for name, shape in sizes.items()}, ["y"], constants, opset)
    kinds = "-".join(node.op_type for node in nodes)
    return pytest.param(converter, rule, made, sizes, id=f"{converter}-{rule}-{kinds}")


def gate() -> list[onnx.NodeProto]:
    return [helper.make_node("GlobalAveragePool", ["x"], ["p"], "pool"),
            helper.make_node("Conv", ["p", "w"], ["g"], "gate", kernel_shape=[1, 1]),
            helper.make_node("Mul", ["x", "g"], ["y"], "gated")]  # fmt: skip


CASES = [
    case("onnx2keras", "edge_padded_max_pools", one("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])),
    case("onnx2keras", "lrn_as_convolution", one("LRN", size=3, alpha=0.5, beta=0.6, bias=1.5)),
    case("onnx2keras", "selu_as_elu", one("Selu", alpha=2.0, gamma=3.0)),
    case("onnx2keras", "gemm_plain", one("Gemm", 3, alpha=0.5, beta=2.0, transB=1), {"x": (2, 5)}, c1=random(3, 5),
         c2=random(3)),
    case("onnx2keras", "softmax_over_the_rest", one("Softmax", axis=1), opset=11),
    case("onnx2keras", "constants_folded", one("Conv", 2, auto_pad="SAME_UPPER", strides=[2, 2], kernel_shape=[3, 3]),
         c1=random(5, 4, 3, 3)),
    case("onnx2keras", "padding_explicit", one("AveragePool", auto_pad="SAME_UPPER", strides=[2, 2], kernel_shape=[3, 3])),
    case("onnx2keras", "average_pool_padding", one("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])),
    case("onnx2keras", "average_pool_padding", one("AveragePool", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 0, 1],
         count_include_pad=1)),
    case("onnx2keras", "strided_slices_as_parts", one("Slice", 5), {"x": (2, 9)}, c1=I([8]), c2=I([-99]), c3=I([1]),
         c4=I([-2])),
    case("onnx2keras", "strided_slices_as_pooling", one("Slice", 5), {"x": (2, 4, 7, 6)}, c1=I([0]), c2=I([99]),
         c3=I([2]), c4=I([2])),
    case("onnx2keras", "global_pools_as_means", gate(), w=random(4, 4, 1, 1)),
    case("onnx2keras", "functions_expanded", one("HardSigmoid", alpha=0.3, beta=0.4), {"x": (2, 9)}),
    case("onnx2keras", "functions_expanded", one("HardSwish"), {"x": (2, 9)}),
    case("onnx2keras", "softplus_stable", one("Softplus"), {"x": (2, 9)}),
    case("onnx2keras", "sums_keep_dimensions", one("ReduceSum", 2, keepdims=0), {"x": (2, 3, 4)}, c1=I([1])),
    case("onnx2keras", "axes_one_by_one", one("Squeeze", 2), {"x": (2, 1, 4, 1)}, c1=I([1, 3])),
    case("onnx2keras", "conv_1d_as_2d", one("Conv", 3, pads=[0, 2], dilations=[2], kernel_shape=[3]), {"x": (2, 4, 9)},
         c1=random(5, 4, 3), c2=random(5)),
    case("onnx2keras", "arithmetic_plain", one("Abs"), {"x": (2, 9)}),
    case("onnx2keras", "operands_in_pairs", [helper.make_node("Sum", ["x", "x", "x"], ["y"], "sum")], {"x": (2, 9)}),
    case("onnx2keras", "prelu_as_relu", one("PRelu", 2), c1=random(1, 6)),
    case("onnx2keras", "gathers_as_slices", one("Gather", 2, axis=1), {"x": (2, 9)}, c1=I([3, 1])),
    case("onnx2keras", "channel_constants_as_batchnorm",
         [*gate()[1:2], helper.make_node("Mul", ["g", "c"], ["y"], "scaled")], {"p": (2, 4, 5, 5)},
         w=random(4, 4, 1, 1), c=random(1, 4, 1, 1)),
    case("onnx2keras", "channel_constants_as_batchnorm",
         [*gate()[1:2], helper.make_node("Sub", ["c", "g"], ["y"], "turned")], {"p": (2, 4, 5, 5)},
         w=random(4, 4, 1, 1), c=random(4, 1, 1)),
    case("onnx2keras", "axes_said", [*gate()[1:2], helper.make_node("Concat", ["g", "g"], ["y"], "cat", axis=-3)],
         {"p": (2, 4, 5, 6)}, w=random(3, 4, 1, 1)),
    case("onnx2keras", "axes_said", one("Slice", 4), {"x": (2, 9)}, c1=I([2]), c2=I([5]), c3=I([-1])),
    case("onnx2keras", "pads_with_zeros", one("Pad", 3), c1=I([0, 0, 1, 2, 0, 0, 0, 1]), c2=np.float32(2.5)),
    case("onnx2keras", "mirrored_pads_as_parts",
         [*gate()[1:2], helper.make_node("Pad", ["g", "c"], ["y"], "pad", mode="reflect")], {"p": (2, 4, 5, 6)},
         w=random(3, 4, 1, 1), c=I([0, 0, 2, 1, 0, 0, 0, 2])),
    case("onnx2keras", "mirrored_pads_as_parts",
         [*gate()[1:2], helper.make_node("Pad", ["g", "c"], ["y"], "pad", mode="edge")], {"p": (2, 4, 5, 6)},
         w=random(3, 4, 1, 1), c=I([0, 0, 2, 1, 0, 0, 0, 2])),
    case("onnx2keras", "kernels_dense", one("Conv", 2, dilations=[1, 2]), c1=random(3, 4, 2, 3)),
    case("onnx2keras", "kernels_dense", one("Conv", 2, group=4), c1=random(8, 1, 3, 3)),
    case("onnx2keras", "expand_as_resize",
         [helper.make_node("Conv", ["x", "w"], ["g"], "conv", kernel_shape=[7, 6]),
          helper.make_node("Expand", ["g", "c"], ["y"], "spread")], w=random(3, 4, 7, 6), c=I([1, 3, 4, 5])),
    case("onnx2keras", "transposed_padding_as_slice", one("ConvTranspose", 2, pads=[0, 1, 1, 1], strides=[2, 2]),
         c1=random(4, 3, 3, 3)),
    case("onnx2keras", "transposed_padding_as_slice", one("ConvTranspose", 2, pads=[1, 1, 1, 1], output_padding=[1, 1],
         strides=[2, 2]), c1=random(4, 3, 3, 3)),
    case("onnx2keras", "argmax_unsqueezed",
         [helper.make_node("ArgMax", ["x"], ["a"], "largest", axis=1, keepdims=1),
          helper.make_node("Cast", ["a"], ["y"], "cast", to=1)], {"x": (2, 4, 5)}),
    case("onnx2torch", "cumsum_direction", one("CumSum", 2), {"x": (3, 5)}, c1=I(1)),
    case("onnx2torch", "prelu_as_relu", one("PRelu", 2), {"x": (2, 3, 3)}, c1=random(3)),
    case("onnx2torch", "opset_13_to_17", one("Pad", mode="constant", pads=[0, 1, 1, 0], value=2.5), {"x": (3, 5)}, opset=9),
    case("onnx2torch", "padding_explicit", one("ConvTranspose", 2, output_shape=[9, 8], strides=[2, 2],
         kernel_shape=[3, 3]), {"x": (1, 4, 4, 4)}, c1=random(4, 2, 3, 3)),
    case("onnx2torch", "functions_expanded",
         [helper.make_node("GreaterOrEqual", ["x", "c"], ["b"], "ge"),
          helper.make_node("Cast", ["b"], ["y"], "cast", to=1)], {"x": (2, 9)}, c=random(9)),
    case("onnx2torch", "functions_expanded", one("Mish"), {"x": (2, 9)}, opset=22),
]  # fmt: skip


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("raw")
    made = Worker(Path(__import__("sys").executable), folder / "log", Limits(120, 16 << 30), folder)
    yield made
    made.close()


@pytest.mark.parametrize(("converter", "rule", "made", "shapes"), CASES)
def test_the_raw_converter_fails_and_the_rule_helps(
    converter: str, rule: str, made: onnx.ModelProto, shapes: dict[str, tuple[int, ...]], worker: Worker, tmp_path: Path
) -> None:
    feeds = {name: random(*shape, seed=5) - np.float32(0.5) for name, shape in shapes.items()}
    wrong = converted(worker, converter, made, feeds, tmp_path)
    assert wrong, f"{converter} is right without {rule}: fixed upstream, the rule can go"
    manifest = data_folder("adapters") / converter / "adapter.py"
    legal = legalise(made, rules_of(str(manifest)), READS[converter])
    assert rule in legal.applied and not legal.dropped and not legal.unchecked
    assert converted(worker, converter, legal.model, feeds, tmp_path, run(made, feeds)) == ""


def converted(
    worker: Worker, converter: str, made: onnx.ModelProto, feeds: dict[str, np.ndarray], folder: Path,
    expected: list[np.ndarray] | None = None,
) -> str:  # fmt: skip
    """What is wrong with what a raw converter makes of a graph; "" where it is the graph's function."""
    path, inputs, outputs = (str(folder / name) for name in ("model.onnx", "inputs.npz", "outputs.npz"))
    onnx.save(made, path)
    np.savez(inputs, **feeds)
    arguments = {"converter": converter, "model": path, "inputs": inputs, "outputs": outputs}
    failure = worker.call(converter, "converting", CallFunction(Path(__file__).parent / "raw", "run", arguments))
    if failure:
        return str(failure)
    with np.load(outputs) as archive:
        given = [archive[name] for name in archive.files]
    for ours, theirs in zip(given, expected or run(made, feeds), strict=True):
        if ours.shape != theirs.shape:
            return f"shape {ours.shape} instead of {theirs.shape}"
        if not np.allclose(ours, theirs, rtol=1e-4, atol=1e-5):
            return f"other values, by {np.abs(ours - theirs).max():g}"
    return ""

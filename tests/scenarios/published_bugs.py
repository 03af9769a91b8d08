"""Bugs of converters and optimizers that were published, each rebuilt as a source, what the bug makes of it, and what a right tool makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from tests.prove.graphs import Builder, numbers

SOURCE, WRONG, RIGHT = "source", "wrong", "right"
Build = Callable[[Builder, str], str]
KIND = "a kind of fault, without a report"
IMAGE, ROW, STEPS = (2, 4, 6, 6), (3, 6), (5, 2, 4)


@dataclass(frozen=True)
class Bug:
    """One bug.

    Attributes:
        name: what goes wrong.
        published: where it is reported.
        shape: of the input.
        build: writes one of the three graphs, and names its output.
        opset: of the graphs.
    """

    name: str
    published: str
    shape: Sequence[int]
    build: Build
    opset: int = 20

    def model(self, form: str) -> onnx.ModelProto:
        """The source, the wrong target or the right one."""
        b = Builder(list(self.shape), self.opset)
        return b.model(self.build(b, form))


def _norm(b: Builder, x: str, channels: int, epsilon: float = 1e-3) -> str:
    arrays = [
        np.linspace(1, 2, channels),
        np.linspace(-1, 1, channels),
        np.linspace(0, 1, channels),
        np.linspace(0.01, 2, channels),
    ]
    return str(b("BatchNormalization", x, *(b.constant(array) for array in arrays), epsilon=epsilon))


def folded_norm(epsilon: float, order: str = "after") -> Build:
    """A BatchNormalization behind or before a padded convolution, folded into it."""

    def build(b: Builder, form: str) -> str:
        w = numbers((4, 4, 3, 3), 1).astype(np.float64)
        pads = {"pads": [1, 1, 1, 1]}
        if form == SOURCE:
            if order == "before":
                return str(b("Conv", _norm(b, "x", 4), b.constant(w), **pads))
            return _norm(b, b("Conv", "x", b.constant(w), **pads), 4)
        gamma, beta, mean, variance = (
            np.linspace(1, 2, 4),
            np.linspace(-1, 1, 4),
            np.linspace(0, 1, 4),
            np.linspace(0.01, 2, 4),
        )
        s = gamma / np.sqrt(variance + (epsilon if form == WRONG else 1e-3))
        if order == "after":
            return str(b("Conv", "x", b.constant(w * s.reshape(-1, 1, 1, 1)), b.constant(beta - mean * s), **pads))
        offset = beta - mean * s
        if form == WRONG:
            return str(
                b("Conv", "x", b.constant(w * s.reshape(1, -1, 1, 1)), b.constant(w.sum((2, 3)) @ offset), **pads)
            )
        scaled = b("Mul", "x", b.constant(s.reshape(1, -1, 1, 1)))
        return str(b("Conv", b("Add", scaled, b.constant(offset.reshape(1, -1, 1, 1))), b.constant(w), **pads))

    return build


def duplicate_constants(b: Builder, form: str) -> str:
    half = b("Div", "x", b.constant(2.0))
    factor = b("Mul", "x", b.constant(2.0 if form == WRONG else 4.0))
    return str(b("Add", half, factor))


def two_transposes(b: Builder, form: str) -> str:
    if form == SOURCE:
        return str(b("Transpose", b("Transpose", "x", perm=[1, 2, 0]), perm=[0, 2, 1]))
    return str(b("Transpose", "x", perm=[2, 0, 1] if form == WRONG else [1, 0, 2]))


def identity_transpose(b: Builder, form: str) -> str:
    w, bias = numbers((6, 6), 1), numbers((6,), 2)
    if form == SOURCE:
        turned = b("Transpose", b.constant(w), perm=[0, 1])
        return str(b("Add", b("MatMul", "x", turned), b.constant(bias)))
    return str(b("Gemm", "x", b.constant(w), b.constant(bias), transB=int(form == WRONG)))


def pad_into_conv(b: Builder, form: str) -> str:
    w = b.constant(numbers((4, 4, 3, 3), 1))
    if form == WRONG:
        return str(b("Conv", "x", w, pads=[1, 1, 1, 1]))
    padded = b("Pad", "x", b.ints(0, 0, 1, 1, 0, 0, 1, 1), b.constant(0.5))
    if form == SOURCE:
        return str(b("Conv", padded, w))
    return str(b("Conv", b("Identity", padded), w, strides=[1, 1]))


def dropped_pad(b: Builder, form: str) -> str:
    w = b.constant(numbers((4, 4, 3, 3), 1))
    padded = b("Pad", "x", b.ints(0, 0, 1, 0, 0, 0, 0, 1))
    if form == SOURCE:
        return str(b("Conv", padded, w))
    return str(b("Conv", "x", w, pads=[0, 1, 1, 0] if form == WRONG else [1, 0, 0, 1]))


def nop_concat(b: Builder, form: str) -> str:
    if form == SOURCE:
        return str(b("Exp", b("Concat", "x", b("Relu", "x"), axis=1)))
    return str(b("Exp", b("Concat", "x", "x" if form == WRONG else b("Max", "x", b.constant(0.0)), axis=1)))


def bias_of_rows(b: Builder, form: str) -> str:
    w, bias = b.constant(numbers((6, 3), 1)), numbers((3, 1), 2)
    if form == SOURCE:
        return str(b("Add", b("MatMul", "x", w), b.constant(bias)))
    return str(b("Gemm", "x", w, b.constant(bias.reshape(-1) if form == WRONG else bias)))


def attribute(
    operator: str,
    right: Mapping[str, Any],
    wrong: Mapping[str, Any],
    *inputs: Any,
    before: str = "",
    fill: Mapping[str, Any] | None = None,
) -> Build:
    """An operator whose attribute is lost, or another; the right target writes the defaults out."""

    def build(b: Builder, form: str) -> str:
        x = b(before, "x") if before else "x"
        given = [b.constant(array, array.dtype) if isinstance(array, np.ndarray) else array for array in inputs]
        settings = dict(wrong) if form == WRONG else {**right, **((fill or {}) if form == RIGHT else {})}
        made = b(operator, x, *given, **settings)
        return str(b("Cast", made, to=onnx.TensorProto.FLOAT) if operator.startswith("Arg") else made)

    return build


def parts(right: Sequence[Sequence[int]], wrong: Sequence[Sequence[int]]) -> Build:
    """A Slice by starts, ends, axes and steps."""

    def build(b: Builder, form: str) -> str:
        given = [b.ints(*numbers_) for numbers_ in (wrong if form == WRONG else right)]
        made = b("Slice", "x", *given)
        return str(b("Identity", made) if form == RIGHT else made)

    return build


def last_row(b: Builder, form: str) -> str:
    if form == SOURCE:
        return str(b("Gather", "x", b.constant(-1, np.int64), axis=0))
    return str(b("Gather", "x", b.constant(0 if form == WRONG else 4, np.int64), axis=0))


def blocks_of_three(b: Builder, form: str) -> str:
    if form == SOURCE:
        return str(b("DepthToSpace", "x", blocksize=3, mode="CRD"))
    cut = b("Reshape", "x", b.ints(1, 2, 3, 3, 2, 2))
    order = [0, 1, 4, 3, 5, 2] if form == WRONG else [0, 1, 4, 2, 5, 3]
    return str(b("Reshape", b("Transpose", cut, perm=order), b.ints(1, 2, 6, 6)))


def by_negative_indices(b: Builder, form: str) -> str:
    rows = {SOURCE: [[-1, -1], [0, -2]], WRONG: [[0, 0], [0, 0]], RIGHT: [[-1, -1], [0, -2]]}[form]
    made = b("GatherND", "x", b.constant(rows, np.int64))
    return str(b("Identity", made) if form == RIGHT else made)


def reset_gate(b: Builder, form: str) -> str:
    arrays = [numbers((1, 9, 4), 1), numbers((1, 9, 3), 2), numbers((1, 18), 3)]
    after = int(form != WRONG)
    _, last = b("GRU", "x", *(b.constant(a) for a in arrays), outputs=2, hidden_size=3, linear_before_reset=after)
    return str(b("Squeeze", last, b.ints(0)))


def gates(b: Builder, form: str) -> str:
    order = [0, 2, 3, 1] if form == WRONG else [0, 1, 2, 3]
    arrays = [numbers((4, 3, 4), 1)[order], numbers((4, 3, 3), 2)[order], numbers((4, 3), 3)[order]]
    w, r, bias = arrays[0].reshape(1, 12, 4), arrays[1].reshape(1, 12, 3), arrays[2].reshape(1, 12)
    given = (b.constant(w), b.constant(r), b.constant(np.concatenate([bias, 0 * bias], 1)))
    _, last = b("LSTM", "x", *given, outputs=2, hidden_size=3)
    return str(b("Squeeze", last, b.ints(0)))


def resized(right: Mapping[str, Any], wrong: Mapping[str, Any]) -> Build:
    """A Resize whose coordinates are computed otherwise."""

    def build(b: Builder, form: str) -> str:
        sizes = b.constant([1, 1, 2.5, 2.5])
        return str(b("Resize", "x", "", sizes, **(wrong if form == WRONG else right)))

    return build


def hard(operator: str, alpha: float, right: float) -> Build:
    """HardSigmoid and HardSwish with another slope."""

    def build(b: Builder, form: str) -> str:
        slope = alpha if form == WRONG else right
        if form == SOURCE:
            return str(b(operator, "x", **({"alpha": right, "beta": 0.5} if operator == "HardSigmoid" else {})))
        made = b("Clip", b("Add", b("Mul", "x", b.constant(slope)), b.constant(0.5)), b.constant(0.0), b.constant(1.0))
        return str(made if operator == "HardSigmoid" else b("Mul", "x", made))

    return build


def slope_of_channels(b: Builder, form: str) -> str:
    slopes = np.linspace(0.1, 0.9, 6)
    shape = (1, 1, 6) if form == WRONG else (6, 1)
    return str(b("PRelu", "x", b.constant(slopes.reshape(shape))))


def lower_bound(b: Builder, form: str) -> str:
    """A clip from zero on as one from both sides."""
    low, high = (0.0, 6.0) if form != WRONG else (-6.0, 6.0)
    return str(
        b("Clip", "x", b.constant(low), b.constant(high))
        if form != RIGHT
        else b("Min", b("Relu", "x"), b.constant(6.0))
    )


def gelu(b: Builder, form: str) -> str:
    if form == RIGHT:
        error = b("Erf", b("Div", "x", b.constant(np.sqrt(2.0))))
        return str(b("Mul", b("Mul", "x", b.constant(0.5)), b("Add", error, b.constant(1.0))))
    return str(b("Gelu", "x", approximate="tanh" if form == WRONG else "none"))


_BUGS: list[tuple[str, str, Sequence[int], Build]] = [
    ("fuse_bn_into_conv with the default epsilon", "PaddlePaddle/Paddle-Lite#9861", IMAGE, folded_norm(1e-5)),
    ("fuse_bn_into_conv, another result", "onnx/optimizer#178", IMAGE, folded_norm(1e-1)),
    ("a BatchNormalization before a padded convolution is folded into it", KIND, IMAGE, folded_norm(1e-3, "before")),
    ("eliminate_duplicate_initializer merges constants that differ", "onnxsim/onnxsim#265", ROW, duplicate_constants),
    ("fuse_consecutive_transposes in the wrong order", "onnx/onnx#2446", (3, 3, 3), two_transposes),
    ("GemmTransposeFusion takes an identity for a transposition", "microsoft/onnxruntime#32228", ROW, identity_transpose),
    ("fuse_pad_into_conv drops the number that pads", KIND, IMAGE, pad_into_conv),
    ("fuse_pad_into_conv in the wrong order of axes", KIND, IMAGE, dropped_pad),
    ("eliminate_nop_concat drops an operand", "onnx/optimizer#252", ROW, nop_concat),
    ("fuse_matmul_add_bias_into_gemm: a bias of rows as one of columns", KIND, ROW, bias_of_rows),
    ("count_include_pad is lost", "pytorch/pytorch#13934", IMAGE,
     attribute("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}, {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]},
               fill={"strides": [1, 1]})),
    ("ceil_mode is lost, and padding made up for it", "pytorch/pytorch#71549", (1, 2, 5, 5),
     attribute("AveragePool", {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1},
               {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 1, 1], "count_include_pad": 1}, fill={"dilations": [1, 1]})),
    ("Softmax along another axis than the last", "onnx/keras-onnx#529", STEPS, attribute("Softmax", {"axis": 1}, {"axis": -1})),
    ("Resize by other coordinates: asymmetric for half_pixel", "onnx/tensorflow-onnx#932", (1, 1, 4, 4),
     resized({"mode": "linear", "coordinate_transformation_mode": "half_pixel"}, {"mode": "linear", "coordinate_transformation_mode": "asymmetric"})),
    ("Resize by other coordinates: align_corners taken for asymmetric", "microsoft/onnxruntime#17564", (1, 1, 4, 4),
     resized({"mode": "linear", "coordinate_transformation_mode": "align_corners"}, {"mode": "linear", "coordinate_transformation_mode": "asymmetric"})),
    ("Resize: another nearest neighbour", "apache/tvm#19570", (1, 1, 4, 4),
     resized({"mode": "nearest", "nearest_mode": "round_prefer_floor"}, {"mode": "nearest", "nearest_mode": "floor"})),
    ("GRU without linear_before_reset", "microsoft/onnxscript#2852", STEPS, reset_gate),
    ("gates of an LSTM in another framework's order", KIND, STEPS, gates),
    ("DepthToSpace: CRD taken for DCR", "PINTO0309/onnx2tf#92", (1, 8, 2, 2),
     attribute("DepthToSpace", {"blocksize": 2, "mode": "CRD"}, {"blocksize": 2, "mode": "DCR"})),
    ("DepthToSpace: CRD in blocks of three", "iree-org/iree#24179", (1, 18, 2, 2), blocks_of_three),
    ("GatherND by negative indices reads the first numbers", "apache/tvm#20217", ROW, by_negative_indices),
    ("HardSigmoid with the slope of MobileNet", "Tencent/ncnn#2641", ROW, hard("HardSigmoid", 1 / 6, 0.2)),
    ("HardSigmoid with ONNX' default for another slope", "PaddlePaddle/Paddle#47198", ROW, hard("HardSigmoid", 0.2, 1 / 6)),
    ("HardSwish with the slope of HardSigmoid", "Tencent/ncnn#2859", ROW, hard("HardSwish", 0.2, 1 / 6)),
    ("Slice with a negative step is off by one", "iree-org/iree#24584", ROW, parts([[5], [0], [1], [-1]], [[4], [-10], [1], [-1]])),
    ("Gather by a negative index reads the first row", "pytorch/pytorch#10973", STEPS, last_row),
    ("slopes of a PRelu lie along another axis", KIND, (2, 6, 6), slope_of_channels),
    ("a lower bound is lost: ReLU6 as a clip from both sides", KIND, ROW, lower_bound),
    ("GELU by tanh for the exact one", KIND, ROW, gelu),
    ("epsilon of a LayerNormalization is lost", KIND, ROW,
     attribute("LayerNormalization", {"epsilon": 1e-3}, {"epsilon": 1e-5}, np.ones(6, np.float32), np.zeros(6, np.float32), fill={"axis": -1})),
    ("ArgMax: the last of equal numbers", KIND, ROW,
     attribute("ArgMax", {"axis": 1, "select_last_index": 0}, {"axis": 1, "select_last_index": 1}, before="Sign", fill={"keepdims": 1})),
    ("a dilation is lost", KIND, IMAGE,
     attribute("MaxPool", {"kernel_shape": [2, 2], "dilations": [2, 2]}, {"kernel_shape": [3, 3]}, fill={"strides": [1, 1]})),
]  # fmt: skip
BUGS: tuple[Bug, ...] = tuple(Bug(*entry) for entry in _BUGS)

"""TensorFlow's operators: how each is said in ONNX. What is not here is refused by name."""

from __future__ import annotations

from collections.abc import Mapping

from safeconvert.prove.readers.tf import elements, shapes, windows
from safeconvert.prove.readers.tf.node import Rule

_EACH = {
    "Relu": ("Relu",), "Elu": ("Elu",), "Selu": ("Selu",), "Sigmoid": ("Sigmoid",), "Tanh": ("Tanh",), "Exp": ("Exp",), "Log": ("Log",),
    "Sqrt": ("Sqrt",), "Rsqrt": ("Sqrt", "Reciprocal"), "Abs": ("Abs",), "Neg": ("Neg",), "Erf": ("Erf",), "Sin": ("Sin",), "Cos": ("Cos",),
    "Floor": ("Floor",), "Ceil": ("Ceil",), "Softplus": ("Softplus",), "Softsign": ("Softsign",), "Reciprocal": ("Reciprocal",),
    "Inv": ("Reciprocal",), "Rint": ("Round",), "Round": ("Round",), "Sign": ("Sign",),
}  # fmt: skip
OPERATORS: Mapping[str, Rule] = {
    **{name: elements.each(*operators) for name, operators in _EACH.items()},
    **dict.fromkeys(("Identity", "StopGradient", "PreventGradient", "Snapshot"), elements.unchanged),
    "Add": elements.pair("Add"), "AddV2": elements.pair("Add"), "Sub": elements.pair("Sub"), "Mul": elements.pair("Mul"),
    "RealDiv": elements.pair("Div", floating=True), "Maximum": elements.pair("Max"), "Minimum": elements.pair("Min"),
    "Pow": elements.pair("Pow", floating=True), "Less": elements.pair("Less"), "Greater": elements.pair("Greater"),
    "LessEqual": elements.pair("LessOrEqual"), "GreaterEqual": elements.pair("GreaterOrEqual"), "Equal": elements.pair("Equal"),
    "LogicalAnd": elements.logical("And"), "LogicalOr": elements.logical("Or"), "SelectV2": elements.logical("Where"),
    "Relu6": elements.relu6, "Erfc": elements.erfc, "LeakyRelu": elements.leaky_relu, "Square": elements.square,
    "SquaredDifference": elements.squared_difference, "Softmax": elements.softmax("Softmax"), "ZerosLike": elements.zeros, "Fill": elements.filled, "ReverseV2": elements.turned, "Range": elements.counted,
    "LogSoftmax": elements.softmax("LogSoftmax"), "Mean": elements.reduction("ReduceMean"), "Sum": elements.reduction("ReduceSum"),
    "Max": elements.reduction("ReduceMax"), "Min": elements.reduction("ReduceMin"), "Prod": elements.reduction("ReduceProd"),
    "MatMul": elements.matmul, "BatchMatMulV2": elements.batched, "BatchMatMulV3": elements.batched, "Einsum": elements.einsum,
    "Transpose": elements.transposed, "Reshape": elements.reshaped, "Squeeze": elements.squeezed, "ExpandDims": elements.widened,
    "Shape": elements.shape, "Pad": elements.padded, "PadV2": elements.padded, "ConcatV2": elements.joined, "Pack": elements.packed,
    "StridedSlice": elements.strided, "GatherV2": elements.gathered, "Cast": elements.cast, "Split": elements.split,
    "NotEqual": shapes.unequal, "LogicalNot": elements.logical("Not"), "FloorMod": shapes.remainder, "Cumsum": shapes.running_sum,
    "Tile": shapes.tiled, "BroadcastTo": shapes.broadcast, "GatherNd": shapes.points, "Any": shapes.of_truths("ReduceMax"),
    "All": shapes.of_truths("ReduceMin"), "ArgMax": shapes.largest("ArgMax"), "ArgMin": shapes.largest("ArgMin"),
    "Conv2D": windows.convolution, "DepthwiseConv2dNative": windows.depthwise, "MaxPool": windows.pooling("MaxPool"),
    "AvgPool": windows.pooling("AveragePool"), "FusedBatchNormV3": windows.batch_normalization, "BiasAdd": windows.biased,
    "ResizeBilinear": windows.resized(nearest=False), "ResizeNearestNeighbor": windows.resized(nearest=True),
}  # fmt: skip

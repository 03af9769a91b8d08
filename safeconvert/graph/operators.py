"""Sets of ONNX operators that the engine treats alike."""

from __future__ import annotations

CHANNELS_SECOND = {
    "Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "BatchNormalization",
    "InstanceNormalization", "LRN", "Resize", "Upsample", "DepthToSpace", "SpaceToDepth",
}  # fmt: skip
"""They take and give tensors with the channels second, by their definition."""

ON_IMAGES = CHANNELS_SECOND | {"GridSample", "RoiAlign", "DeformConv", "LpPool", "GlobalLpPool", "GroupNormalization"}
"""Their data and their result are images with the channels second."""

KEEPS_AXES = {
    "Add", "Sub", "Mul", "Div", "Neg", "Abs", "Exp", "Log", "Sqrt", "Pow", "Max", "Min", "Relu", "LeakyRelu", "PRelu", "Elu", "Selu",
    "Celu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Erf", "Softplus", "Softsign", "Mish", "Gelu", "Identity", "Cast",
    "Dropout", "Where", "Concat", "Pad",
}  # fmt: skip
"""What they give has the axes of what they read."""

LAYOUT = CHANNELS_SECOND | {"Reshape", "Flatten"}
"""Operators that ask for a certain order of axes, or make another shape of it."""

WEIGHTED = {
    "Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "InstanceNormalization", "LayerNormalization",
    "GroupNormalization", "PRelu", "LSTM", "GRU", "RNN", "Mul", "Add", "Sub", "Div", "Gather", "QLinearConv",
}  # fmt: skip
"""Operators whose floating constants are weights or biases; those of others (Clip's limits, Pad's value) steer them."""

MOVES = {"Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"}
"""Operators that only move elements."""

REORDERING = MOVES | {"Gemm", "MatMul", "Einsum"}
"""Operators that may give their output in another order of axes than their input has."""

JOINING = {"Add", "Sub", "Mul", "Div", "Concat", "Sum", "Max", "Min", "Mean", "Pow", "Where"}
"""Operators of several tensors that have to come in one order of axes."""

"""Keras' layers by their classes' names: how each is said in ONNX, and which parts hold its weights. What is not here is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from safeconvert.prove.readers.keras import activations, attention, dense, recurrent, scaling, windows
from safeconvert.prove.readers.keras.layer import Rule


@dataclass(frozen=True)
class Entry:
    """A layer.

    Attributes:
        rule: how it is said.
        parts: those of it that hold weights, in order.
        used: how many of its weights it computes with; None for all.
        module: where Keras has it.
        idle: arguments of a call that change nothing.
    """

    rule: Rule
    parts: tuple[str, ...] = ("",)
    used: int | None = None
    module: str = "keras.layers"
    idle: frozenset[str] = frozenset()


_IDLE = (
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout", "GaussianNoise", "AlphaDropout",
    "ActivityRegularization", "Identity",
)  # fmt: skip
_CELL = ("cell",)
_APPLICATIONS = "keras.src.applications"

LAYERS: Mapping[str, Entry] = {
    "Dense": Entry(dense.dense),
    "Embedding": Entry(dense.embedding),
    "BatchNormalization": Entry(dense.batch_normalization),
    "LayerNormalization": Entry(dense.layer_normalization),
    "Rescaling": Entry(scaling.rescaling),
    "Normalization": Entry(scaling.normalization, used=2),  # a third counts what it has adapted to
    "Add": Entry(dense.merged("Add")),
    "Subtract": Entry(dense.merged("Sub", 2)),
    "Multiply": Entry(dense.merged("Mul")),
    "Maximum": Entry(dense.merged("Max")),
    "Minimum": Entry(dense.merged("Min")),
    "Average": Entry(dense.average),
    "Concatenate": Entry(dense.joined),
    "Flatten": Entry(dense.flattened),
    "Reshape": Entry(dense.reshaped),
    "Permute": Entry(dense.permuted),
    "Activation": Entry(activations.activation),
    "ReLU": Entry(activations.relu),
    "LeakyReLU": Entry(activations.leaky_relu),
    "ELU": Entry(activations.elu),
    "PReLU": Entry(activations.prelu),
    "Softmax": Entry(activations.softmax),
    "MultiHeadAttention": Entry(attention.attention, attention.PARTS),
    "LSTM": Entry(recurrent.recurrent, _CELL),
    "GRU": Entry(recurrent.recurrent, _CELL),
    "SimpleRNN": Entry(recurrent.recurrent, _CELL),
    "Bidirectional": Entry(recurrent.bidirectional, ("forward_layer/cell", "backward_layer/cell")),
    "LayerScale": Entry(scaling.by_channel, module=f"{_APPLICATIONS}.convnext"),
    "StochasticDepth": Entry(dense.unchanged, module=f"{_APPLICATIONS}.convnext"),
    "CustomScaleLayer": Entry(scaling.scaled_sum, module=f"{_APPLICATIONS}.inception_resnet_v2"),
    **dict.fromkeys(_IDLE, Entry(dense.unchanged)),
    **{f"Conv{rank}D": Entry(windows.convolution) for rank in (1, 2, 3)},
    **{f"Conv{rank}DTranspose": Entry(windows.transposed) for rank in (1, 2, 3)},
    **{f"DepthwiseConv{rank}D": Entry(windows.depthwise) for rank in (1, 2)},
    **{f"SeparableConv{rank}D": Entry(windows.separable) for rank in (1, 2)},
    **{f"MaxPooling{rank}D": Entry(windows.pooling("MaxPool")) for rank in (1, 2, 3)},
    **{f"AveragePooling{rank}D": Entry(windows.pooling("AveragePool")) for rank in (1, 2, 3)},
    **{f"GlobalAveragePooling{rank}D": Entry(windows.pooled("ReduceMean")) for rank in (1, 2, 3)},
    **{f"GlobalMaxPooling{rank}D": Entry(windows.pooled("ReduceMax")) for rank in (1, 2, 3)},
    **{f"ZeroPadding{rank}D": Entry(windows.padded) for rank in (1, 2, 3)},
    **{f"Cropping{rank}D": Entry(windows.cropped) for rank in (1, 2, 3)},
    "Resizing": Entry(windows.resized, idle=frozenset({"training"})),
    **{f"UpSampling{rank}D": Entry(windows.enlarged) for rank in (1, 2, 3)},
}

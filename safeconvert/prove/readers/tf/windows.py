"""TensorFlow's operators on images, which lie channels last, as ONNX operators, which want them first."""

from __future__ import annotations

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.tf.node import Node, Rule, Tensor

_PADDING = {"SAME": "SAME_UPPER", "VALID": "VALID"}


def _plain(n: Node) -> None:
    n.only_float()
    if n.word("data_format", "NHWC") != "NHWC":
        raise Refused(f"{n.operator}: channels first")


def _first(n: Node, place: int = 0) -> str:
    return n.write("Transpose", n.inputs[place].name, perm=[0, 3, 1, 2])


def _last(n: Node, name: str) -> list[Tensor]:
    return n.made("Transpose", name, perm=[0, 2, 3, 1])


def _window(n: Node, name: str) -> list[int]:
    given = n.listed(name) or [1, 1, 1, 1]
    if len(given) != 4 or given[0] != 1 or given[3] != 1:
        raise Refused(f"{n.operator}: {name} is {given}")
    return given[1:3]


def _padding(n: Node) -> str:
    word = n.word("padding", "")
    if word not in _PADDING:
        raise Refused(f"{n.operator}: padding {word}")
    return _PADDING[word]


def convolution(n: Node) -> list[Tensor]:
    """Conv2D of one group: weights are [height, width, in, out]. Of several groups it is no valid graph, and so proves nothing."""
    _plain(n)
    kernel = n.write("Transpose", n.inputs[1].name, perm=[3, 2, 0, 1])
    made = n.write(
        "Conv",
        _first(n),
        kernel,
        auto_pad=_padding(n),
        strides=_window(n, "strides"),
        dilations=_window(n, "dilations"),
    )
    return _last(n, made)


def depthwise(n: Node) -> list[Tensor]:
    """DepthwiseConv2dNative: weights are [height, width, in, multiplier], each channel's outputs beside each other."""
    _plain(n)
    weights = n.weights(1)
    height, width, channels, each = weights.shape
    kernel = n.write.constant(weights.transpose(2, 3, 0, 1).reshape(channels * each, 1, height, width))
    made = n.write(
        "Conv", _first(n), kernel, auto_pad=_padding(n), group=channels, strides=_window(n, "strides"),
        dilations=_window(n, "dilations"),
    )  # fmt: skip
    return _last(n, made)


def pooling(operator: str) -> Rule:
    """MaxPool and AvgPool, whose mean does not count padding."""

    def rule(n: Node) -> list[Tensor]:
        _plain(n)
        made = n.write(
            operator, _first(n), kernel_shape=_window(n, "ksize"), strides=_window(n, "strides"), auto_pad=_padding(n)
        )
        return _last(n, made)

    return rule


def batch_normalization(n: Node) -> list[Tensor]:
    """FusedBatchNormV3 at inference."""
    _plain(n)
    if "is_training" not in n.attributes or n.flag("is_training"):
        raise Refused(f"{n.operator}: in training")
    names = [one.name for one in n.inputs[1:5]]
    made = n.write("BatchNormalization", _first(n), *names, epsilon=n.real("epsilon", 1e-4))
    return _last(n, made)


def biased(n: Node) -> list[Tensor]:
    """BiasAdd along the last axis."""
    _plain(n)
    return n.made("Add", n.inputs[0].name, n.inputs[1].name)


def resized(nearest: bool) -> Rule:
    """ResizeBilinear and ResizeNearestNeighbor to a constant size."""

    def rule(n: Node) -> list[Tensor]:
        n.only_float()
        corners, half = n.flag("align_corners"), n.flag("half_pixel_centers")
        if corners and half:
            raise Refused(f"{n.operator}: corners and half pixels are both aligned")
        how = "align_corners" if corners else "half_pixel" if half else "asymmetric"
        image = _first(n)
        sizes = n.write("Concat", n.write("Shape", image, end=2), n.write.integers(*n.integers(1)), axis=0)
        rounding = {"nearest_mode": "floor" if how == "asymmetric" else "round_prefer_ceil"} if nearest else {}
        mode = "nearest" if nearest else "linear"
        return _last(
            n, n.write("Resize", image, "", "", sizes, mode=mode, coordinate_transformation_mode=how, **rounding)
        )

    return rule

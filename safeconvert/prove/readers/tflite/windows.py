"""TFLite's operators on images, which lie channels last, as ONNX operators, which want them first."""

from __future__ import annotations

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.tflite.flatbuffer import BOOL, BYTE, INT
from safeconvert.prove.readers.tflite.operator import Operator, Rule, fused
from safeconvert.prove.readers.writer import Writer

_PADDING = ("SAME_UPPER", "VALID")


def channels_first(write: Writer, tensor: str) -> str:
    """An image with its channels second."""
    return write("Transpose", tensor, perm=[0, 3, 1, 2])


def channels_last(write: Writer, tensor: str) -> str:
    """An image with its channels last."""
    return write("Transpose", tensor, perm=[0, 2, 3, 1])


def _padding(o: Operator) -> str:
    code = int(o.options.value(0, BYTE))
    if code not in (0, 1):
        raise Refused(f"{o.name}: padding {code}")
    return _PADDING[code]


def _convolved(o: Operator, kernel: str, group: int, options: tuple[int, int]) -> list[str]:
    """A convolution with a kernel that is in ONNX' order.

    Args:
        o: the operator.
        kernel: its weights.
        group: groups of channels.
        options: the fields of the fused activation and of the first dilation.
    """
    activation, dilation = options
    bias = [tensor.name for tensor in o.inputs[2:3] if tensor is not None]
    made = o.write(
        "Conv", channels_first(o.write, o.tensor(0).name), kernel, *bias, group=group, auto_pad=_padding(o),
        strides=[o.options.value(2, INT), o.options.value(1, INT)],
        dilations=[o.options.value(dilation + 1, INT, 1), o.options.value(dilation, INT, 1)],
    )  # fmt: skip
    return fused(o, activation, channels_last(o.write, made))


def convolution(o: Operator) -> list[str]:
    """CONV_2D: weights are [out, height, width, in of a group]."""
    o.only_float()
    kernel = o.write("Transpose", o.tensor(1).name, perm=[0, 3, 1, 2])
    each, channels = o.size(1, 3), o.size(0, 3)
    if channels % each:
        raise Refused(f"{o.name}: {channels} channels in groups of {each}")
    return _convolved(o, kernel, channels // each, (3, 4))


def depthwise(o: Operator) -> list[str]:
    """DEPTHWISE_CONV_2D: weights are [1, height, width, out], each channel's outputs beside each other."""
    o.only_float()
    if o.size(1, 0) != 1 or o.size(1, 3) % o.size(0, 3):
        raise Refused(f"{o.name}: weights of the shape {o.tensor(1).shape}")
    kernel = o.write("Transpose", o.tensor(1).name, perm=[3, 0, 1, 2])
    return _convolved(o, kernel, o.size(0, 3), (4, 5))


def pooling(operator: str) -> Rule:
    """MAX_POOL_2D and AVERAGE_POOL_2D, whose mean does not count padding."""

    def rule(o: Operator) -> list[str]:
        o.only_float()
        made = o.write(
            operator, channels_first(o.write, o.tensor(0).name), auto_pad=_padding(o),
            kernel_shape=[o.options.value(4, INT), o.options.value(3, INT)],
            strides=[o.options.value(2, INT), o.options.value(1, INT)],
        )  # fmt: skip
        return fused(o, 5, channels_last(o.write, made))

    return rule


def transposed_convolution(o: Operator) -> list[str]:
    """TRANSPOSE_CONV: inputs are the output's shape, weights [out, height, width, in], the image, a bias."""
    places = o.outputs[0].shape[1:3]
    stride = [o.options.value(2, INT), o.options.value(1, INT)]
    pads = []
    for axis in (0, 1):
        wanted, size, window = places[axis], o.size(2, 1 + axis), o.size(1, 1 + axis)
        over = None if wanted is None else (size - 1) * stride[axis] + window - wanted
        if over is None or over < 0:
            raise Refused(f"{o.name}: an output that its windows do not fill")
        pads.append((over // 2, over - over // 2))
    if o.tensor(2).kind != o.tensor(1).kind:
        raise Refused(f"{o.name}: of mixed types")
    kernel = o.write("Transpose", o.tensor(1).name, perm=[3, 0, 1, 2])
    bias = [tensor.name for tensor in o.inputs[3:4] if tensor is not None]
    made = o.write(
        "ConvTranspose", channels_first(o.write, o.tensor(2).name), kernel, *bias, strides=stride,
        pads=[pads[0][0], pads[1][0], pads[0][1], pads[1][1]],
    )  # fmt: skip
    return fused(o, 3, channels_last(o.write, made))


def resized(nearest: bool) -> Rule:
    """RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR to a constant size."""
    first = 0 if nearest else 2

    def rule(o: Operator) -> list[str]:
        o.only_float()
        corners, half = (bool(o.options.value(first + n, BOOL)) for n in (0, 1))
        if corners and half:
            raise Refused(f"{o.name}: corners and half pixels are both aligned")
        how = "align_corners" if corners else "half_pixel" if half else "asymmetric"
        height, width = o.integers(1)
        image = channels_first(o.write, o.tensor(0).name)
        lead = o.write("Shape", image, end=2)
        sizes = o.write("Concat", lead, o.write.integers(height, width), axis=0)
        rounding = {"nearest_mode": "floor" if how == "asymmetric" else "round_prefer_ceil"} if nearest else {}
        made = o.write(
            "Resize", image, "", "", sizes, mode="nearest" if nearest else "linear",
            coordinate_transformation_mode=how, **rounding,
        )  # fmt: skip
        return [channels_last(o.write, made)]

    return rule

"""Keras' convolutions and pooling."""

from __future__ import annotations

import numpy as np

from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.keras.activations import activated
from safeconvert.prove.readers.keras.layer import Layer, Rule, Tensor, numbers

_PADDING = {"same": "SAME_UPPER", "valid": "VALID"}


def _padding(n: Layer) -> str:
    given = n.config["padding"]
    if given not in _PADDING:
        raise Refused(f"{n.kind}: padding {given}")
    return _PADDING[given]


def _windowed(n: Layer, tensor: str, kernel: Array, group: int) -> str:
    """A convolution, channels first, of a kernel in ONNX' order."""
    rank = n.x.rank - 2
    if n.config["padding"] == "causal" and rank == 1:
        [dilation] = numbers(n.config.get("dilation_rate", 1), 1)
        before = (kernel.shape[-1] - 1) * dilation
        tensor, how = n.write("Pad", tensor, n.write.integers(0, 0, before, 0, 0, 0)), "VALID"
    else:
        how = _padding(n)
    return n.write(
        "Conv", tensor, n.write.constant(kernel), group=group, auto_pad=how, strides=numbers(n.config.get("strides", 1), rank),
        dilations=numbers(n.config.get("dilation_rate", 1), rank),
    )  # fmt: skip


def _ended(n: Layer, name: str, bias: int) -> Tensor:
    """A convolution's result, channels first, with the bias of a place among the weights, the order of axes, and the activation."""
    rank = n.x.rank
    if n.config.get("use_bias", True):
        form = (1, -1) + (1,) * (rank - 2)
        if bias >= len(n.weights):
            raise Refused(f"{n.kind}: has {len(n.weights)} weights")
        name = n.write("Add", name, n.write.constant(n.weights[bias].reshape(form)))
    made = n.from_first(name, rank)
    return Tensor(activated(n.write, n.config.get("activation"), made.name), rank)


def convolution(n: Layer) -> Tensor:
    """Conv1D, Conv2D, Conv3D: weights are [*window, in of a group, out]."""
    kernel = np.moveaxis(n.weights[0], (-1, -2), (0, 1))
    return _ended(n, _windowed(n, n.channels_first(n.x), kernel, int(n.config.get("groups", 1))), 1)


def by_channel(kernel: Array) -> Array:
    """Weights [*window, in, multiplier] in ONNX' order, each channel's outputs beside each other."""
    moved = np.moveaxis(kernel, (-2, -1), (0, 1))
    return moved.reshape(-1, 1, *moved.shape[2:])


def depthwise(n: Layer) -> Tensor:
    """DepthwiseConv1D and DepthwiseConv2D."""
    made = _windowed(n, n.channels_first(n.x), by_channel(n.weights[0]), n.weights[0].shape[-2])
    return _ended(n, made, 1)


def separable(n: Layer) -> Tensor:
    """SeparableConv1D and SeparableConv2D: by channel, then across channels."""
    made = _windowed(n, n.channels_first(n.x), by_channel(n.weights[0]), n.weights[0].shape[-2])
    across = n.write("Conv", made, n.write.constant(np.moveaxis(n.weights[1], (-1, -2), (0, 1))))
    return _ended(n, across, 2)


def transposed(n: Layer) -> Tensor:
    """Conv1DTranspose to Conv3DTranspose: weights are [*window, out, in]; TensorFlow's padding, which fills in * stride places."""
    n.only(output_padding=None)
    rank = n.x.rank - 2
    strides = numbers(n.config["strides"], rank)
    if set(numbers(n.config.get("dilation_rate", 1), rank)) != {1}:
        raise Refused(f"{n.kind}: dilated")
    window, same = n.weights[0].shape[:rank], _padding(n) == "SAME_UPPER"
    over = [max(size - stride, 0) if same else 0 for size, stride in zip(window, strides, strict=True)]
    made = n.write(
        "ConvTranspose", n.channels_first(n.x), n.write.constant(np.moveaxis(n.weights[0], (-1, -2), (0, 1))), strides=strides,
        pads=[total // 2 for total in over] + [total - total // 2 for total in over],
        output_padding=[max(stride - size, 0) for size, stride in zip(window, strides, strict=True)],
    )  # fmt: skip
    return _ended(n, made, 1)


def pooling(operator: str) -> Rule:
    """MaxPooling1D to 3D and AveragePooling1D to 3D, whose mean does not count padding."""

    def rule(n: Layer) -> Tensor:
        rank = n.x.rank - 2
        window = numbers(n.config["pool_size"], rank)
        strides = numbers(n.config["strides"], rank) if n.config.get("strides") is not None else window
        made = n.write(operator, n.channels_first(n.x), kernel_shape=window, strides=strides, auto_pad=_padding(n))
        return n.from_first(made, n.x.rank)

    return rule


def pooled(operator: str) -> Rule:
    """GlobalAveragePooling1D to 3D and GlobalMaxPooling1D to 3D."""

    def rule(n: Layer) -> Tensor:
        rank, keep = n.x.rank, bool(n.config.get("keepdims", False))
        axes = range(2, rank) if n.first else range(1, rank - 1)
        made = n.write(operator, n.x.name, n.write.integers(*axes), keepdims=int(keep))
        return Tensor(made, rank if keep else 2)

    return rule


def padded(n: Layer) -> Tensor:
    """ZeroPadding1D to 3D."""
    rank = n.x.rank - 2
    pairs = _pairs(n.config["padding"], rank)
    zeros = [(0, 0)]
    by_axis = [*zeros, *zeros, *pairs] if n.first else [*zeros, *pairs, *zeros]
    amounts = [front for front, _ in by_axis] + [back for _, back in by_axis]
    return Tensor(n.write("Pad", n.x.name, n.write.integers(*amounts)), n.x.rank)


def cropped(n: Layer) -> Tensor:
    """Cropping1D to 3D."""
    rank = n.x.rank - 2
    pairs = _pairs(n.config["cropping"], rank)
    first = 2 if n.first else 1
    ends = [-back if back else 2**62 for _, back in pairs]
    lists = ([front for front, _ in pairs], ends, range(first, first + rank))
    return Tensor(n.write("Slice", n.x.name, *(n.write.integers(*numbers_) for numbers_ in lists)), n.x.rank)


def enlarged(n: Layer) -> Tensor:
    """UpSampling1D to 3D by repetition, UpSampling2D by interpolation."""
    rank = n.x.rank - 2
    how = n.config.get("interpolation", "nearest")
    if how not in ("nearest", "bilinear"):
        raise Refused(f"{n.kind}: interpolation {how}")
    scales = n.write.constant(np.asarray([1, 1, *numbers(n.config["size"], rank)], np.float32))
    options = (
        {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        if how == "nearest"
        else {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    )
    return n.from_first(n.write("Resize", n.channels_first(n.x), "", scales, **options), n.x.rank)


def resized(n: Layer) -> Tensor:
    """Resizing of pictures as a whole, without smoothing: by the nearest place, or between two."""
    n.only(antialias=False, crop_to_aspect_ratio=False, pad_to_aspect_ratio=False)
    if n.x.rank != 4 or "data_format" not in n.config:
        raise Refused(
            f"{n.kind}: of other than pictures in calls, or in an order of axes that is left to a setting of Keras"
        )
    options = _RESIZES.get(str(n.config.get("interpolation")))
    if options is None:
        raise Refused(f"{n.kind}: interpolation {n.config.get('interpolation')}")
    first, wanted = n.channels_first(n.x), n.write.integers(int(n.config["height"]), int(n.config["width"]))
    sizes = n.write("Concat", n.write("Shape", first, start=0, end=2), wanted, axis=0)
    made = n.write("Resize", first, "", "", sizes, coordinate_transformation_mode="half_pixel", **options)
    return n.from_first(made, 4)


_RESIZES = {"nearest": {"mode": "nearest", "nearest_mode": "round_prefer_ceil"}, "bilinear": {"mode": "linear"}}


def _pairs(given: object, rank: int) -> list[tuple[int, int]]:
    """Amounts in front and behind by axis: one number, a number by axis, or pairs; of one axis, a pair."""
    found = [given] * rank if isinstance(given, int) else list(given) if isinstance(given, list | tuple) else []
    if rank == 1 and len(found) == 2:
        found = [found]
    pairs = [(one, one) if isinstance(one, int) else tuple(one) for one in found]
    if len(pairs) != rank or any(len(pair) != 2 or min(pair) < 0 for pair in pairs):
        raise Refused(f"amounts {given} for {rank} axes")
    return [(int(front), int(back)) for front, back in pairs]

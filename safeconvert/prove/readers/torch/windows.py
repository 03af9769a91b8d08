"""aten's convolutions, pooling and resizing."""

from __future__ import annotations

import numpy as np

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.torch.call import Call, Rule, size


def convolution(c: Call) -> list[str]:
    """conv1d to conv3d, convolution, and conv_transpose1d to 3d."""
    x, weight, bias = c.only_float("input"), c.tensor("weight"), c.optional("bias")
    rank = len(weight.shape) - 2
    if len(x.shape) != rank + 2:
        raise Refused(f"{c.target}: of no batch")
    padding = c.value("padding", 0)
    group, strides, dilations = int(c.value("groups", 1)), c.numbers("stride", rank, 1), c.numbers("dilation", rank, 1)
    names = [x.name, weight.name, *([] if bias is None else [bias.name])]
    if "conv_transpose" in c.target or c.value("transposed", False):
        pads, added = c.numbers("padding", rank, 0), c.numbers("output_padding", rank, 0)
        return [
            c.write(
                "ConvTranspose",
                *names,
                group=group,
                strides=strides,
                dilations=dilations,
                pads=pads + pads,
                output_padding=added,
            )
        ]
    if isinstance(padding, str):
        if padding not in ("same", "valid") or (padding == "same" and set(strides) != {1}):
            raise Refused(f"{c.target}: padding {padding}")
        how = {"same": "SAME_UPPER", "valid": "VALID"}[padding]
        return [c.write("Conv", *names, group=group, strides=strides, dilations=dilations, auto_pad=how)]
    pads = c.numbers("padding", rank, 0)
    return [c.write("Conv", *names, group=group, strides=strides, dilations=dilations, pads=pads + pads)]


def max_pooling(c: Call) -> list[str]:
    """max_pool1d to max_pool3d; with ceil_mode windows reach as far beyond the end as the last one does."""
    x = c.only_float()
    rank = len(x.shape) - 2
    window = c.numbers("kernel_size", rank, 1)
    strides = c.numbers("stride", rank, 1) if c.value("stride", None) else window
    pads, dilations = c.numbers("padding", rank, 0), c.numbers("dilation", rank, 1)
    reach = [step * (places - 1) + 1 for step, places in zip(dilations, window, strict=True)]
    return [c.write(
        "MaxPool", x.name, kernel_shape=window, strides=strides, dilations=dilations, pads=pads + _behind(c, reach, strides, pads),
    )]  # fmt: skip


def _behind(c: Call, reach: list[int], strides: list[int], pads: list[int]) -> list[int]:
    """Padding at the end of each axis: that in front again, or with ceil_mode as much as the last window takes."""
    behind = list(pads)
    for axis in range(len(pads)) if c.value("ceil_mode", False) else ():
        held = size(c, c.tensor(), 2 + axis)
        last = -(-(held + 2 * pads[axis] - reach[axis]) // strides[axis])
        if last * strides[axis] >= held + pads[axis]:
            last -= 1  # its window would begin beyond the end
        behind[axis] = max(pads[axis], last * strides[axis] + reach[axis] - held - pads[axis])
    return behind


def average_pooling(c: Call) -> list[str]:
    """avg_pool1d to avg_pool3d, whose mean counts padding unless told otherwise; what ceil_mode reaches beyond that it never counts."""
    x = c.only_float()
    c.only(divisor_override=None)
    rank = len(x.shape) - 2
    window = c.numbers("kernel_size", rank, 1)
    strides = c.numbers("stride", rank, 1) if c.value("stride", None) else window
    pads = c.numbers("padding", rank, 0)
    behind = _behind(c, window, strides, pads)
    counted = bool(c.value("count_include_pad", True)) and any(pads)
    if counted and behind != pads:
        raise Refused(f"{c.target}: with padding that counts, and ceil_mode")
    return [c.write(
        "AveragePool", x.name, kernel_shape=window, strides=strides, pads=pads + behind, count_include_pad=int(counted),
    )]  # fmt: skip


def adaptive(operator: str) -> Rule:
    """adaptive_avg_pool1d to 3d and adaptive_max_pool1d to 3d, where all windows are of one size."""

    def rule(c: Call) -> list[str]:
        x = c.only_float()
        rank = len(x.shape) - 2
        wanted = c.numbers("output_size", rank, 1)
        if set(wanted) == {1}:
            reduced = "ReduceMean" if operator == "AveragePool" else "ReduceMax"
            return [c.write(reduced, x.name, c.write.integers(*range(2, 2 + rank)), keepdims=1)]
        sizes = [size(c, x, 2 + axis) for axis in range(rank)]
        if any(held % places for held, places in zip(sizes, wanted, strict=True)):
            raise Refused(f"{c.target}: windows of several sizes")
        window = [held // places for held, places in zip(sizes, wanted, strict=True)]
        return [c.write(operator, x.name, kernel_shape=window, strides=window)]

    return rule


def batch_norm(c: Call) -> list[str]:
    """batch_norm at inference."""
    x = c.only_float("input")
    c.only(training=False)
    names = [c.tensor(name).name for name in ("weight", "bias", "running_mean", "running_var")]
    return [c.write("BatchNormalization", x.name, *names, epsilon=float(c.value("eps", 1e-5)))]


def group_norm(c: Call) -> list[str]:
    """group_norm: each group of channels at a mean of 0 and a variance of 1, then each channel by its weight."""
    x, groups = c.only_float("input"), int(c.value("num_groups", None))
    apart = c.write("Reshape", x.name, c.write.integers(0, groups, -1))
    even = [c.write.constant(np.full(groups, number, np.float32)) for number in (1, 0)]
    normal = c.write("InstanceNormalization", apart, *even, epsilon=float(c.value("eps", 1e-5)))
    found = c.write("Reshape", normal, c.write("Shape", x.name))
    axes = c.write.integers(*range(1, len(x.shape) - 1))
    for operator, name in (("Mul", "weight"), ("Add", "bias")):
        given = c.optional(name)
        if given is not None:
            found = c.write(operator, found, c.write("Unsqueeze", given.name, axes))
    return [found]


def layer_norm(c: Call) -> list[str]:
    """layer_norm over the last axes."""
    x = c.only_float("input")
    axes = len(c.value("normalized_shape", []))
    weight, bias = c.optional("weight"), c.optional("bias")
    if weight is None:
        raise Refused(f"{c.target}: without weights")
    names = [x.name, weight.name, *([] if bias is None else [bias.name])]
    return [c.write("LayerNormalization", *names, axis=-axes, epsilon=float(c.value("eps", 1e-5)))]


def resized(nearest: bool) -> Rule:
    """upsample_nearest2d and upsample_bilinear2d by whole factors or to a size."""

    def rule(c: Call) -> list[str]:
        x = c.only_float("input")
        corners = not nearest and bool(c.value("align_corners", False))
        options = (
            {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
            if nearest
            else {"mode": "linear", "coordinate_transformation_mode": "align_corners" if corners else "half_pixel"}
        )
        sizes, factors = c.value("output_size", None), c.value("scale_factors", None)
        if sizes is None:
            held = [size(c, x, 2 + axis) for axis in range(len(factors))]
            if any(float(factor) != int(factor) for factor in factors):
                raise Refused(f"{c.target}: by broken factors")
            sizes = [one * int(factor) for one, factor in zip(held, factors, strict=True)]
        lead = c.write("Shape", x.name, end=2)
        wanted = c.write("Concat", lead, c.write.integers(*sizes), axis=0)
        return [c.write("Resize", x.name, "", "", wanted, **options)]

    return rule

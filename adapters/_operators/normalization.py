"""Normalisations; the formulas are those of ONNX' operator specifications."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .elementwise import like
from .node import Node
from .sizes import product


def _batch(n: Node) -> Any:
    if n.attribute("training_mode", 0) or (n.opset < 7 and not n.attribute("is_test", 0)):
        raise n.refuse("updates its statistics in training mode")
    if len([name for name in n.outputs if name]) > 1:
        raise n.refuse("statistics as outputs")
    return n.backend.batch_norm(*n.inputs[:5], n.attribute("epsilon", 1e-5))


def centred(n: Node, x: Any, axes: Sequence[int], epsilon: float) -> tuple[Any, Any, Any]:
    """x less its mean and divided by its deviation over axes, with the mean and one over the deviation."""
    b = n.backend
    mean = b.reduce("mean", x, axes, True)
    apart = b.map("sub", x, mean)
    variance = b.reduce("mean", b.map("mul", apart, apart), axes, True)
    deviation = b.map("sqrt", b.map("add", variance, like(n, x, epsilon)))
    inverse = b.map("div", like(n, x, 1), deviation)
    return b.map("mul", apart, inverse), mean, inverse


def _scaled(n: Node, x: Any, scale: Any, bias: Any, shape: list[Any] | None) -> Any:
    b = n.backend
    if scale is not None:
        x = b.map("mul", x, scale if shape is None else b.reshape(scale, shape))
    return x if bias is None else b.map("add", x, bias if shape is None else b.reshape(bias, shape))


def _instance(n: Node) -> Any:
    b, (x, scale, bias) = n.backend, n.inputs
    rank = len(b.shape(x))
    normal, _, _ = centred(n, x, list(range(2, rank)), n.attribute("epsilon", 1e-5))
    return _scaled(n, normal, scale, bias, [1, -1, *[1] * (rank - 2)])


def _layer(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    kind, rank = b.dtype(x), len(b.shape(x))
    axes = list(range(n.axis(rank, -1), rank))
    inner = b.cast(x, "float32") if kind in ("float16", "bfloat16") and n.attribute("stash_type", 1) == 1 else x
    normal, mean, inverse = centred(n, inner, axes, n.attribute("epsilon", 1e-5))
    normal = b.cast(normal, kind) if inner is not x else normal
    result = _scaled(n, normal, n.inputs[1], n.given(2), None)
    return (result, mean, inverse)


def _rms(n: Node) -> Any:
    b, x, scale = n.backend, n.inputs[0], n.inputs[1]
    kind, rank = b.dtype(x), len(b.shape(x))
    axes = list(range(n.axis(rank, -1), rank))
    inner = b.cast(x, "float32") if kind in ("float16", "bfloat16") and n.attribute("stash_type", 1) == 1 else x
    square = b.reduce("mean", b.map("mul", inner, inner), axes, True)
    root = b.map("sqrt", b.map("add", square, like(n, inner, n.attribute("epsilon", 1e-5))))
    normal = b.map("div", inner, root)
    return b.map("mul", b.cast(normal, kind) if inner is not x else normal, scale)


def _group(n: Node) -> Any:
    b, (x, scale, bias) = n.backend, n.inputs
    shape = list(b.shape(x))
    groups = n.attribute("num_groups")
    split = b.reshape(x, [shape[0], groups, shape[1] // groups, *shape[2:]])
    normal, _, _ = centred(n, split, list(range(2, len(shape) + 1)), n.attribute("epsilon", 1e-5))
    each = [1, -1, *[1] * (len(shape) - 2)]
    if n.opset >= 21:
        return _scaled(n, b.reshape(normal, shape), scale, bias, each)
    return b.reshape(_scaled(n, normal, scale, bias, [1, groups, *[1] * (len(shape) - 1)]), shape)


def _lrn(n: Node) -> Any:
    b, x, size = n.backend, n.inputs[0], n.attribute("size")
    rank, channels = len(b.shape(x)), b.shape(x)[1]
    before = (size - 1) // 2
    squares = b.pad(b.map("mul", x, x), [(before, size - 1 - before) if axis == 1 else (0, 0) for axis in range(rank)])
    total = None
    for start in range(size):
        part = b.slice(squares, [slice(start, start + channels) if axis == 1 else slice(None) for axis in range(rank)])
        total = part if total is None else b.map("add", total, part)
    scaled = b.map(
        "add", b.map("mul", total, like(n, x, n.attribute("alpha", 1e-4) / size)), like(n, x, n.attribute("bias", 1.0))
    )
    return b.map("div", x, b.map("pow", scaled, like(n, x, n.attribute("beta", 0.75))))


def _mean_variance(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    axes = [axis % len(b.shape(x)) for axis in n.attribute("axes", [0, 2, 3])]
    if not isinstance(product([b.shape(x)[axis] for axis in axes]), int) and 0 in axes:
        raise n.refuse("its result for one sample depends on the others of the batch")
    mean = b.reduce("mean", x, axes, True)
    apart = b.map("sub", x, mean)
    deviation = b.map("sqrt", b.reduce("mean", b.map("mul", apart, apart), axes, True))
    return b.map("div", apart, b.map("add", deviation, like(n, x, 1e-9)))


OPERATORS: Mapping[str, Callable[[Node], Any]] = {
    "BatchNormalization": _batch, "InstanceNormalization": _instance, "LayerNormalization": _layer, "RMSNormalization": _rms,
    "GroupNormalization": _group, "LRN": _lrn, "MeanVarianceNormalization": _mean_variance,
}  # fmt: skip

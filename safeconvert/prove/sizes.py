"""The sizes that a proof is for: what one side fixes, else a prime for each free dimension."""

from __future__ import annotations

from collections.abc import Sequence

import onnx

from safeconvert.compare.layout import TensorContract

_PRIMES = (97, 89, 83, 79, 73, 71, 67, 61)


def sizes_of(
    source: onnx.ModelProto, target: onnx.ModelProto, tensors: Sequence[TensorContract]
) -> dict[str, tuple[int, ...]]:
    """Concrete shapes by input of the source: what one side fixes, else a prime for each name (all first axes share one)."""
    left, right = _declared(source), _declared(target)
    primes: dict[str, int] = {}
    sizes: dict[str, tuple[int, ...]] = {}
    for tensor in tensors:
        ours, theirs = left[tensor.source.name], right[tensor.target.name]
        order = tensor.permutation or tuple(range(len(ours)))
        shape = []
        for axis, size in enumerate(ours):
            other = theirs[order.index(axis)]
            if isinstance(size, int) or isinstance(other, int):
                shape.append(size if isinstance(size, int) else int(other))
                continue
            name = "batch" if axis == 0 else size or f"{tensor.source.name}.{axis}"
            primes.setdefault(name, _PRIMES[len(primes) % len(_PRIMES)])
            shape.append(primes[name])
        sizes[tensor.source.name] = tuple(shape)
    return sizes


def given_sizes(
    source: onnx.ModelProto, target: onnx.ModelProto, tensors: Sequence[TensorContract]
) -> dict[str, tuple[int, ...]]:
    """The shapes of a run by input of the source, of one sample where the batch is free; {} where no size is free in both graphs, or one is not known."""
    left, right = _declared(source), _declared(target)
    sizes: dict[str, tuple[int, ...]] = {}
    free = False
    for tensor in tensors:
        ours, theirs = left[tensor.source.name], right[tensor.target.name]
        order = tensor.permutation or tuple(range(len(ours)))
        given = tensor.source.shape
        shape = tuple(size for size in ((1,) * (given[:1] == (None,)) + given) if size is not None)
        if len(shape) != len(ours):
            return {}
        for axis, size in enumerate(shape):
            bound = [one for one in (ours[axis], theirs[order.index(axis)]) if isinstance(one, int)]
            free = free or not bound
            if size < 1 or any(one != size for one in bound):
                return {}
        sizes[tensor.source.name] = shape
    return sizes if free else {}


def _declared(model: onnx.ModelProto) -> dict[str, list[int | str]]:
    """Input shapes: a number, or the name of a free dimension ("" where it has none)."""
    return {
        value.name: [
            d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else d.dim_param
            for d in value.type.tensor_type.shape.dim
        ]
        for value in model.graph.input
    }

"""Parameters that are inputs of the model: axes, shapes, sizes, lengths that a node gets at run time.

No framework has a ReduceSum whose axes are a tensor. Where the graph declares the result's shape, few values are left: one, and the
node is as if it were written so; or some, and each is computed and the one is taken that the input names. The declared shape is a
promise of the source, and an obligation of who feeds the target says which parameter it has settled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, permutations
from typing import Any

import numpy as np

from .indexing import moved_by, sliced_from
from .node import Node
from .rescaling import rescaled
from .sizes import is_sizes

Apply = Callable[[Node], Any]
_MOST = 24  # values that are computed side by side


def obligations(told: Mapping[str, str]) -> tuple[str, ...]:
    """What who feeds a target must keep to, a line each."""
    return tuple(f"{parameter}: must be such that {why}, as the source declares" for parameter, why in told.items())


def known_at_run_time(n: Node, position: int) -> bool:
    """Whether an input depends on the model's inputs by more than shapes."""
    value = n.given(position)
    return value is not None and not isinstance(value, (np.ndarray, list))


def on_given(n: Node, apply: Apply) -> Any:
    """The results of a node with parameters that are not known while converting; None where it has none, or they stay open."""
    settle = _SETTLED.get(n.operator)
    if settle is not None:
        return settle(n, apply)
    positions = _ONE_OF.get(n.operator)
    if positions is None or not known_at_run_time(n, positions):
        return None
    return _chosen(n, positions, _axes_of(n, positions), apply)


def _with(n: Node, position: int, value: Any) -> Node:
    inputs = list(n.inputs)
    inputs[position] = value
    return replace(n, inputs=inputs)


def _vector(values: Any) -> np.ndarray:
    return np.asarray(values, dtype=np.int64)


# -- one value is left


def _settled(position: int, value: Callable[[Node, tuple[int, ...]], Any]) -> Callable[[Node, Apply], Any]:
    """For a parameter of which the result's shape leaves one value."""

    def settle(n: Node, apply: Apply) -> Any:
        if not known_at_run_time(n, position):
            return None
        shape = n.declared_shape()
        if shape is None:
            return None
        found = value(n, shape)
        if found is None:
            return None
        n.tell(f"input {position} of node {n.name} ({n.operator})", f"its result has the shape {list(shape)}")
        return apply(_with(n, position, found))

    return settle


def _own_axis(n: Node, default: int) -> int:
    return n.axis(len(n.backend.shape(n.inputs[0])), default)


def _repeats(n: Node, shape: tuple[int, ...]) -> Any:
    own = n.backend.shape(n.inputs[0])
    if not all(isinstance(size, int) and size for size in own):
        return None
    return _vector([size // before for size, before in zip(shape, own, strict=True)])


def _depth(n: Node, shape: tuple[int, ...]) -> Any:
    return _vector([shape[n.axis(len(shape), -1)]])


def _grid_size(n: Node, shape: tuple[int, ...]) -> Any:
    return _vector([shape[0], 1, *shape[1:-1]])


def _resized(n: Node, shape: tuple[int, ...]) -> Any:
    if n.attribute("keep_aspect_ratio_policy", b"stretch") != b"stretch":
        return None  # under which the sizes are bounds
    return _vector([shape[axis] for axis in n.attribute("axes", range(len(shape)))])


def _resize(n: Node, apply: Apply) -> Any:
    """Sizes that the declared shape tells, or scales that say where in the image its elements lie."""
    shape, at = n.declared_shape(), 1 if n.opset < 11 or n.operator == "Upsample" else 2
    if not known_at_run_time(n, at):
        return _settled(3, _resized)(n, apply)
    if shape is None or n.given(3) is not None:
        return None
    axes = [int(axis) % len(shape) for axis in n.attribute("axes", range(len(shape)))]
    n.tell(f"input {at} of node {n.name} ({n.operator})", f"its result has the shape {list(shape)}")
    return rescaled(n, n.inputs[at], axes, shape)


def _reshaped(n: Node, apply: Apply) -> Any:
    """Squeeze and Unsqueeze only reshape."""
    shape = n.declared_shape()
    if shape is None or not known_at_run_time(n, 1):
        return None
    n.tell(f"input 1 of node {n.name} ({n.operator})", f"its result has the shape {list(shape)}")
    return n.backend.reshape(n.inputs[0], list(shape))


def _split(n: Node, apply: Apply) -> Any:
    if not known_at_run_time(n, 1):
        return None
    shapes = [n.declared_shape(at) for at in range(len(n.outputs))]
    axis = _own_axis(n, 0)
    found = [shape[axis] for shape in shapes if shape is not None]
    if len(found) < len(shapes):
        return None
    n.tell(f"input 1 of node {n.name} ({n.operator})", f"its parts are of sizes {found}")
    return apply(_with(n, 1, _vector(found)))


# -- one of some values


def _axes_of(n: Node, position: int) -> Iterator[tuple[Any, Any]]:
    """Values of a parameter that holds axes, each with the condition that says it was given."""
    b = n.backend
    rank = len(b.shape(n.inputs[0]))
    own = list(b.shape(n.inputs[position]))
    given = b.reshape(b.cast(n.inputs[position], "int64"), [-1])
    given = b.map("where", b.map("lt", given, _vector(0)), b.map("add", given, _vector(rank)), given)
    if own == [0]:
        yield np.zeros(0, dtype=np.int64), None
        return
    for axes in combinations(range(rank), own[0] if own else 1):
        hit = None
        for axis in axes:
            here = b.reduce("any", b.map("eq", given, _vector([axis])), [0], False)
            hit = here if hit is None else b.map("and", hit, here)
        yield _vector(axes).reshape(own), hit


def _chosen(n: Node, position: int, values: Iterator[tuple[Any, Any]], apply: Apply) -> Any:
    """What the parameter names, of the values that give the declared shape, or that all give the same."""
    b, shape = n.backend, n.declared_shape()
    found: list[tuple[Any, Any]] = []
    for value, hit in values:
        try:
            made = apply(_with(n, position, value))
        except NotImplementedError:
            continue  # no such axis: of a spectrum's parts, say
        if shape is None or tuple(b.shape(made)) == shape:
            found.append((made, hit))
    if not found or len(found) > _MOST or len({tuple(b.shape(made)) for made, _ in found}) > 1:
        return None
    if shape is not None:
        n.tell(f"input {position} of node {n.name} ({n.operator})", f"its result has the shape {list(shape)}")
    return selected(n, found)


def selected(n: Node, found: Sequence[tuple[Any, Any]]) -> Any:
    """The first value whose condition is true; the last where none is."""
    b = n.backend
    result = found[-1][0]
    for value, hit in reversed(found[:-1]):
        result = b.map("where", b.reshape(hit, [1] * len(b.shape(value))), value, result)
    return result


# -- whatever it is


def _orders(n: Node, position: int, count: int) -> list[tuple[Any, Any]]:
    """The axes that an input of axes may name, in order, each with the condition that says so."""
    b = n.backend
    rank = len(b.shape(n.inputs[0]))
    if not known_at_run_time(n, position):
        axes = range(count) if n.given(position) is None else n.sizes(position, "the axes")
        return [([int(axis) % rank for axis in axes], None)]
    given = b.reshape(b.cast(n.inputs[position], "int64"), [-1])
    given = b.map("where", b.map("lt", given, _vector(0)), b.map("add", given, _vector(rank)), given)
    return [
        (list(axes), b.reduce("all", b.map("eq", given, _vector(axes)), [0], False))
        for axes in permutations(range(rank), count)
    ]


def _along(n: Node, parameters: tuple[int, ...], axes_at: int, count: int, make: Callable[[list[int]], Any]) -> Any:
    """The result for all axes that are left, of which the one is taken that is named."""
    shape, own = n.declared_shape(), list(n.backend.shape(n.inputs[0]))
    if shape is None or not all(isinstance(size, int) for size in own):
        return None
    orders = [
        (axes, hit)
        for axes, hit in _orders(n, axes_at, count)
        if all(one == other for a, (one, other) in enumerate(zip(own, shape, strict=True)) if a not in axes)
    ]
    if not orders or len(orders) > _MOST:
        return None
    n.tell(f"inputs {list(parameters)} of node {n.name} ({n.operator})", f"its result has the shape {list(shape)}")
    return selected(n, [(make(axes), hit) for axes, hit in orders])


def _slice(n: Node, apply: Apply) -> Any:
    if n.opset < 10 or not any(known_at_run_time(n, at) for at in (1, 2, 3, 4)):
        return None
    if any(is_sizes(value) for value in n.inputs if value is not None):
        return None
    count = int(n.backend.shape(n.inputs[1])[0])
    return _along(n, (1, 2, 3, 4), 3, count, lambda axes: sliced_from(n, axes))


def _pad(n: Node, apply: Apply) -> Any:
    if n.opset < 11 or not any(known_at_run_time(n, at) for at in (1, 2, 3)):
        return None
    count = int(n.backend.shape(n.inputs[1])[0]) // 2
    return _along(n, (1, 2, 3), 3, count, lambda axes: moved_by(n, axes))


def _range(n: Node, apply: Apply) -> Any:
    shape = n.declared_shape()
    if shape is None or not any(known_at_run_time(n, at) for at in range(3)):
        return None
    b = n.backend
    start, _, step = (b.reshape(value, [1]) for value in n.inputs)
    n.tell(f"inputs 0 to 2 of node {n.name} ({n.operator})", f"its result has the shape {list(shape)}")
    kind = b.dtype(start)
    wider = "int32" if kind == "int16" else kind
    steps = b.map("mul", np.arange(shape[0]).astype(wider), b.cast(step, wider))
    return b.cast(b.map("add", steps, b.cast(start, wider)), kind)


_ONE_OF: Mapping[str, int] = {
    **{f"Reduce{kind}": 1 for kind in (
        "L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare",
    )},
    "CumSum": 1, "CumProd": 1, "DFT": 2,
}  # fmt: skip
_SETTLED: Mapping[str, Callable[[Node, Apply], Any]] = {
    "Reshape": _settled(1, lambda n, shape: _vector(shape)),
    "Expand": _settled(1, lambda n, shape: _vector(shape)),
    "ConstantOfShape": _settled(0, lambda n, shape: _vector(shape)),
    "MaxUnpool": _settled(2, lambda n, shape: _vector(shape)),
    "CenterCropPad": _settled(1, lambda n, shape: _vector([shape[a] for a in n.attribute("axes", range(len(shape)))])),
    "Tile": _settled(1, _repeats),
    "TopK": _settled(1, _depth),
    "OneHot": _settled(1, _depth),
    "AffineGrid": _settled(1, _grid_size),
    "Resize": _resize, "Upsample": _resize,
    "Squeeze": _reshaped, "Unsqueeze": _reshaped, "Split": _split, "Slice": _slice, "Pad": _pad, "Range": _range,
}  # fmt: skip

"""An input on which two graphs differ, searched where a proof ended: at a constant or attribute that is another in the target.

What the region holds says where to look: numbers of its constants and rows of its tables are put into inputs, beside seeded ones of many sizes,
signs and forms. What is found has to differ in float64 as well, so that it is no rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator

from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import apply_permutation, undo_permutation
from safeconvert.core.tensors import array_of
from safeconvert.graph.sessions import open_session
from safeconvert.graph.view import GraphView, tidy
from safeconvert.prove.kernel.terms import Array
from safeconvert.prove.unproven import Unproven

_LARGEST = 20_000
"""Numbers in a sample of all inputs, and ten times the nodes of a graph, up to which float64 is computed by the reference evaluator."""
_TOLD = 64
_SEED = 0


@dataclass(frozen=True)
class Tolerances:
    """What counts as a difference, as a share of a sample's largest output and in the output's unit."""

    rtol: float
    atol: float


def counterexample(
    graphs: tuple[onnx.ModelProto, onnx.ModelProto],
    contract: Contract,
    given: Sequence[Array],
    unproven: Sequence[Unproven],
    tolerances: Tolerances,
) -> list[Array] | None:
    """Inputs of the source on which both graphs differ beyond tolerance, in float32 and in float64; None where none is found.

    Args:
        graphs: source and target.
        contract: which tensors correspond.
        given: for each input an example, whose shape and type are kept.
        unproven: where the proof ended.
        tolerances: what counts as a difference.
    """
    views = tidy(graphs[0]), tidy(graphs[1])
    if sum(array[0].size for array in given if array.ndim) > _LARGEST or 10 * len(views[0].nodes) > _LARGEST:
        return None
    numbers = _numbers(views, unproven)
    sessions = [_session(graph) for graph in graphs]
    best, most = None, 1.0
    for inputs in _candidates(given, numbers):
        ours, theirs = (_run(*pair) for pair in zip(sessions, _feeds(contract, inputs), strict=True))
        if ours is None or theirs is None:
            continue  # the graphs do not take it, such as a row that a table has not
        ratio = _apart(contract, ours, theirs, tolerances)
        if ratio > most:
            best, most = inputs, ratio
    return best if best is not None and _in_double(graphs, contract, best, tolerances) else None


def _numbers(views: tuple[GraphView, GraphView], unproven: Sequence[Unproven]) -> Array:
    """Numbers worth trying: constants at which the proof ended, the indices of table rows that differ, and a few of every size."""
    found = [0.0, 1.0, -1.0, 1e-3, -1e-3, 10.0, -10.0]
    for one in unproven:
        node = next((n for n in views[1].nodes if n.name == one.target), None)
        if node is None:
            continue
        for other in views[0].nodes:
            if f"{other.op_type} {other.name}" not in one.source:
                continue
            for ours, theirs in zip(other.input, node.input, strict=False):
                left, right = views[0].constants.get(ours), views[1].constants.get(theirs)
                if left is None or right is None or left.dtype.kind not in "fiu":
                    continue
                if left.shape == right.shape and left.ndim > 1:
                    rows = np.flatnonzero((left != right).reshape(len(left), -1).any(axis=1))
                    found += [float(row) for row in rows[:_TOLD]]
                for array in (left, right):
                    found += [float(value) for value in np.unique(array[np.isfinite(array)])[:_TOLD]]
    return np.unique(np.asarray(found))


def _candidates(given: Sequence[Array], numbers: Array) -> Iterator[list[Array]]:
    random = np.random.default_rng(_SEED)
    for _ in range(4):
        for how in range(12):
            yield [_made(array, how, numbers, random) for array in given]


def _made(array: Array, how: int, numbers: Array, random: np.random.Generator) -> Array:
    """An input like the given one, in one of twelve ways."""
    if array.dtype.kind in "iu":
        whole = np.unique(np.round(numbers).astype(np.int64))
        low, high = int(array.min(initial=0)), int(max(array.max(initial=1), whole.max(initial=1)))
        if how % 3 == 0:
            return np.asarray(random.choice(whole, array.shape)).astype(array.dtype)
        least = -high if how % 3 == 1 and array.dtype.kind == "i" else low
        return np.asarray(random.integers(least, high + 1, array.shape)).astype(array.dtype)
    if array.dtype.kind != "f":
        return array
    noise = random.normal(size=array.shape)
    rows = random.choice(numbers, (len(array),) + (1,) * (array.ndim - 1)) if array.ndim else random.choice(numbers)
    border = np.zeros(array.shape[1:])
    border[tuple(slice(1, -1) if size > 2 else slice(None) for size in array.shape[1:])] = 1
    ways = (
        noise, noise * 1e-4, noise * 1e-2, noise * 10, noise * 100, -array, array * 10, rows + 0 * noise, rows + 1e-3 * noise,
        random.choice(numbers, array.shape), noise * (random.random(array.shape) < 0.1) * 10, noise * (1 - border),
    )  # fmt: skip
    return np.asarray(ways[how]).astype(array.dtype)


def _feeds(contract: Contract, inputs: Sequence[Array]) -> tuple[dict[str, Array], dict[str, Array]]:
    pairs = list(zip(contract.inputs, inputs, strict=True))
    ours = {tensor.source.name: array for tensor, array in pairs}
    theirs = {
        tensor.target.name: np.ascontiguousarray(apply_permutation(array, tensor.permutation))
        for tensor, array in pairs
    }
    return ours, theirs


def _session(model: onnx.ModelProto) -> Any:
    return open_session(model)


def _run(session: Any, feed: Mapping[str, Array]) -> dict[str, Array] | None:
    names = [value.name for value in session.get_outputs()]
    try:
        return dict(zip(names, session.run(None, feed), strict=True))
    except Exception:  # noqa: BLE001 - ONNX Runtime's errors share no base class but Exception
        return None


def _apart(contract: Contract, ours: Mapping[str, Array], theirs: Mapping[str, Array], tolerances: Tolerances) -> float:
    """The largest difference in tolerances; 0 where the source gives no finite numbers."""
    worst = 0.0
    for tensor in contract.outputs:
        left = np.asarray(ours[tensor.source.name])
        right = undo_permutation(np.asarray(theirs[tensor.target.name]), tensor.permutation)
        if left.shape != right.shape or left.dtype.kind not in "fiub":
            return 0.0
        one, two = (
            side.astype(np.float64).reshape(len(side), -1) if side.ndim else side.astype(np.float64).reshape(1, 1)
            for side in (left, right)
        )
        if not np.isfinite(one).all():
            return 0.0
        if left.dtype.kind in "iub":
            worst = max(worst, float("inf") if (one != two).any() else 0.0)
            continue
        allowed = tolerances.atol + tolerances.rtol * np.abs(one).max(axis=1, initial=0.0)
        apart = np.abs(np.where(np.isfinite(two), one - two, np.inf)).max(axis=1, initial=0.0)
        worst = max(worst, float((apart / allowed).max(initial=0.0)))
    return worst


def _in_double(
    graphs: tuple[onnx.ModelProto, onnx.ModelProto], contract: Contract, inputs: Sequence[Array], tolerances: Tolerances
) -> bool:
    """Whether both graphs differ beyond tolerance in float64 too."""
    results = []
    for graph, feed in zip(graphs, _feeds(contract, inputs), strict=True):
        wide = {name: array.astype(np.float64) if array.dtype.kind == "f" else array for name, array in feed.items()}
        model = _doubled(graph)
        try:
            outputs = ReferenceEvaluator(model).run(None, wide)
        except (RuntimeError, TypeError, ValueError, KeyError, IndexError, AttributeError):
            return False  # what cannot be computed in float64 may be rounding
        results.append(dict(zip((value.name for value in model.graph.output), outputs, strict=True)))
    return _apart(contract, results[0], results[1], tolerances) > 1.0


def _doubled(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph in float64, constants and casts too."""
    made = tidy(model).model
    del made.graph.value_info[:]
    for index, tensor in enumerate(made.graph.initializer):
        if tensor.data_type == TensorProto.FLOAT:
            wide = numpy_helper.from_array(array_of(tensor).astype(np.float64), tensor.name)
            made.graph.initializer[index].CopyFrom(wide)
    for node in made.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.DOUBLE
    for value in [*made.graph.input, *made.graph.output]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    return made

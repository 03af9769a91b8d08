"""What inputs exercise of a graph, asked by the host file by file, and more inputs for what they leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.graph.between import add_points
from safeconvert.graph.coverage import NOTHING, Coverage
from safeconvert.graph.differing_bounds import differing_bounds
from safeconvert.graph.inlined import inlined
from safeconvert.graph.mutate import Range
from safeconvert.graph.reach import reached
from safeconvert.graph.reach_plan import Plan
from safeconvert.graph.sleeping import sleeping_units, waking
from safeconvert.graph.stored import open_graph
from safeconvert.graph.thresholds import at_thresholds, thresholds

Array = np.ndarray[Any, Any]


def exercised(path: str, groups: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """What each group of inputs exercises of an ONNX graph.

    Args:
        path: of the graph.
        groups: for each group, the `.npy` file of every input of the native model, in its order.

    Returns:
        `items`: all that can be exercised, in the graph's order; `impossible`: what no input exercises, by the graph's own bounds;
        `groups`: for each group the indices of the items that it does; `constant`: for each output, whether float32 holds one
        value there whatever the inputs are, by index along the last axis; `reason`: why nothing could be measured, or ""; it is measured
        where there is nothing to exercise but outputs.
    """
    try:
        coverage = Coverage(inlined(open_graph(path)))
        found = [coverage.exercised(_arrays(coverage, files)) for files in groups]
    except RuntimeError as error:
        return _unknown(error)
    return _answer(coverage, found)


def reach(
    path: str,
    groups: Sequence[Sequence[Mapping[str, str]]],
    ranges: Mapping[str, Mapping[str, Any]],
    plan: Mapping[str, Any],
    folder: str,
) -> dict[str, Any]:
    """Samples that exercise what those of one group of calls leave out.

    Args:
        path: of the graph.
        groups: the calls that are there, and others to try first; each the `.npy` file of every input of the native model.
        ranges: by input of the native model a `mutate.Range`.
        plan: a `reach.Plan`.
        folder: where the samples found go.

    Returns:
        `samples`: for each the file of every input of the native model; `reason`: why nothing could be measured, or "".
    """
    try:
        coverage = Coverage(model := inlined(open_graph(path)))
    except RuntimeError as error:
        return _unknown(error)
    searched = Plan(**plan)
    base, tried = (
        [row for files in calls for row in _rows(_arrays(coverage, files), searched.whole)] for calls in groups
    )
    tried += at_thresholds(thresholds(model), base, searched.seed)
    return {"samples": _found(coverage, (base, tried), groups[0][0], ranges, searched, folder), "reason": ""}


def wake(
    paths: Sequence[str],
    calls: Sequence[Mapping[str, str]],
    ranges: Mapping[str, Mapping[str, Any]],
    plan: Mapping[str, Any],
    folder: str,
) -> dict[str, Any]:
    """Samples that show what is another number in one of two graphs: units of the source are positive, or its values lie between.

    Args:
        paths: the source's graph and the target's; see `graph.sleeping` and `graph.differing_bounds`.
        calls: calls that are there; as in `reach`, as are the other arguments and the answer.

    Returns:
        Besides, `missed`: the numbers between which neither a call that is there nor a sample found has a value: their node in the target,
        and a line.
    """
    models = [inlined(open_graph(path)) for path in paths]
    units, differing = sleeping_units(*models), differing_bounds(*models)
    if not units and not differing:
        return {"samples": [], "missed": [], "reason": ""}
    copy, points = waking(models[0], units)
    between = add_points(copy, differing)
    try:
        coverage = Coverage(models[0], (copy, [*points, *between]))
    except RuntimeError as error:
        return {**_unknown(error), "missed": [[one.node, one.label] for one in differing]}
    searched = Plan(**plan)
    base = [row for files in calls for row in _rows(_arrays(coverage, files), searched.whole)]
    found = _found(coverage, (base, []), calls[0], ranges, searched, folder)
    seen = set[str]().union(*(coverage.exercised(_arrays(coverage, files)) for files in calls))
    for files in found:
        rows = max(1, coverage.batch)
        arrays = _arrays(coverage, files)
        seen |= coverage.exercised(
            arrays if searched.whole else [np.repeat(array[None], rows, axis=0) for array in arrays]
        )
    missed = [one for one, point in zip(differing, between, strict=True) if seen.isdisjoint(point.items())]
    return {"samples": found, "missed": [[one.node, one.label] for one in missed], "reason": ""}


def _found(
    coverage: Coverage,
    samples: tuple[list[list[Array]], list[list[Array]]],
    files: Mapping[str, str],
    ranges: Mapping[str, Mapping[str, Any]],
    plan: Plan,
    folder: str,
) -> list[dict[str, str]]:
    """The files of samples that exercise what those that are there leave out; some perhaps of those that are tried first."""
    names, order = list(files), _order(coverage, files)
    own = [Range(**ranges[name]) for name in order]
    written = []
    for number, sample in enumerate(reached(coverage, *samples, own, plan)):
        by_name = dict(zip(order, sample, strict=True))
        written.append(
            {name: str(Path(folder) / f"reached-{number:04d}-{index}.npy") for index, name in enumerate(names)}
        )
        for name, target in written[-1].items():
            np.save(target, by_name[name], allow_pickle=False)
    return written


def _order(coverage: Coverage, files: Mapping[str, str]) -> list[str]:
    """The native model's inputs in the graph's order: by name where all are the same, else by position."""
    return list(coverage.inputs) if set(coverage.inputs) == set(files) else list(files)


def _arrays(coverage: Coverage, files: Mapping[str, str]) -> list[Array]:
    return [np.load(files[name], allow_pickle=False) for name in _order(coverage, files)]


def _rows(call: list[Array], whole: bool) -> list[list[Array]]:
    """The samples of a call."""
    if whole:
        return [call]
    return [[array[row] for array in call] for row in range(min(len(array) for array in call))]


def _answer(coverage: Coverage, found: Sequence[set[str]]) -> dict[str, Any]:
    indices = {item: index for index, item in enumerate(coverage.items)}
    return {
        "items": list(coverage.items),
        "impossible": list(coverage.impossible),
        "groups": [sorted(indices[item] for item in items if item in indices) for items in found],
        "constant": list(coverage.constant.values()),
        "reason": "",
    }


def _unknown(error: RuntimeError) -> dict[str, Any]:
    why = "" if str(error) == NOTHING else " ".join(str(error).split())[:200]
    return {"items": [], "impossible": [], "groups": [], "constant": [], "samples": [], "reason": why}

"""Run an ONNX graph, or a part of it, and keep the values of inner tensors. ONNX Runtime, graph optimizations off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.sessions import open_session
from safeconvert.graph.view import GraphView, subgraph

Array = np.ndarray[Any, Any]
Values = Mapping[str, Array]


def run_part(
    view: GraphView, feeds: Sequence[Values], numbers: Iterable[int] | None = None, wanted: Iterable[str] | None = None
) -> list[dict[str, Array]]:
    """Values of inner tensors, one dict for each feed.

    Nodes whose inputs nobody feeds or makes are left out, and so is whatever depends on them; where a node fails at run
    time, the values in front of it are still given.

    Args:
        view: the graph.
        feeds: values by tensor name; a fed tensor is taken as given although the graph makes it too.
        numbers: nodes to run; all where None.
        wanted: tensors to give back; every output of the nodes that ran where None.
    """
    fed = set(feeds[0])
    runnable = _runnable(view, fed, range(len(view.nodes)) if numbers is None else sorted(set(numbers)))
    if wanted is not None:
        runnable = _needed(view, fed, runnable, set(wanted))
    while runnable:
        outputs = [name for n in runnable for name in view.nodes[n].output if name and name not in fed]
        requested = [name for name in outputs if wanted is None or name in set(wanted)]
        if not requested:
            return [{} for _ in feeds]
        try:
            return _run(view, feeds, runnable, requested)
        except RuntimeError:
            broken = _first_failing(view, feeds, runnable)
            runnable = _runnable(view, fed, [number for number in runnable if number != broken])
    return [{} for _ in feeds]


def stream_part(view: GraphView, feeds: Sequence[Values], names: Sequence[str]) -> Iterator[dict[str, Array]]:
    """Values of some inner tensors, feed after feed; only what they depend on is run.

    Raises:
        RuntimeError: ONNX Runtime cannot load or run that part.
    """
    fed = set(feeds[0])
    numbers = _needed(view, fed, _runnable(view, fed, range(len(view.nodes))), set(names))
    session, codes = _session(view, feeds[0], numbers, names)
    for feed in feeds:
        yield _row(session, codes, names, feed)


def each_part(view: GraphView, feeds: Sequence[Values], wanted: Iterable[str]) -> Iterator[dict[str, Array]]:
    """As `run_part` of all nodes, feed after feed: the values of one are in memory at a time. Where a node fails on one feed, the others have all."""
    wanted = set(wanted)
    fed = set(feeds[0])
    numbers = _needed(view, fed, _runnable(view, fed, range(len(view.nodes))), wanted)
    names = [name for n in numbers for name in view.nodes[n].output if name in wanted and name not in fed]
    session: Any = None
    codes: Mapping[str, int] = {}
    if names:
        try:
            session, codes = _session(view, feeds[0], numbers, names)
        except RuntimeError:
            session = None  # one node after the other is left out below
    for feed in feeds:
        row = None
        if session is not None:
            with suppress(RuntimeError):
                row = _row(session, codes, names, feed)
        yield run_part(view, [feed], None, wanted)[0] if row is None else row
        del row, feed  # before the next are made


def remade(view: GraphView, feeds: Iterable[Values], names: Sequence[str]) -> Iterator[dict[str, Array]]:
    """What nodes make of fed tensors, also of those that are fed themselves: each from the nearest fed ones in front of it. Feed after feed.

    Args:
        view: the graph.
        feeds: values by tensor name, of the same tensors in each.
        names: tensors, fed or not; one that cannot be made of what is fed is left out.

    Raises:
        RuntimeError: ONNX Runtime cannot load or run that part.
    """
    session: Any = None
    requested: dict[str, str] = {}
    codes: Mapping[str, int] = {}
    for feed in feeds:
        if not requested:
            numbers, requested = _remaking(view, feed, names)
            session, codes = _session(view, feed, numbers, list(requested.values())) if requested else (None, {})
        if session is None:
            yield {}
            continue
        row = _row(session, codes, list(requested.values()), feed)
        yield {name: row[requested[name]] for name in requested}
        del row, feed  # before the next are made


def _remaking(view: GraphView, feed: Values, names: Sequence[str]) -> tuple[list[int], dict[str, str]]:
    """The nodes that can run on what is fed, and what each tensor that they make is called where it is made anew."""
    known = set(feed) | set(view.constants) | {""}
    numbers = []
    for number, node in enumerate(view.nodes):
        if all(name in known for name in node.input):
            numbers.append(number)
            known.update(node.output)
    made = {name for number in numbers for name in view.nodes[number].output}
    read = {name for number in numbers for name in view.nodes[number].input}  # what nobody reads is not fed either
    return numbers, {name: f"{name}::made" if name in feed and name in read else name for name in names if name in made}


def _run(
    view: GraphView, feeds: Sequence[Values], numbers: Sequence[int], requested: Sequence[str]
) -> list[dict[str, Array]]:
    session, codes = _session(view, feeds[0], numbers, requested)
    return [_row(session, codes, requested, feed) for feed in feeds]


def _session(
    view: GraphView, feed: Values, numbers: Sequence[int], requested: Sequence[str]
) -> tuple[Any, Mapping[str, int]]:
    read = {name for number in numbers for name in view.nodes[number].input}
    codes = {name: helper.np_dtype_to_tensor_dtype(array.dtype) for name, array in feed.items() if name in read}
    # A fed tensor must not be made as well: rename what the node would write.
    try:
        return open_session(
            _without_overwrites(subgraph(view, numbers, codes, requested), set(codes)), optimized=False
        ), codes
    except Exception as error:  # ONNX Runtime's errors share no base class but Exception
        raise RuntimeError(str(error)) from error


def _row(session: Any, codes: Mapping[str, int], requested: Sequence[str], feed: Values) -> dict[str, Array]:
    try:
        return dict(zip(requested, session.run(list(requested), {name: feed[name] for name in codes}), strict=True))
    except Exception as error:  # ONNX Runtime's errors share no base class but Exception
        raise RuntimeError(str(error)) from error


def _without_overwrites(model: onnx.ModelProto, fed: set[str]) -> onnx.ModelProto:
    for node in model.graph.node:
        node.output[:] = [f"{name}::made" if name in fed else name for name in node.output]
    return model


def _runnable(view: GraphView, fed: set[str], numbers: Iterable[int]) -> list[int]:
    """Those nodes whose inputs are constants, fed, or made by other runnable nodes."""
    known = fed | set(view.constants) | {""}
    kept = []
    for number in numbers:
        node = view.nodes[number]
        if all(name in known for name in node.input) and not all(name in fed for name in node.output if name):
            kept.append(number)
            known.update(node.output)
    return kept


def _needed(view: GraphView, fed: set[str], numbers: Sequence[int], wanted: set[str]) -> list[int]:
    needed = set(wanted)
    kept = []
    for number in reversed(numbers):
        node = view.nodes[number]
        if needed.intersection(set(node.output) - fed):
            kept.append(number)
            needed.update(name for name in node.input if name not in fed)
    return kept[::-1]


def _first_failing(view: GraphView, feeds: Sequence[Values], numbers: Sequence[int]) -> int:
    """The node at which the run breaks, by bisection over prefixes."""
    low, high = 0, len(numbers)  # the prefix of `low` runs, that of `high` does not
    while high - low > 1:
        middle = (low + high) // 2
        prefix = numbers[:middle]
        requested = [name for name in view.nodes[prefix[-1]].output if name]
        try:
            _run(view, feeds[:1], prefix, requested)
            low = middle
        except RuntimeError:
            high = middle
    return numbers[high - 1]

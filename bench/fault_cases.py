"""What one case of the fault bench comes to, and which of its faults have an effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.view import GraphView
from tests.inject import Injected
from tests.onnx_models import run


@dataclass(frozen=True)
class Case:
    """One case's outcome; `lost` is what was injected and what was found, where something was missed, wrongly named or not repaired."""

    injected: int
    without_effect: int
    found: int
    reported: int
    wrong: int
    repaired: bool
    left: int
    seconds: float
    ranked_first: bool | None
    kinds: tuple[str, ...]
    missed: tuple[str, ...]
    lost: str = ""


def lost(
    seed: int, injected: Sequence[Injected], missed: Sequence[Injected], wrong: Sequence[str], repaired: bool
) -> str:
    """A line on a case of which something is lost; "" where nothing is."""
    parts = [f"missed {', '.join(one.what for one in missed)}"] if missed else []
    parts += [f"named {', '.join(wrong)}"] if wrong else []
    parts += [] if repaired else ["not repaired"]
    return f"{seed} ({', '.join(one.what for one in injected)}): {'; '.join(parts)}" if parts else ""


def effective(view: GraphView, injected: list[Injected], feeds: dict, right: GraphView) -> list[Injected]:
    """The faults that change an output; inserted nodes only can be without effect, alone or in pairs.

    An Abs behind a Relu changes nothing (nor where the Relu is taken out as well, which is the other fault), and two Transposes may
    undo each other.

    Args:
        view: with all faults.
        injected: what they are.
        feeds: inputs.
        right: the graph without faults, tidied.
    """
    inserted = {
        number: name for number, fault in enumerate(injected) for name in fault.targets if name.endswith("::injected")
    }
    (expected,) = run(view.model, feeds)[:1]
    (plain,) = run(right.model, feeds)[:1]
    idle = {number for number, name in inserted.items() if _same(run(_with_alone(view, right, name), feeds)[0], plain)}
    for size in (1, 2):
        for group in combinations(sorted(set(inserted) - idle), size):
            (got,) = run(_without(view, [inserted[number] for number in group]), feeds)[:1]
            if _same(got, expected):
                idle.update(group)
    return [fault for number, fault in enumerate(injected) if number not in idle]


def _same(one: np.ndarray, two: np.ndarray) -> bool:
    return one.shape == two.shape and np.allclose(one, two, rtol=1e-5, atol=1e-6 * float(np.abs(two).max()))


def _with_alone(view: GraphView, right: GraphView, name: str) -> onnx.ModelProto:
    """The right graph with one inserted node of the other."""
    model = onnx.ModelProto.FromString(right.model.SerializeToString())
    made = next(node for node in view.nodes if node.name == name)
    reader = next(node for node in model.graph.node if node.name == name.removesuffix("::injected"))
    added = helper.make_node(made.op_type, [reader.input[0]], [name], name)
    added.attribute.extend(made.attribute)
    reader.input[0] = name
    model.graph.node.insert(list(model.graph.node).index(reader), added)
    return model


def _without(view: GraphView, names: list[str]) -> onnx.ModelProto:
    """The graph less some inserted nodes."""
    model = onnx.ModelProto.FromString(view.model.SerializeToString())
    for name in names:
        gone = next(node for node in model.graph.node if node.name == name)
        for node in model.graph.node:
            node.input[:] = [gone.input[0] if read == gone.output[0] else read for read in node.input]
        model.graph.node.remove(gone)
    return model

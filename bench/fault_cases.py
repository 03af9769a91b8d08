"""What one case of the fault bench comes to, and which of its faults have an effect."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import onnx

from safeconvert.graph.view import GraphView
from tests.inject import Injected
from tests.onnx_models import run


@dataclass(frozen=True)
class Case:
    """One case's outcome."""

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


def effective(view: GraphView, injected: list[Injected], feeds: dict) -> list[Injected]:
    """The faults whose absence changes an output; inserted nodes only can be without effect, alone or in pairs.

    An Abs behind a Relu changes nothing, and two Transposes may undo each other.
    """
    inserted = {
        number: name for number, fault in enumerate(injected) for name in fault.targets if name.endswith("::injected")
    }
    (expected,) = run(view.model, feeds)[:1]
    idle: set[int] = set()
    for size in (1, 2):
        for group in combinations(sorted(set(inserted) - idle), size):
            (got,) = run(_without(view, [inserted[number] for number in group]), feeds)[:1]
            scale = float(np.abs(expected).max())
            if got.shape == expected.shape and np.allclose(got, expected, rtol=1e-5, atol=1e-6 * scale):
                idle.update(group)
    return [fault for number, fault in enumerate(injected) if number not in idle]


def _without(view: GraphView, names: list[str]) -> onnx.ModelProto:
    """The graph less some inserted nodes."""
    model = onnx.ModelProto.FromString(view.model.SerializeToString())
    for name in names:
        gone = next(node for node in model.graph.node if node.name == name)
        for node in model.graph.node:
            node.input[:] = [gone.input[0] if read == gone.output[0] else read for read in node.input]
        model.graph.node.remove(gone)
    return model

"""The targets of the fault bench, spoiled by one to five injected faults each: none may be proven, unless its faults change nothing.

    python bench/proof_faults.py [CASES]

Of each small net CASES (100) seeded targets as `faults.py` makes them, under other names, channels last or with BatchNorm folded, and the same without a fault; of each real net
that `pairs.py` left an ONNX file of a fifth as many.
"""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np
import onnx
from common import ROOT, WORK, table

sys.path.insert(0, str(ROOT))

from in_order import in_order

from safeconvert.graph.view import GraphView, tidy
from safeconvert.prove.prover import prove
from tests.inject import INJECTORS, Injected, channels_last, folded, inject, renamed
from tests.onnx_models import NETS, run

HEAD = ("net", "targets", "right ones proven", "spoiled: not proven", "changed nothing", "wrong and proven", "which")
LARGE = {
    "mobilenetv2": ("mobilenetv2-torch2onnx.onnx", 227), "squeezenet11": ("squeezenet11-torch2onnx.onnx", 227),
    "resnet20": ("resnet20_cifar10-torch2onnx.onnx", 32),
}  # fmt: skip
"""Of the folder of `pairs.py`, with the size of their images."""


def rows(count: int) -> list[tuple[object, ...]]:
    """A row for each net."""
    found = [_row(name, make(2), shape, count) for name, (make, shape) in NETS.items()]
    for name, (file, size) in LARGE.items():
        path = WORK / "pairs" / file
        if path.is_file():
            found.append(_row(name, onnx.load(path), (3, size, size), max(1, count // 5)))
    return found


def _row(name: str, source: onnx.ModelProto, shape: tuple[int, ...], count: int) -> tuple[object, ...]:
    outcomes: Counter[str] = Counter()
    wrong = []
    for seed in range(count):
        random = np.random.default_rng([seed, *shape])
        kinds = [list(INJECTORS)[random.integers(len(INJECTORS))] for _ in range(1 + seed % 5)]
        feeds = {tidy(source).inputs[0]: random.normal(size=(10, *shape)).astype(np.float32)}
        view, injected = inject(source, kinds, seed)
        order = (0, 2, 3, 1) if len(shape) == 3 and seed % 2 else None
        fold = len(shape) == 3 and seed % 3 == 0
        outcomes["right"] += _proven(source, _dressed(tidy(source), (), order, fold), order)
        outcome = "not proven"
        if _proven(source, _dressed(view, injected, order, fold), order):
            outcome = "harmless" if _same(source, view, feeds) else "proven"
        outcomes[outcome] += 1
        if outcome == "proven":
            wrong.append(f"seed {seed}: {'; '.join(fault.what for fault in injected)}")
        print(name, seed, outcome, file=sys.stderr, flush=True)
    return (
        name, count, outcomes["right"], outcomes["not proven"], outcomes["harmless"], outcomes["proven"], "; ".join(wrong),
    )  # fmt: skip


def _dressed(
    view: GraphView, injected: tuple[Injected, ...] | list[Injected], order: tuple[int, ...] | None, fold: bool
) -> onnx.ModelProto:
    """A target as another converter would write it: names, layout and BatchNorm."""
    if fold and not any("BatchNorm" in fault.what for fault in injected):
        view = folded(view)
    return renamed(channels_last(view) if order else view)[0].model


def _proven(source: onnx.ModelProto, target: onnx.ModelProto, order: tuple[int, ...] | None) -> bool:
    tidied = tidy(source).model
    try:
        return prove(tidied, target, in_order(tidied, target, order)).proven
    except (ValueError, KeyError):
        return False


def _same(source: onnx.ModelProto, view: GraphView, feeds: dict[str, np.ndarray]) -> bool:
    """Whether the faults change nothing on inputs of three sizes of numbers."""
    for scale in (0.1, 1.0, 10.0):
        scaled = {name: (scale * array).astype(np.float32) for name, array in feeds.items()}
        ours, theirs = run(tidy(source).model, scaled)[0], run(view.model, scaled)[0]
        if ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=1e-5, atol=1e-6):
            return False
    return True


if __name__ == "__main__":
    print(table(HEAD, rows(int(sys.argv[1]) if len(sys.argv) > 1 else 100)))

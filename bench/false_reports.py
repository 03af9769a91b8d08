"""Right conversions must report no faults: `python bench/false_reports.py`, after `bench/pairs.py`.

The ONNX forms of the five models of `pairs.py`, made through different converters (other names, layouts, folded BatchNorm,
other operators), are aligned with each other both ways, and every region is explained, although the outputs agree.
"""

from __future__ import annotations

import sys
import time
from itertools import permutations

import numpy as np
import onnx
from common import ROOT, WORK, table, write

sys.path.insert(0, str(ROOT))

from safeconvert.compare.relation import Relation, identity, possible
from safeconvert.graph.view import GraphView, tidy
from safeconvert.localize.alignment import align
from safeconvert.localize.faults import find_faults
from safeconvert.localize.matching import Pair
from safeconvert.repair.engine.kinds import KINDS
from tests.onnx_models import run

MODELS = ("resnet8_cifar10", "resnet20_cifar10", "mobilenetv1_025", "squeezenet11", "mobilenetv2")
FORMATS = ("torch", "keras", "tf", "tflite")


def main() -> None:
    """Align, count, print and keep the table."""
    rows = []
    for model in MODELS:
        graphs = {}
        for name in FORMATS:
            path = WORK / "pairs" / f"{model}-{name}2onnx.onnx"
            if path.is_file():
                graphs[name] = tidy(onnx.load(path))
        for one, two in permutations(graphs, 2):
            row = _row(model, one, two, graphs[one], graphs[two])
            if row is not None:
                print(*row, flush=True)
                rows.append(row)
    total = [sum(int(row[column]) for row in rows) for column in (5, 6)]
    rows.append(("all", f"{len(rows)} pairs", "", "", "", str(total[0]), str(total[1]), ""))
    headers = ("model", "pair", "nodes", "tensors matched", "re-expressed nodes", "LH and CG faults", "all faults", "s")
    write("false_reports", "Faults reported of right conversions (bar: 0 LH and CG)",
          "python bench/false_reports.py", table(headers, rows))  # fmt: skip


def _row(model: str, one: str, two: str, source: GraphView, target: GraphView) -> tuple[str, ...] | None:
    """None where the two are not the same model (MobileNetV2 has two sets of trained weights)."""
    shape, other = _shape(source), _shape(target)
    random = np.random.default_rng(0)
    feeds = [{source.inputs[0]: random.normal(size=shape).astype(np.float32)} for _ in range(3)]
    fitting = possible(shape, other, (identity(4), Relation((0, 2, 3, 1)), Relation((0, 3, 1, 2))))
    relation = next(fitting, None)
    if relation is None:
        return None
    outputs = []
    for view, order in ((source, None), (target, relation.order)):
        arrays = [next(iter(feed.values())) for feed in feeds]
        arrays = arrays if order is None else [np.ascontiguousarray(array.transpose(order)) for array in arrays]
        outputs.append([run(view.model, {view.inputs[0]: array})[0] for array in arrays])
    if any(not np.allclose(a, b, rtol=1e-3, atol=1e-3 * np.abs(a).max()) for a, b in zip(*outputs, strict=True)):
        return None
    inputs = {target.inputs[0]: Pair(target.inputs[0], source.inputs[0], relation)}
    began = time.perf_counter()
    found = align(source, target, feeds, inputs, dict(zip(target.outputs, source.outputs, strict=True)), 1e-4)
    faults = find_faults(found, {}, 1e-4, KINDS)
    seconds = time.perf_counter() - began
    made = {name for node in target.nodes for name in node.output}
    matched = len(made & set(found.pairs))
    structural = sum(fault.kind in ("LH", "CG") for fault in faults)
    return (
        model, f"{one} → {two}", f"{len(source.nodes)}, {len(target.nodes)}", f"{matched} of {len(made)}",
        str(len(made) - matched), str(structural), str(len(faults)), f"{seconds:.1f}",
    )  # fmt: skip


def _shape(view: GraphView) -> list[int]:
    value = next(value for value in view.model.graph.input if value.name == view.inputs[0])
    return [1, *(size.dim_value for size in value.type.tensor_type.shape.dim[1:])]


if __name__ == "__main__":
    main()

"""Seeded faults in nets whose answer is known: are their nodes named, and are they undone? `python bench/faults.py`.

One to five faults of every kind at once in five small nets and three real ones, the target under other names, other layout
or with folded BatchNorm. A fault that alone changes no output on any input is listed apart and counts neither way. Beside
it the published method on the same cases: the share of cases in which the layer ranked first is a faulty one.

Rows of PyTorch and Keras: one to three faults in an exporter's graph, named by the native model's layers, and undone with the
nodes of another exporter. Rows of int8: one or two faults in a target whose weights and activations have eight bits, repaired
where it is as near to the source as the same target without the faults. `--small N`, `--large N` and `--native N` set how many cases a
net has, 0 leaves such nets out; the table says how many there were.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from common import ROOT, WORK, table, write
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

sys.path.insert(0, str(ROOT))

from export_faults import export_case
from fault_cases import Case, effective, lost
from int8_faults import int8_case
from native_nets import keras_nets, torch_nets

from safeconvert.compare.relation import Relation, identity
from safeconvert.graph.activations import with_onnxruntime
from safeconvert.graph.view import GraphView, tidy
from safeconvert.localize.alignment import align
from safeconvert.localize.layer_analysis import Groups, analyse, core_pairs
from safeconvert.localize.matching import Pair
from tests.engine import SETTINGS, solve
from tests.inject import INJECTORS, Injected, channels_last, folded, inject, renamed
from tests.onnx_models import NETS, run

SMALL_CASES = 100
LARGE_CASES = 20
NATIVE_CASES = 40
INT8 = ("cnn", "mlp")
LARGE = {
    "mobilenetv2": ("mobilenetv2-torch2onnx.onnx", 227), "squeezenet11": ("squeezenet11-torch2onnx.onnx", 227),
    "resnet20": ("resnet20_cifar10-torch2onnx.onnx", 32),
}  # fmt: skip


def main() -> None:
    """Run all cases, print and keep the table."""
    options = _options()
    rows = []
    total: list[Case] = []
    losses = []
    for name, cases in _cases(options):
        if options.net not in name:
            continue
        done = [case for case in cases if case is not None]
        print(name, *_row(name, done)[1:7], Counter(kind for case in done for kind in case.missed), flush=True)
        rows.append(_row(name, done))
        total += done
        losses += [f"- {name}, seed {case.lost}" for case in done if case.lost]
    rows.append(_row("all", total))
    headers = ("net", "cases", "faults", "without effect", "precision of nodes", "recall of nodes", "fully repaired",
               "median s", "published ranking: first layer faulty")  # fmt: skip
    kinds = Counter(kind for case in total for kind in case.kinds)
    missed = Counter(kind for case in total for kind in case.missed)
    body = table(headers, rows) + "\n\nBy kind of fault (with effect):\n\n"
    body += table(
        ("kind", "faults", "named", "recall"),
        [(kind, str(n), str(n - missed[kind]), f"{1 - missed[kind] / n:.3f}") for kind, n in sorted(kinds.items())],
    )
    body += "\n\nMissed, wrongly named or not repaired:\n\n" + ("\n".join(losses) or "none")
    if options.net:
        print(body)
        return
    command = f"python bench/faults.py --small {options.small} --large {options.large} --native {options.native}"
    write("faults", "Fault injection (bars: precision, recall and repair 0.98)", command, body)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", type=int, default=SMALL_CASES)
    parser.add_argument("--large", type=int, default=LARGE_CASES)
    parser.add_argument("--native", type=int, default=NATIVE_CASES)
    parser.add_argument("--net", default="", help="only nets whose name holds this, and no table is written")
    return parser.parse_args()


def _cases(options: argparse.Namespace) -> Iterator[tuple[str, Iterable[Case | None]]]:
    """By net its cases, each made when it is asked for."""
    for name, (source, shape, large) in _nets().items():
        count = options.large if large else options.small
        if count:
            yield name, (_case(source, shape, seed) for seed in range(count))
    if not options.native:
        return
    for name, (make, shape) in NETS.items():
        if name in INT8:
            yield f"{name}, int8", (int8_case(make(2), shape, seed) for seed in range(options.native))
    for name, build in (torch_nets() | keras_nets()).items():
        net = build()
        yield f"{name}, exporter", (export_case(net, seed) for seed in range(options.native))


def _nets() -> dict[str, tuple[onnx.ModelProto, tuple[int, ...], bool]]:
    nets = {name: (make(2), shape, False) for name, (make, shape) in NETS.items()}
    for name, (file, size) in LARGE.items():
        path = WORK / "pairs" / file
        if path.is_file():
            nets[name] = (onnx.load(path), (3, size, size), True)
    return nets


def _case(source: onnx.ModelProto, shape: tuple[int, ...], seed: int) -> Case | None:
    random = np.random.default_rng([seed, *shape])
    kinds = [list(INJECTORS)[random.integers(len(INJECTORS))] for _ in range(1 + seed % 5)]
    feeds = {tidy(source).inputs[0]: random.normal(size=(10, *shape)).astype(np.float32)}
    view, injected = inject(source, kinds, seed)
    changing = effective(view, injected, feeds, tidy(source))
    if not changing:
        return None
    image = len(shape) == 3
    said = folded(view) if image and seed % 3 == 0 and not any("BatchNorm" in f.what for f in injected) else view
    order = (0, 2, 3, 1) if image and seed % 2 else None
    said, names = renamed(channels_last(said) if order else said)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        result = solve(source, said, feeds, Path(folder), order)
        seconds = time.perf_counter() - began
    hits, wrong = set(), []
    for fault in result.faults:
        named = [
            number for number, one in enumerate(injected)
            if fault.target in {names.get(target, target) for target in one.targets} or fault.source in one.sources
        ]  # fmt: skip
        hits.update(named)
        wrong += [] if named else [f"{fault.kind} {fault.target}"]
    left = [fault for number, fault in enumerate(injected) if fault in changing and number not in hits]
    missed = tuple(fault.kind for fault in left)
    first = _ranked_first(source, said, feeds, order, injected, names)
    return Case(
        len(changing), len(injected) - len(changing), len(changing) - len(missed), len(result.faults), len(wrong),
        result.after.equal, len(missed), seconds, first, tuple(fault.kind for fault in changing), missed,
        lost(seed, injected, left, wrong, result.after.equal),
    )  # fmt: skip


def _ranked_first(
    source: onnx.ModelProto, target: GraphView, feeds: dict, order: tuple[int, ...] | None,
    injected: list[Injected], names: dict[str, str],
) -> bool | None:  # fmt: skip
    """The published method: does the layer that it ranks first carry a fault? None where it cannot rank."""
    left = tidy(source)
    name, array = next(iter(feeds.items()))
    moved = array if order is None else np.ascontiguousarray(array.transpose(order))
    try:
        ours, theirs = run(left.model, {name: array})[0], run(target.model, {target.inputs[0]: moved})[0]
    except ort_errors.Fail:
        return None
    if ours.shape != theirs.shape:
        return None
    same = ours.reshape(len(array), -1).argmax(1) == theirs.reshape(len(array), -1).argmax(1)
    pairs = [({name: array[n : n + 1]}, {target.inputs[0]: moved[n : n + 1]}) for n in range(len(array))]
    similar = [pair for pair, equal in zip(pairs, same, strict=True) if equal]
    dissimilar = [pair for pair, equal in zip(pairs, same, strict=True) if not equal]
    relation = Relation(order) if order else identity(array.ndim)
    inputs = {target.inputs[0]: Pair(target.inputs[0], name, relation)}
    outputs = dict(zip(target.outputs, left.outputs, strict=True))
    found = align(left, target, [pair[0] for pair in pairs[:2]], inputs, outputs, 1e-4)
    layers = core_pairs(left, target, found.pairs, SETTINGS.core_layers)
    try:
        scores = analyse(left, target, layers, Groups(similar, dissimilar, 0), with_onnxruntime)
    except (KeyError, ValueError):
        return None
    if not scores:
        return None
    faulty = {names.get(name, name) for fault in injected for name in fault.targets}
    return scores[0].target in faulty


def _row(name: str, cases: list[Case]) -> tuple[str, ...]:
    injected = sum(case.injected for case in cases)
    reported = sum(case.reported for case in cases)
    ranked = [case.ranked_first for case in cases if case.ranked_first is not None]
    return (
        name,
        str(len(cases)),
        str(injected),
        str(sum(case.without_effect for case in cases)),
        f"{1 - sum(case.wrong for case in cases) / max(reported, 1):.3f}",
        f"{sum(case.found for case in cases) / max(injected, 1):.3f}",
        f"{sum(case.repaired for case in cases) / max(len(cases), 1):.3f}",
        f"{np.median([case.seconds for case in cases]):.2f}",
        f"{sum(ranked)} of {len(ranked)} that could be ranked",
    )


if __name__ == "__main__":
    main()

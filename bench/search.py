"""Weak faults that plain sampling of equal time misses: does the search find them? `python bench/search.py [SEEDS]`.

Each fault is made so small that on 1024 made-up inputs no distance is more than 0.6 of what is allowed (or, where it is one or none,
so that none of them reaches it). Plain sampling runs so many made-up inputs that it takes longer than the search of 80 rounds. A round
does the same whatever their number, so that what the default of 8 rounds finds is known as well. Where nothing is found, gradients say
whether there is an input at all on which the models differ; a fault without one changes nothing beyond the tolerance, and stands apart.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from common import ROOT, WORK, table, write
from search_kinds import KINDS, Net
from witness import witness

sys.path.insert(0, str(ROOT))

from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.groups import ranges_of
from safeconvert.compare.scale import fitted, output_scales
from safeconvert.compare.settings import VerifySettings
from safeconvert.config.options import DataOptions, VerifyOptions
from safeconvert.config.settings import load_settings
from safeconvert.core.progress import Phases
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import ExitCode
from safeconvert.graph.integer_ranges import integer_ranges
from safeconvert.inputs.generate import generate
from safeconvert.pipeline.results import PairVerification
from safeconvert.pipeline.verify_pair import verify_pair
from safeconvert.workers.run import Run, open_run

SEEDS = 8
PLAIN = 2200
ROUNDS, DEFAULT = 80, 8
CALIBRATED = 1024
SHARE = 0.6
_COLUMNS = 8


def main(seeds: int) -> None:
    """Run all, and write the table."""
    folder = WORK / "search"
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[float]] = defaultdict(lambda: [0.0] * _COLUMNS)
    lost = []
    with open_run(load_settings(), Phases()) as run:
        for kind, (make, begin) in KINDS.items():
            for seed in range(seeds):
                found, line = _case(run, folder, make(seed), begin)
                print(kind, seed, found, line, flush=True)
                for key in (kind, "all"):
                    rows[key] = [before + one for before, one in zip(rows[key], found, strict=True)]
                lost += [f"- {kind}|{seed}: {line}"] if line else []
        _write(rows, lost, seeds)  # before the run's files are removed, which takes a while


def _case(run: Run, folder: Path, net: Net, begin: float) -> tuple[tuple[float, ...], str]:
    """The case's columns, and a line where a fault that plain sampling misses is not found.

    Columns: 1; missed by plain sampling; of these without an input that shows it; found by the run's own inputs; by the search; by its
    first rounds, which are the default; seconds of plain sampling, and of the search.
    """
    size = _calibrated(net, begin) if begin else 1.0
    source, wrong = net(0.0), net(size)
    onnx.save(source, folder / "source.onnx")
    onnx.save(wrong, folder / "wrong.onnx")
    inputs = run.settings.inputs
    plain = replace(run, settings=replace(run.settings, inputs=replace(inputs, search=0.0)))
    longer = replace(run, settings=replace(run.settings, inputs=replace(inputs, search_rounds=ROUNDS)))
    first, took = _verified(plain, folder, DataOptions(limit=PLAIN))
    second, spent = _verified(longer, folder, DataOptions())
    missed = first.exit_code is ExitCode.VERIFIED
    searched = second.verification.searched
    found = searched is not None and searched.figures is not None
    own = second.exit_code is ExitCode.NOT_EQUIVALENT and not found
    line, none = "", False
    if missed and not found and not own:
        nearest = searched.nearest if searched is not None else 0.0
        share = witness(source, wrong, _feeds(source, 64), VerifySettings().tolerance.rtol)
        none = share <= 1
        line = f"the search came to {nearest:.2g} of what is allowed, gradients to {share:.2g}"
    early = found and searched is not None and searched.rounds <= DEFAULT
    return (1, missed, none, missed and own, missed and found, missed and early, took, spent), line


def _verified(run: Run, folder: Path, data: DataOptions) -> tuple[PairVerification, float]:
    began = time.monotonic()
    options = VerifyOptions(folder / "source.onnx", folder / "wrong.onnx", data=data, layouts={"": "keep"})
    return verify_pair(run, options), time.monotonic() - began


def _calibrated(net: Net, begin: float) -> float:
    """The size of a fault that is at most `SHARE` of what is allowed on made-up inputs."""
    source = net(0.0)
    feeds = _feeds(source, CALIBRATED)
    ours = _run(source, feeds)
    settings = fitted(VerifySettings(), output_scales([ours]))
    figures = Accumulator(settings, "", ranges_of([(ours, CALIBRATED)]))
    size = begin
    for _ in range(3):
        nearest = float(figures.closeness(ours, _run(net(size), feeds), CALIBRATED).max())
        size *= SHARE / nearest
    return size


def _feeds(source: onnx.ModelProto, count: int) -> dict[str, np.ndarray]:
    """Made-up inputs of another seed than the product's own."""
    taken = {v.name: one for v, one in zip(source.graph.input, integer_ranges(source), strict=True) if one is not None}
    specs = [
        TensorSpec(v.name, (None, *(d.dim_value for d in v.type.tensor_type.shape.dim[1:])), "int64" if v.name in taken else "float32")
        for v in source.graph.input
    ]  # fmt: skip
    return generate(Signature(tuple(specs), ()), count, 1, {}, taken).chunk(0, count)


def _run(model: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


def _write(rows: dict[str, list[float]], lost: list[str], seeds: int) -> None:
    lines = []
    for kind in (*KINDS, "all"):
        count, missed, none, own, found, early, plain, spent = rows[kind]
        shares = [f"{(own + some) / (missed - none):.0%}" if missed > none else "-" for some in (early, found)]
        counts = [int(one) for one in (count, missed, none, own, early, found)]
        lines.append((kind, *counts, *shares, f"{plain / count:.1f}", f"{spent / count:.1f}"))
    head = ("fault", "cases", "missed by plain sampling", "shown by no input", "found by the inputs of a run", f"by {DEFAULT} rounds",
            f"by {ROUNDS} rounds", f"found in {DEFAULT}", f"found in {ROUNDS}", "s, plain", f"s, {ROUNDS} rounds")  # fmt: skip
    body = (
        f"Faults of at most {SHARE} of what is allowed on {CALIBRATED} made-up inputs. Plain sampling: {PLAIN} made-up inputs and no search;\n"
        f"a search of {ROUNDS} rounds tries at most {64 + 64 * ROUNDS}. Shares are of the faults that plain sampling misses and some input shows.\n\n"
        f"{table(head, lines)}\n\nMissed and not found:\n\n" + ("\n".join(lost) or "none")
    )
    write("search", "A search for disagreement, against plain sampling", f"python bench/search.py {seeds}", body)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)

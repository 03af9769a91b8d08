"""Weak faults that plain sampling of equal time misses: does the search find them? `python bench/search.py [SEEDS]`.

Each fault is made so small that on 1024 made-up inputs no distance is more than 0.6 of what is allowed (or, where it is one or none,
so that none of them reaches it). Plain sampling runs as many made-up inputs as take longer than the search; the search runs as it
does by default. A fault that is nowhere large enough to be seen counts against the search as well.
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
PLAIN = 1536
CALIBRATED = 1024
SHARE = 0.6


def main(seeds: int) -> None:
    """Run all, and write the table."""
    folder = WORK / "search"
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[float]] = defaultdict(lambda: [0.0] * 6)
    lost = []
    with open_run(load_settings(), Phases()) as run:
        for kind, (make, begin) in KINDS.items():
            for seed in range(seeds):
                found = _case(run, folder, make(seed), begin)
                print(kind, seed, found, flush=True)
                for key in (kind, "all"):
                    rows[key] = [before + one for before, one in zip(rows[key], found, strict=True)]
                if found[1] and not found[2] and not found[3]:
                    lost.append(f"- {kind}|{seed}")
    _write(rows, lost, seeds)


def _case(run: Run, folder: Path, net: Net, begin: float) -> tuple[float, ...]:
    """1, whether plain sampling misses it, whether the run's other inputs find it, whether the search does; seconds of plain and default."""
    size = _calibrated(net, begin) if begin else 1.0
    onnx.save(net(0.0), folder / "source.onnx")
    onnx.save(net(size), folder / "wrong.onnx")
    plain = replace(run, settings=replace(run.settings, inputs=replace(run.settings.inputs, search=0.0)))
    first, took = _verified(plain, folder, DataOptions(limit=PLAIN))
    missed = first.exit_code is ExitCode.VERIFIED
    second, longer = _verified(run, folder, DataOptions())
    searched = second.verification.searched
    by_search = searched is not None and searched.figures is not None
    seen = second.exit_code is ExitCode.NOT_EQUIVALENT and not by_search
    return 1, missed, missed and seen, missed and by_search, took, longer


def _verified(run: Run, folder: Path, data: DataOptions) -> tuple[PairVerification, float]:
    began = time.monotonic()
    options = VerifyOptions(folder / "source.onnx", folder / "wrong.onnx", data=data, layouts={"": "keep"})
    return verify_pair(run, options), time.monotonic() - began


def _calibrated(net: Net, begin: float) -> float:
    """The size of a fault that is at most `SHARE` of what is allowed on made-up inputs."""
    source = net(0.0)
    taken = {v.name: one for v, one in zip(source.graph.input, integer_ranges(source), strict=True) if one is not None}
    specs = [
        TensorSpec(v.name, (None, *(d.dim_value for d in v.type.tensor_type.shape.dim[1:])), "int64" if v.name in taken else "float32")
        for v in source.graph.input
    ]  # fmt: skip
    feeds = generate(Signature(tuple(specs), ()), CALIBRATED, 1, {}, taken).chunk(0, CALIBRATED)
    ours = _run(source, feeds)
    settings = fitted(VerifySettings(), output_scales([ours]))
    figures = Accumulator(settings, "", ranges_of([(ours, CALIBRATED)]))
    size = begin
    for _ in range(3):
        nearest = float(figures.closeness(ours, _run(net(size), feeds), CALIBRATED).max())
        size *= SHARE / nearest
    return size


def _run(model: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


def _write(rows: dict[str, list[float]], lost: list[str], seeds: int) -> None:
    lines = []
    for kind in (*KINDS, "all"):
        count, missed, seen, found, plain, default = rows[kind]
        share = f"{(seen + found) / missed:.0%}" if missed else "-"
        lines.append(
            (
                kind,
                int(count),
                int(missed),
                int(seen),
                int(found),
                share,
                f"{plain / count:.1f}",
                f"{default / count:.1f}",
            )
        )
    head = ("fault", "cases", "missed by plain sampling", "of these found by the inputs of a run", "found by the search", "found",
            "s, plain", "s, default")  # fmt: skip
    body = (
        f"Faults of at most {SHARE} of what is allowed on {CALIBRATED} made-up inputs. Plain sampling: {PLAIN} made-up inputs and no search;\n"
        "default: 64, those that reach more, and the search. A fault that is nowhere large enough to be seen counts as not found.\n\n"
        f"{table(head, lines)}\n\nNot found:\n\n" + ("\n".join(lost) or "none")
    )
    write("search", "A search for disagreement, against plain sampling", f"python bench/search.py {seeds}", body)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)

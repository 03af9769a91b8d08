"""Fuzz for as long as one likes: `python -m tests.fuzz [--seconds N] [--seed N] [--kind NAME …]`.

Kinds take turns, a batch of mutants each. What must not be is printed as it is found, and the mutant's files are kept under
`build/fuzz/`; the exit code is 1 then. A fault is found again with `--kind NAME --seed N --mutant N`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from safeconvert.workers.templates import Templates, sharing

from . import seeds
from .campaign import Judge, Tally, fuzz, loaded
from .documents import DocumentJudge
from .kinds import DOCUMENTS, MODELS, Kind
from .models import judging

_BATCH = 50
_KEPT = Path(__file__).parents[2] / "build" / "fuzz"


def main() -> int:
    """Fuzz until the time is over; the exit code."""
    asked = _arguments()
    kinds = [kind for kind in (*MODELS, *DOCUMENTS) if not asked.kind or kind.name in asked.kind]
    tallies = {kind.name: Tally(kind.name) for kind in kinds}
    end = time.monotonic() + asked.seconds
    with ExitStack() as stack:
        templates = stack.enter_context(Templates())
        stack.enter_context(sharing(templates))
        folder = asked.made or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if not (folder / "selu.onnx").exists():
            seeds.make(folder)
            seeds.certified(folder)
        for start in count(0, _BATCH):
            for kind in kinds:
                numbers = [asked.mutant] if asked.mutant is not None else list(range(start, start + _BATCH))
                _batch(kind, folder, numbers, asked.seed, tallies[kind.name])
                if time.monotonic() > end:
                    break
            if time.monotonic() > end or asked.mutant is not None:
                break
    for tally in tallies.values():
        print(tally)
    return int(any(tally.faults for tally in tallies.values()))


def _batch(kind: Kind, folder: Path, numbers: Sequence[int], seed: int, tally: Tally) -> None:
    known = len(tally.faults)
    with _judge(kind, folder) as judge:
        fuzz(kind, folder, judge, numbers, seed, tally)
    for fault in tally.faults[known:]:
        place = _KEPT / f"{kind.name}-{seed}-{fault.number}"
        seeds.write(kind.mutant(loaded(kind, folder), fault.number, seed)[1], place)
        (place / "fault.txt").write_text(f"{fault}\n", encoding="utf-8")
        print(f"{fault}\n  kept in {place}", flush=True)


@contextmanager
def _judge(kind: Kind, folder: Path) -> Iterator[Judge]:
    with tempfile.TemporaryDirectory() as place:
        if kind in DOCUMENTS:
            yield DocumentJudge(Path(place), loaded(kind, folder))
            return
        with judging(Path(place)) as judge:
            yield judge.judge


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").splitlines()[0])
    names = [kind.name for kind in (*MODELS, *DOCUMENTS)]
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("FUZZ_SECONDS", "600")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("FUZZ_SEED", "0")))
    parser.add_argument("--kind", action="append", choices=names)
    parser.add_argument(
        "--made", type=Path, help="folder of seeds that were made before; they are made there where it is empty"
    )
    parser.add_argument("--mutant", type=int, help="this one mutant only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

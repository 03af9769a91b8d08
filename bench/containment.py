"""What containment costs: each of the 20 pairs of formats, and some cells of the zoo bench, with `--containment require` and `off` in turn.

The pairs' model is the digits CNN of `safeconvert demo`; a model of each format is made by the first conversions, which are rows themselves.
Processor seconds (user and system, of safeconvert and all its workers) are less disturbed by what else a machine does than the clock is.
`python bench/containment.py [--rounds N] [--table]`; rows are kept under build/bench/containment/, and it resumes where it stopped.
"""

from __future__ import annotations

import ctypes
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import zoo
from common import ROOT, WORK, table, write

FOLDER = WORK / "containment"
FORMATS = ("torch", "keras", "tf", "tflite", "onnx")
SUFFIX = {"torch": ".pt2", "keras": ".keras", "tf": "_saved_model", "tflite": ".tflite", "onnx": ".onnx"}
ZOO = (
    ("squeezenet1_1", "torch2keras"), ("mobilenet_v3_small", "torch2tflite"), ("MobileNetV3Small", "keras2torch"),
    ("MobileNetV3Small", "keras2tflite"), ("bert", "torch2tf"),
)  # fmt: skip
MODES = ("require", "off")
BAR = 3.0  # per cent
_ADOPT = 36  # PR_SET_CHILD_SUBREAPER


@dataclass(frozen=True)
class Case:
    """One conversion to be timed.

    Attributes:
        name: as the table names it.
        pair: formats.
        source: model file.
        target: where the target goes; the source of other cases where the source is torch's.
        options: what the models are run on.
    """

    name: str
    pair: str
    source: Path
    target: Path
    options: tuple[object, ...]

    def kept(self, mode: str, number: int) -> Path:
        """Where a row lies."""
        return FOLDER / f"row-{self.name}-{mode}-{number}.json"


def main() -> None:
    """Run what is missing, then print and keep the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    rounds = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 1
    cases = [*_pairs(), *_zoo()]
    if "--table" not in sys.argv:
        if not (FOLDER / "demo" / "digits.pt").exists():
            _run("demo", "--folder", FOLDER / "demo")
        for number in range(rounds):
            for position, case in enumerate(cases):
                # which mode goes first alternates: a file that was just read is read faster
                for mode in MODES if (number + position) % 2 else MODES[::-1]:
                    _row(case, mode, number)
    write("containment", "Cost of containment", "python bench/containment.py", _summary(cases))


def _pairs() -> list[Case]:
    cases = []
    for source, target in ((source, target) for source in FORMATS for target in FORMATS if source != target):
        name = f"{source}2{target}"
        model = FOLDER / "demo" / "digits.pt" if source == "torch" else FOLDER / f"digits{SUFFIX[source]}"
        # the first conversions from torch make the sources of the others
        place = FOLDER / (f"digits{SUFFIX[target]}" if source == "torch" else f"{name}{SUFFIX[target]}")
        inputs = ("--inputs", FOLDER / "demo" / "digits.npy") if source in ("torch", "onnx") else ()
        shape = () if source in ("torch", "onnx") else ("--input-shape", "0,8,8,1")
        cases.append(Case(name, name, model, place, (*inputs, "--samples", 100, *shape)))
    return cases


def _zoo() -> list[Case]:
    """Some cells of the zoo bench, from each of its three families."""
    cells = {(cell.model, cell.pair): cell for cell in zoo.grid()}
    return [
        Case(f"{model} {pair}", pair, cell.source, FOLDER / f"{model}-{pair}{SUFFIX[cell.target]}", cell.inputs)
        for (model, pair), cell in ((wanted, cells[wanted]) for wanted in ZOO)
    ]


def _row(case: Case, mode: str, number: int) -> None:
    if case.kept(mode, number).exists():
        return
    if not case.source.exists() and case.source.parent == zoo.FOLDER:
        made = [sys.executable, str(ROOT / "bench" / "zoo_models.py"), case.name.split()[0], str(case.source)]
        zoo.FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run(made, check=True)
    code, seconds, processor, outcome = _run(
        case.pair, case.source, "-o", case.target, *case.options, "--containment", mode
    )
    held = outcome.get("predicate", {}).get("containment", {}).get("level", "")
    row = {"mode": mode, "code": code, "seconds": seconds, "processor": processor, "level": held,
           "reason": outcome.get("reason", "")}  # fmt: skip
    case.kept(mode, number).write_text(json.dumps(row))
    print(case.name, row, flush=True)


def _run(*arguments: object) -> tuple[int, float, float, dict]:
    """Exit code, seconds of the clock and of the processor, and what --json printed.

    Workers that live until the end are killed with the run, so that nobody in it counts their seconds: this process adopts them.
    """
    ctypes.CDLL(None).prctl(_ADOPT, 1, 0, 0, 0)
    began = time.perf_counter()
    command = [sys.executable, "-m", "safeconvert", *map(str, arguments), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    seconds, processor = time.perf_counter() - began, used.ru_utime + used.ru_stime
    process.returncode = os.waitstatus_to_exitcode(status)
    with suppress(ChildProcessError):
        while True:
            _, _, used = os.wait4(-1, 0)
            processor += used.ru_utime + used.ru_stime
    try:
        outcome = json.loads(printed)
    except ValueError:
        outcome = {}
    return process.returncode, seconds, processor, outcome


def _summary(cases: list[Case]) -> str:
    lines, ratios, whole, clock = [], [], dict.fromkeys(MODES, 0.0), dict.fromkeys(MODES, 0.0)
    for case in cases:
        own = {
            mode: [json.loads(path.read_text()) for path in sorted(FOLDER.glob(f"row-{case.name}-{mode}-*.json"))]
            for mode in MODES
        }
        if not all(own.values()):
            continue
        medians = {mode: statistics.median(row["processor"] for row in own[mode]) for mode in MODES}
        clocks = {mode: statistics.median(row["seconds"] for row in own[mode]) for mode in MODES}
        whole = {mode: whole[mode] + medians[mode] for mode in MODES}
        clock = {mode: clock[mode] + clocks[mode] for mode in MODES}
        ratios.append(100 * (medians["require"] / medians["off"] - 1))
        verdicts = ", ".join(
            f"{mode} {'verified' if all(row['code'] == 0 for row in own[mode]) else 'not'}" for mode in MODES
        )
        levels = ", ".join(sorted({row["level"] for row in own["require"]}))
        lines.append(
            (case.name, verdicts, levels, f"{medians['off']:.1f}", f"{medians['require']:.1f}", f"{ratios[-1]:+.1f} %",
             f"{clocks['off']:.1f}", f"{clocks['require']:.1f}")
        )  # fmt: skip
    both = (
        f"{len(lines)} of {len(cases)} conversions measured in both modes (the 20 pairs on the digits CNN, and a sample of the zoo "
        f"bench), {sum('not' not in line[1] for line in lines)} verified in both."
    )
    more = 100 * (whole["require"] / whole["off"] - 1) if ratios else 0.0
    cost = (
        f"Processor seconds: median {statistics.median(ratios):+.1f} %, all together {more:+.1f} % (bar: at most {BAR:g} %). "
        f"Clock: {clock['off']:.0f} s and {clock['require']:.0f} s, {100 * (clock['require'] / clock['off'] - 1):+.1f} %."
        if ratios
        else ""
    )
    load = (
        f"Load of the machine when the table was written: {os.getloadavg()[1]:.1f}. Where that is more than its cores, the clock says "
        "little, and processor seconds of single conversions scatter by a tenth and more."
    )
    header = (
        "conversion",
        "verdict",
        "level under require",
        "processor s off",
        "processor s require",
        "more",
        "clock s off",
        "clock s require",
    )
    return f"{both} {cost}\n\n{load}\n\n{table(header, lines)}"


if __name__ == "__main__":
    main()

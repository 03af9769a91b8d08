"""What containment costs: each of the 20 pairs of formats with `--containment require` and with `off`, in turn.

The model is the digits CNN of `safeconvert demo`; a model of each format is made by the first conversions, which are rows themselves.
Processor seconds (user and system, of safeconvert and all its workers) are less disturbed by what else a machine does than the clock is.
`python bench/containment.py [--rounds N] [--table]`; rows are kept under build/bench/containment/, and it resumes where it stopped.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time

from common import WORK, table, write

FOLDER = WORK / "containment"
FORMATS = ("torch", "keras", "tf", "tflite", "onnx")
SUFFIX = {"torch": ".pt2", "keras": ".keras", "tf": "_saved_model", "tflite": ".tflite", "onnx": ".onnx"}
MODES = ("require", "off")
BAR = 3.0  # per cent


def main() -> None:
    """Run what is missing, then print and keep the table."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    rounds = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 1
    pairs = [(source, target) for source in FORMATS for target in FORMATS if source != target]
    if "--table" not in sys.argv:
        if not (FOLDER / "demo" / "digits.pt").exists():
            _run("demo", "--folder", FOLDER / "demo")
        for number in range(rounds):
            for position, (source, target) in enumerate(pairs):
                # which mode goes first alternates: a file that was just read is read faster
                for mode in MODES if (number + position) % 2 else MODES[::-1]:
                    _row(source, target, mode, number)
    rows = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("row-*.json"))]
    write("containment", "Cost of containment", "python bench/containment.py", _summary(rows, pairs))


def _row(source: str, target: str, mode: str, number: int) -> None:
    kept = FOLDER / f"row-{source}2{target}-{mode}-{number}.json"
    if kept.exists():
        return
    model = FOLDER / "demo" / "digits.pt" if source == "torch" else FOLDER / f"digits{SUFFIX[source]}"
    # the first conversions from torch make the sources of the others
    place = FOLDER / (f"digits{SUFFIX[target]}" if source == "torch" else f"{source}2{target}{SUFFIX[target]}")
    inputs = FOLDER / "demo" / "digits.npy"
    extra = [] if source in ("torch", "onnx") else ["--input-shape", "0,8,8,1"]
    options = ["--inputs", inputs, "--samples", 100] if source in ("torch", "onnx") else ["--samples", 100]
    code, seconds, processor, outcome = _run(
        f"{source}2{target}", model, "-o", place, *options, *extra, "--containment", mode
    )
    held = outcome.get("predicate", {}).get("containment", {}).get("level", "")
    row = {"pair": f"{source}2{target}", "mode": mode, "code": code, "seconds": seconds, "processor": processor, "level": held,
           "reason": outcome.get("reason", "")}  # fmt: skip
    kept.write_text(json.dumps(row))
    print(row, flush=True)


def _run(*arguments: object) -> tuple[int, float, float, dict]:
    """Exit code, seconds of the clock and of the processor, and what --json printed."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "safeconvert", *map(str, arguments), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    try:
        outcome = json.loads(printed)
    except ValueError:
        outcome = {}
    return process.returncode, time.perf_counter() - began, used.ru_utime + used.ru_stime, outcome


def _summary(rows: list[dict], pairs: list[tuple[str, str]]) -> str:
    lines, ratios, whole = [], [], dict.fromkeys(MODES, 0.0)
    for source, target in pairs:
        own = {
            mode: [row for row in rows if row["pair"] == f"{source}2{target}" and row["mode"] == mode] for mode in MODES
        }
        if not all(own.values()):
            continue
        means = {mode: statistics.median(row["processor"] for row in own[mode]) for mode in MODES}
        clocks = {mode: statistics.median(row["seconds"] for row in own[mode]) for mode in MODES}
        whole = {mode: whole[mode] + means[mode] for mode in MODES}
        ratios.append(100 * (means["require"] / means["off"] - 1))
        verdicts = ", ".join(
            f"{mode} {'verified' if all(row['code'] == 0 for row in own[mode]) else 'not'}" for mode in MODES
        )
        levels = ", ".join(sorted({row["level"] for row in own["require"]}))
        lines.append(
            (f"{source}2{target}", verdicts, levels, f"{means['off']:.1f}", f"{means['require']:.1f}", f"{ratios[-1]:+.1f} %",
             f"{clocks['off']:.0f}", f"{clocks['require']:.0f}")
        )  # fmt: skip
    both = f"{len(lines)} of {len(pairs)} pairs measured in both modes, {sum('not' not in line[1] for line in lines)} verified in both."
    cost = (
        f"Processor seconds: median {statistics.median(ratios):+.1f} %, all together {100 * (whole['require'] / whole['off'] - 1):+.1f} % (bar: at most {BAR:g} %)."
        if ratios
        else ""
    )
    load = (
        f"Load of the machine when the table was written: {os.getloadavg()[1]:.1f}. Where that is more than its cores, the clock says "
        "little, and processor seconds of single pairs scatter by a tenth and more; such figures are not those of an idle machine."
    )
    header = (
        "pair",
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

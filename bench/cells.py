"""One conversion of a grid: safeconvert on it, the raw converters on the same, and what became of both, kept as JSON.

A grid is long, so that each cell is kept when it is done and a later run begins behind it. Targets are deleted.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common import MEASURED, ROOT, safeconvert
from forked import HUNG, Forked

SUFFIX = {"torch": ".pt2", "keras": ".keras", "tf": "_saved_model", "tflite": ".tflite", "onnx": ".onnx"}
RAW_SUFFIX = SUFFIX | {"torch": ".pt"}
RAW_SECONDS, JUDGED_SECONDS = 600, 150
PROOF_PHASES = ("proving", "reading the source file", "reading the target file")
"""What a proof takes beside the verification: both files are read into graphs, and these are proven; phases of a certificate's `seconds`."""
VERDICT = {0: "verified", 1: "not equivalent", 2: "unusable", 3: "no route", 4: "no verdict"}


@dataclass(frozen=True)
class Cell:
    """One conversion.

    Attributes:
        model: as the table names it.
        pair: formats.
        source: model file.
        inputs: options that say what the models are run on.
    """

    model: str
    pair: str
    source: Path
    inputs: tuple[str, ...]

    @property
    def target(self) -> str:
        """Format of the target."""
        return self.pair.split("2")[1]

    def kept(self, folder: Path) -> Path:
        """Where its result lies."""
        return folder / f"{self.model}-{self.pair}.json"

    def raw(self, folder: Path) -> Path:
        """Where the raw converters' result lies."""
        return folder / f"{self.model}-{self.pair}.raw.json"


Command = Callable[..., tuple[int, dict]]


def run(
    cell: Cell, folder: Path, raw_way: Callable[[Cell, Path], dict] | None = None, command: Command = safeconvert
) -> None:
    """Run what is missing of a cell and keep what became of it; the raw converters' part, where there is a way to run them, lies in a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    if not cell.kept(folder).exists():
        _safe(cell, folder, command)
    if raw_way and not cell.raw(folder).exists():
        found = {"date": time.strftime("%Y-%m-%d"), **raw_way(cell, folder)}
        cell.raw(folder).write_text(json.dumps(found, indent=1))
    row = load(cell, folder)
    print(cell.model, cell.pair, verdict(row), row["seconds"], "s; raw:", row["raw"]["outcome"], flush=True)


def _safe(cell: Cell, folder: Path, command: Command) -> None:
    out = folder / f"{cell.model}-{cell.pair}{SUFFIX[cell.target]}"
    began = time.perf_counter()
    code, outcome = command(cell.pair, cell.source, "-o", out, *cell.inputs)
    predicate = outcome.get("predicate", {})
    row = {
        "exit": code, "seconds": round(time.perf_counter() - began, 1), "reason": outcome.get("reason", ""),
        "verification": predicate.get("verification", {}), "faults": predicate.get("faults", []),
        "attempts": outcome.get("attempts", []), "obligations": predicate.get("obligations", []),
        "obstacles": outcome.get("obstacles", []), "contract": predicate.get("contract", {}),
        "proof": predicate.get("proof", {}), "proving": proof_seconds(predicate.get("seconds", {})), "commit": MEASURED,
    }  # fmt: skip
    delete(*folder.glob(f"{out.name}*"))
    cell.kept(folder).write_text(json.dumps(row, indent=1))


def proof_seconds(seconds: Mapping[str, float]) -> float:
    """Wall seconds that a proof took, of those of all phases: all of `PROOF_PHASES` together though some run beside other work."""
    return round(sum(seconds.get(phase, 0.0) for phase in PROOF_PHASES), 1)


def load(cell: Cell, folder: Path) -> dict:
    """What was kept of a cell; paths shortened."""
    row = json.loads(cell.kept(folder).read_text().replace(f"{folder}/", ""))
    raw = json.loads(cell.raw(folder).read_text().replace(f"{folder}/", "")) if cell.raw(folder).exists() else {}
    return row | {"raw": {"outcome": "not run"} | raw}


def delete(*paths: Path) -> None:
    """Remove files or folders, where they are there."""
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
        if path.is_file():
            path.unlink()


def raw_judged(cell: Cell, folder: Path, judge: Forked) -> dict:
    """What the raw converters do with the same, judged on the same inputs in the same process (`bench/raw_judge.py`)."""
    out = folder / f"raw{RAW_SUFFIX[cell.target]}"
    delete(out)
    inputs = cell.inputs[cell.inputs.index("--inputs") + 1]
    done = judge.call([cell.pair, str(cell.source), str(out), inputs], JUDGED_SECONDS)
    delete(out)
    if done.code == HUNG:
        return {"outcome": "crashed", "reason": f"hung past {JUDGED_SECONDS} s"}
    if done.code != 0:
        return {"outcome": "crashed", "reason": _complaint(done.err) or f"exit {done.code}"}
    return json.loads(done.out.splitlines()[-1])


def raw_verified(cell: Cell, folder: Path) -> dict:
    """What the raw converters do with the same, judged by `safeconvert verify`: `crashed`, `does not run`, `differs` (with figures) or `equal`."""
    out = folder / f"raw{RAW_SUFFIX[cell.target]}"
    delete(out)
    command = [sys.executable, str(ROOT / "bench" / "raw.py"), cell.pair, str(cell.source), str(out)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=RAW_SECONDS)
    except subprocess.TimeoutExpired:
        return {"outcome": "crashed", "reason": f"hung past {RAW_SECONDS} s"}
    if done.returncode != 0 or not out.exists():
        return {"outcome": "crashed", "reason": _complaint(done.stderr) or f"exit {done.returncode}"}
    trusted = ["--trust-pickle"] if out.suffix == ".keras" else []  # Lambda layers, which whoever converted it trusts
    certificate = folder / "raw.certificate.json"
    code, outcome = safeconvert("verify", cell.source, out, *cell.inputs, *trusted, "--certificate", certificate)
    delete(out, certificate)
    native = outcome.get("predicate", {}).get("verification", {}).get("source native vs target native", {})
    figures = {name: native[name] for name in ("samples", "disagreements", "max_abs") if name in native}
    kinds = {0: "equal", 1: "differs"}
    return {"outcome": kinds.get(code, "does not run"), "reason": outcome.get("reason", "")[:200], **figures}


def _complaint(stderr: str) -> str:
    """The line that says what went wrong: the last that names an exception, else the last of all."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    named = [line for line in lines if line.split(":")[0].endswith(("Error", "Exception", "Unsupported"))]
    return (named or lines or [""])[-1][:200]


def verdict(row: dict) -> str:
    """How safeconvert ended."""
    return VERDICT.get(row["exit"], f"exit {row['exit']}")


def route(row: dict) -> str:
    """The route that was verified, or why none was."""
    used = next((attempt["route"] for attempt in row["attempts"] if attempt["outcome"] == "verified"), "")
    if not used or row["exit"] != 0:
        return row["reason"][:300]
    failed = sum(attempt["outcome"] != "verified" for attempt in row["attempts"])
    return used + (f" (after {failed} failed)" if failed else "")


def figures(row: dict) -> str:
    """Labels or values that differ, and the largest distance, on the held-out inputs."""
    native = row["verification"].get("source native vs target native", {})
    if not native:
        return ""
    rounded = f" ({native['rounding']['samples']} beyond tolerance by rounding alone)" if "rounding" in native else ""
    return f"{native['disagreements']} / {native['samples']}, {native['max_abs']:.1g}{rounded}"


def proof(row: dict) -> str:
    """The level of the certificate's proof; "same graph" where both sides have one and the same ONNX graph; why it is not more."""
    found = row.get("proof", {})
    if not found:
        return ""
    level = "same graph" if _same_graph(row) and found["level"] == "sampled" else found["level"]
    missing = "".join(f"{one['operator']} {one['target']}: {one['missing']}" for one in found["unproven"][:1])
    reason = missing or found["reason"]
    level += " (these sizes)" if found.get("alone") else ""
    return f"{level}: {reason[:120]}" if reason and found["level"] != "native" else level


def proven(rows: Sequence[dict]) -> str:
    """The shares of verified conversions that are proven, as one sentence."""
    known = [row for row in rows if row["exit"] == 0 and row.get("proof")]
    levels = [row["proof"]["level"] for row in known]
    between = sum(level != "sampled" or _same_graph(row) for level, row in zip(levels, known, strict=True))
    whole = levels.count("native")
    alone = sum(bool(row["proof"].get("alone")) for row in known)
    said = f" {alone} of them for the sizes of the run alone." if alone else ""
    return (
        f"Proven of {len(known)} verified: {between} between ONNX forms or of one and the same ONNX graph "
        f"({between / max(len(known), 1):.0%}), {whole} end to end ({whole / max(len(known), 1):.0%}).{said}{_proof_times(known)}"
    )


def _proof_times(rows: Sequence[dict]) -> str:
    """How much of a conversion's seconds its proof took, as one sentence."""
    shares = [row["proving"] / row["seconds"] for row in rows if row.get("proving") and row["seconds"]]
    if not shares:
        return ""
    return f" Reading both files and proving took {statistics.median(shares):.0%} of a conversion's seconds in the median of {len(shares)}, {max(shares):.0%} at most."


def commits(rows: Sequence[dict]) -> str:
    """On which commits rows were measured, where there is more than one."""
    counts = Counter(row["commit"] for row in rows if row.get("commit"))
    return f" Rows by commit: {', '.join(f'{name} {n}' for name, n in counts.items())}." if len(counts) > 1 else ""


def raw_dates(rows: Sequence[dict]) -> str:
    """When the raw converters ran, where that is known: they change with their versions only, and are not run with every table."""
    dates = sorted({row["raw"]["date"] for row in rows if "date" in row["raw"]})
    return f" Raw converters ran on {', '.join(dates)}." if dates else ""


def _same_graph(row: dict) -> bool:
    return "one and the same ONNX graph" in row["proof"]["reason"]


def raw(row: dict) -> str:
    """What the raw converters did, in a few words."""
    found = row["raw"]
    if found["outcome"] == "differs" and "samples" in found:
        return f"{found['disagreements'] / found['samples']:.0%} of labels differ, max-abs {found['max_abs']:.1g}"
    return found["outcome"] + (
        f": {found['reason'][:120]}" if found.get("reason") and found["outcome"] != "equal" else ""
    )


def missing(cells: Sequence[Cell], folder: Path, arguments: Sequence[str]) -> list[Cell]:
    """The cells still to be run: those that `--only TEXT` names, and at most `--count N` of them; none with `--table`."""
    chosen = [
        cell
        for cell in cells
        if not (cell.kept(folder).exists() and (cell.raw(folder).exists() or "--without-raw" in arguments))
    ]
    if "--only" in arguments:
        named = arguments[arguments.index("--only") + 1]
        chosen = [cell for cell in chosen if named in f"{cell.model}-{cell.pair}"]
    if "--count" in arguments:
        chosen = chosen[: int(arguments[arguments.index("--count") + 1])]
    return [] if "--table" in arguments else chosen


def table_name(name: str, cells: Sequence[Cell], rows: Sequence[object]) -> str:
    """What a grid's table is called: a part's stands beside that of all and does not replace it."""
    return name if len(rows) == len(cells) else f"{name}-part"


def unfinished(cells: Sequence[Cell], rows: Sequence[object]) -> str:
    """How many cells the table lacks; "" where it is whole."""
    return f" ({len(cells) - len(rows)} of {len(cells)} not run yet)" if len(rows) < len(cells) else ""

"""Spoiled targets, with and without given inputs that hardly show the fault: is each refused, and is the right one accepted?

    python bench/evidence.py [SEEDS [SHARD SHARDS]]

Every kind of `evidence_kinds.py` for each seed. Results are kept below build/bench/evidence/ after each case, so that a run that was
broken off goes on where it stood; a result belongs to the files of the package that made it, by their digest.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import onnx
from common import ROOT, WORK, table, write
from evidence_kinds import KINDS

sys.path.insert(0, str(ROOT))

from safeconvert.config.options import DataOptions, VerifyOptions
from safeconvert.config.settings import load_settings
from safeconvert.core.progress import Phases
from safeconvert.errors import ExitCode, SafeconvertError
from safeconvert.pipeline.verify_pair import verify_pair
from safeconvert.verification.coverage import UNKNOWN, Coverage
from safeconvert.workers.run import Run, open_run

SEEDS = 10


def main(seeds: int, shard: int, shards: int) -> None:
    """Run what is not known yet of a shard, and write the table of all that is known."""
    folder = WORK / "evidence" / str(shard)
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "results.json"
    known: dict[str, dict[str, object]] = json.loads(kept.read_text()) if kept.exists() else {}
    code = _digest()
    cases = [f"{kind}|{seed}|{how}" for seed in range(seeds) for kind in KINDS for how in ("generated", "given")]
    with open_run(load_settings(), Phases()) as run:
        for case in cases[shard::shards]:
            if known.get(case, {}).get("code") == code:
                continue
            known[case] = {"code": code, **_case(run, folder, *case.split("|"))}
            written = kept.with_suffix(".part")
            written.write_text(json.dumps(known))
            written.replace(kept)
            print(case, known[case], flush=True)
    found: dict[str, dict[str, object]] = {}
    for path in sorted((WORK / "evidence").glob("*/results.json")):
        found |= {case: result for case, result in json.loads(path.read_text()).items() if result["code"] == code}
    _write({case: found[case] for case in cases if case in found}, seeds)


def _case(run: Run, folder: Path, kind: str, seed: str, how: str) -> dict[str, object]:
    spoiled = KINDS[kind](int(seed))
    for name in ("source", "wrong", "right"):
        onnx.save(getattr(spoiled, name), folder / f"{name}.onnx")
    data = DataOptions()
    if how == "given":
        np.savez(folder / "inputs.npz", **spoiled.given)
        data = DataOptions(folder / "inputs.npz")
    began = time.monotonic()
    wrong, _ = _verdict(run, folder, "wrong", data)
    right, covered = _verdict(run, folder, "right", data)
    figures = {"exercised": len(covered.exercised), "items": len(covered.items), "missing": list(covered.missing),
               "impossible": len(covered.impossible)}  # fmt: skip
    return {"wrong": wrong, "right": right, **figures, "seconds": round(time.monotonic() - began, 1)}


def _verdict(run: Run, folder: Path, name: str, data: DataOptions) -> tuple[str, Coverage]:
    """What came of a target in words, and what the inputs exercised of the source."""
    options = VerifyOptions(folder / "source.onnx", folder / f"{name}.onnx", data=data, layouts={"": "keep"})
    try:
        pair = verify_pair(run, options)
    except SafeconvertError as error:
        return f"{error.exit_code.name.lower()}: {error.message[:120]}", UNKNOWN
    accepted = "accepted" if pair.exit_code is ExitCode.VERIFIED else "refused"
    return f"{accepted}: {pair.verification.reason[:120]}", pair.source.coverage.result()


def _digest() -> str:
    """Of the package's files, so that results of other code are not taken for this one's."""
    total = hashlib.sha256()
    for path in sorted(
        [
            *(ROOT / "safeconvert").rglob("*.py"),
            *(ROOT / "bench").glob("evidence*.py"),
            ROOT / "configs" / "default.toml",
        ]
    ):
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


def _write(results: dict[str, dict[str, object]], seeds: int) -> None:
    rows: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for case, result in results.items():
        kind, _, how = case.split("|")
        wrong, right = str(result["wrong"]), str(result["right"])
        for key in ((kind, how), ("all", how)):
            rows[key][0] += 1
            rows[key][1] += wrong.startswith("accepted")
            rows[key][2] += not right.startswith("accepted")
            rows[key][3] += int(str(result.get("exercised", 0)))
            rows[key][4] += int(str(result.get("items", 0)))
    lines = []
    for kind in (*KINDS, "all"):
        line: list[object] = [kind]
        for how in ("generated", "given"):
            count, accepted, refused, done, items = rows[(kind, how)]
            line += [count, accepted, refused, f"{done / items:.0%}" if items else "-"]
        lines.append(line)
    missed = [
        f"- {case}: {result['wrong']}"
        for case, result in results.items()
        if str(result["wrong"]).startswith("accepted")
    ]
    refused = [
        f"- {case}: {result['right']}"
        for case, result in results.items()
        if not str(result["right"]).startswith("accepted")
    ]
    searched = [case for case, result in results.items() if "searched inputs" in str(result["wrong"])]
    left = Counter(item for result in results.values() for item in result.get("missing", ()))  # type: ignore[attr-defined]
    head = [
        "kind",
        "cases",
        "accepted wrong",
        "refused right",
        "exercised",
        "cases, inputs given",
        "accepted wrong",
        "refused right",
        "exercised",
    ]
    body = (
        "Each case is a source, a target with one fault and a target that is the same function written otherwise, all ONNX, so that no\n"
        "converter takes part. Without `--inputs`, and with forty given ones that hardly show the fault, or not at all.\n\n"
        f"{table(head, lines)}\n\nWrong targets accepted:\n\n" + ("\n".join(missed) or "none")
        + "\n\nRight targets refused:\n\n" + ("\n".join(refused) or "none")
        + "\n\nWrong targets that only the search refused:\n\n" + ("\n".join(f"- {case}" for case in searched) or "none")
        + "\n\nNot exercised (what the bounds of a graph exclude counts as nothing to exercise), and in how many runs:\n\n"
        + ("\n".join(f"- {item}: {count}" for item, count in left.most_common()) or "nothing")
    )  # fmt: skip
    write("evidence", "Wrong targets, and what the evidence says of them", f"python bench/evidence.py {seeds}", body)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(given[0] if given else SEEDS, *(given[1:3] if len(given) == 3 else (0, 1)))

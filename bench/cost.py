"""What a conversion costs beside the raw converter and one native pass of each side: `python bench/cost.py [ROUNDS] [PART…]`.

Parts: `pairs` (MobileNetV2, 200 images, four pairs; their names behind it for some of them), `fallback` (small nets for which earlier
routes fail, against their successful route alone; one round). Processor seconds of all processes beside wall seconds, each run in fresh
processes, ours and raw alternating, medians of the rounds; the raw converter without a pass once.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import DATA, ROOT, WORK, table, write

FOLDER = WORK / "cost"
IMAGES = DATA / "images" / "imagenet_val"
PAIRS = ("torch2onnx", "keras2tflite", "torch2keras", "tf2onnx")
SUFFIX = {"onnx": ".onnx", "tflite": ".tflite", "keras": ".keras"}
COUNT = 200


@dataclass(frozen=True)
class Cost:
    """Seconds of one run, its exit code, and what it printed."""

    cpu: float
    wall: float
    code: int = 0
    out: str = ""

    @property
    def answer(self) -> dict[str, Any]:
        """The JSON object that safeconvert printed; {} for none."""
        try:
            return dict(json.loads(self.out))
        except ValueError:
            return {}

    @property
    def reason(self) -> str:
        """Why it did not verify."""
        return str(self.answer.get("reason", ""))[:120]


def main() -> None:
    """Measure the parts that are asked for, and write the table of all that was ever measured."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    FOLDER.mkdir(parents=True, exist_ok=True)
    parts: dict[str, Callable[[int], str]] = {"pairs": _pairs, "fallback": lambda _: _fallback()}
    for part in [one for one in sys.argv[2:] if one not in PAIRS] or parts:
        measured = f"`python bench/cost.py {rounds} {part}`. {parts[part](rounds)}"
        (FOLDER / f"{part}.md").write_text(measured, encoding="utf-8")
    kept = [(FOLDER / f"{part}.md").read_text(encoding="utf-8") for part in parts if (FOLDER / f"{part}.md").exists()]
    write("cost", "Cost of a conversion", "python bench/cost.py", "\n\n".join(kept))


def _measured(command: Sequence[object]) -> Cost:
    full = [sys.executable, str(ROOT / "bench" / "measured.py"), "--time", *map(str, command)]
    done = subprocess.run(full, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return Cost(found["cpu"], found["wall"], found["code"], found["out"])


def _done(command: Sequence[object]) -> Cost:
    """As `_measured`; ends the bench where the command fails."""
    found = _measured(command)
    if found.code:
        raise SystemExit(f"{' '.join(map(str, command))}: exit {found.code}\n{found.out[-2000:]}")
    return found


def _safeconvert(*arguments: object) -> list[object]:
    return [sys.executable, "-m", "safeconvert.cli", *arguments, "--json"]


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(statistics.median(one.cpu for one in costs), statistics.median(one.wall for one in costs))


def _pairs(rounds: int) -> str:
    """Pairs of MobileNetV2 on 200 images; rows of pairs that are not measured now are kept."""
    kept = FOLDER / "pairs.json"
    rows: dict[str, list[str]] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    for pair in [name for name in sys.argv if name in PAIRS] or PAIRS:
        rows[pair] = _pair(pair, rounds)
        kept.write_text(json.dumps(rows), encoding="utf-8")
        print(*rows[pair], flush=True)
    header = ("pair", "raw converter, CPU s", "with one pass of each side, CPU s", "ours, CPU s", "CPU ratio (bar 1.25)",
              "raw and passes, wall s", "ours, wall s", "wall ratio (bar 1.1)", "rounds of ours, CPU s")  # fmt: skip
    note = (
        "The raw Keras file of torch2keras does not load again (a Lambda layer): the pass is of ours. On the raw side the libraries' threads "
        "spin between operators, as these set them; safeconvert's sleep."
    )
    return f"MobileNetV2 on {COUNT} images, medians. {note} {_load()}\n\n" + table(
        header, [rows[pair] for pair in PAIRS if pair in rows]
    )


def _load() -> str:
    """How busy the machine was, for whoever reads the ratios."""
    return (
        f"Load of the machine over the last 15 minutes when it ended: {os.getloadavg()[2]:.1f} on {os.cpu_count()} cores. Where that is more "
        "than its cores, neither the seconds nor the ratios are those of an idle one, which the bars are for."
    )


def _pair(pair: str, rounds: int) -> list[str]:
    source, preset = _source(pair)
    suffix = SUFFIX[pair.split("2")[1]]
    target = FOLDER / f"ours-{pair}{suffix}"
    inputs = ("--inputs", IMAGES, "--preprocessing", preset, "--samples", COUNT)
    passes = [sys.executable, ROOT / "bench" / "raw_passes.py", pair, source, FOLDER / f"raw-{pair}{suffix}", IMAGES]
    run = [target] if pair == "torch2keras" else []
    raw, ours = [], []
    for _ in range(rounds):
        found = _measured(_safeconvert(pair, source, "-o", target, *inputs))
        if found.code:
            return [pair, *["-"] * 7, f"exit code {found.code}: {found.reason}"]
        ours.append(found)
        raw.append(_done([*passes, COUNT, *run]))
    alone, theirs, own = _done([*passes, 0]), _median(raw), _median(ours)
    return [pair, f"{alone.cpu:.1f}", f"{theirs.cpu:.1f}", f"{own.cpu:.1f}", f"{own.cpu / theirs.cpu:.2f}", f"{theirs.wall:.1f}",
            f"{own.wall:.1f}", f"{own.wall / theirs.wall:.2f}", ", ".join(f"{one.cpu:.1f}" for one in ours)]  # fmt: skip


def _source(pair: str) -> tuple[Path, str]:
    """The model of a pair, and its preprocessing; a SavedModel is made of the Keras file by Keras."""
    if pair.startswith("torch"):
        return DATA / "models" / "mobilenetv2_imagenet.pt", "torchvision"
    keras = DATA / "models" / "mobilenetv2_imagenet.keras"
    if pair.startswith("keras"):
        return keras, "keras.mobilenet_v2"
    folder = FOLDER / "mobilenetv2_saved_model"
    if not folder.exists():
        subprocess.run(
            [sys.executable, ROOT / "bench" / "raw.py", "keras2tf", keras, folder], check=True, capture_output=True
        )
    return folder, "keras.mobilenet_v2"


def _fallback() -> str:
    """Nets whose first routes fail, against the successful route alone; one round of each."""
    from cost_nets import NETS

    rows = []
    for name, make in NETS.items():
        command = _safeconvert("convert", make(FOLDER), "--to", "tflite", "-o", FOLDER / f"{name}.tflite")
        whole = _measured(command)
        attempts = str(len(whole.answer["predicate"].get("attempts", [])) if "predicate" in whole.answer else 0)
        if whole.code:
            rows.append((name, f"exit code {whole.code}: {whole.reason}", "-", "-", "-", "-", "-", attempts))
            continue
        route = ",".join(step["adapter"] for step in whole.answer["predicate"]["route"])
        alone = _done([*command, "--route", route])
        rows.append((name, route, f"{alone.cpu:.1f}", f"{whole.cpu:.1f}", f"{whole.cpu / alone.cpu:.2f}", f"{alone.wall:.1f}",
                     f"{whole.wall:.1f}", attempts))  # fmt: skip
        print(*rows[-1], flush=True)
    header = ("net", "successful route", "that route alone, CPU s", "whole, CPU s", "ratio (bar 3)", "alone, wall s", "whole, wall s",
              "attempts")  # fmt: skip
    return "Conversions to TFLite that fall back, one round of each:\n\n" + table(header, rows)


if __name__ == "__main__":
    main()

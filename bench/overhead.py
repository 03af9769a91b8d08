"""What verification costs: the whole `keras2tflite` of MobileNetV2 on 200 images against the raw converter and one pass
of each native model: `python bench/overhead.py`. Both in fresh processes, alternating, in one run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from common import DATA, ROOT, WORK, safeconvert, table, write

ROUNDS = 3
SOURCE = DATA / "models" / "mobilenetv2_imagenet.keras"
IMAGES = DATA / "images" / "imagenet_val"


def main() -> None:
    """Time both, print the ratio of the medians."""
    WORK.mkdir(parents=True, exist_ok=True)
    raw, ours, phases = [], [], {}
    for _ in range(ROUNDS):
        raw.append(_raw())
        seconds, phases = _ours()
        ours.append(seconds)
    ratio = statistics.median(ours) / statistics.median(raw)
    rows = [
        ("raw TFLiteConverter + one native pass of each", f"{statistics.median(raw):.1f}", _all(raw)),
        ("safeconvert keras2tflite, whole", f"{statistics.median(ours):.1f}", _all(ours)),
        ("ratio (bar: 1.5)", f"{ratio:.2f}", ""),
    ]
    parts = [(name, f"{seconds:.1f}") for name, seconds in sorted(phases.items(), key=lambda item: -item[1])]
    body = table(("what", "median, s", "rounds, s"), rows)
    body += "\n\nPhases of the last run of safeconvert (some run side by side):\n\n" + table(("phase", "s"), parts)
    write("overhead", "Cost of verification", "python bench/overhead.py", body)


def _raw() -> float:
    began = time.perf_counter()
    arguments = ["keras2tflite", str(SOURCE), str(WORK / "raw.tflite"), str(IMAGES), "200"]
    subprocess.run([sys.executable, str(ROOT / "bench" / "raw_passes.py"), *arguments], capture_output=True, check=True)
    return time.perf_counter() - began


def _ours() -> tuple[float, dict[str, float]]:
    inputs = ("--inputs", IMAGES, "--preprocessing", "keras.mobilenet_v2", "--samples", 200)
    began = time.perf_counter()
    code, outcome = safeconvert("keras2tflite", SOURCE, "-o", WORK / "ours.tflite", *inputs)
    seconds = time.perf_counter() - began
    if code != 0:
        raise SystemExit(f"exit {code}: {outcome['reason']}")
    return seconds, outcome["predicate"]["seconds"]


def _all(seconds: list[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in seconds)


if __name__ == "__main__":
    main()

"""How fast the command line starts, and that nothing heavy is imported for `--help`: `python bench/startup.py`."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from common import table, write

HEAVY = ("torch", "tensorflow", "keras", "onnxruntime", "tvm", "onnx", "numpy", "scipy")
COMMAND = [sys.executable, "-m", "safeconvert.cli", "--help"]


def main() -> None:
    """Median of ten starts of `--help`, of bare Python beside it, and the heavy modules imported."""
    ours = [_seconds(COMMAND) for _ in range(10)]
    bare = [_seconds([sys.executable, "-c", "pass"]) for _ in range(10)]
    trace = subprocess.run(
        [sys.executable, "-X", "importtime", *COMMAND[1:]], capture_output=True, text=True, check=True
    )
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in trace.stderr.splitlines() if "|" in line}
    heavy = [name for name in HEAVY if name in imported]
    rows = [
        ("safeconvert --help, median of 10", f"{statistics.median(ours):.3f} s", "below 0.4 s"),
        ("python -c pass, median of 10", f"{statistics.median(bare):.3f} s", ""),
        ("heavy modules imported", ", ".join(heavy) or "none", "none"),
        ("modules imported", len(imported), ""),
    ]
    write("startup", "Start of the command line", "python bench/startup.py", table(("what", "measured", "bar"), rows))


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

"""How fast the command line starts, that nothing heavy is imported for `--help`, and what runs a .tflite file: `python bench/startup.py`."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time

from common import table, write

HEAVY = ("torch", "tensorflow", "keras", "onnxruntime", "tvm", "onnx", "numpy", "scipy")
RUNTIMES = {
    "LiteRT": "from ai_edge_litert.interpreter import Interpreter",
    "TensorFlow": "import tensorflow as tf; tf.lite.Interpreter",
}
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
    runtimes = {
        name: statistics.median(_processor_seconds([sys.executable, "-c", code]) for _ in range(5))
        for name, code in RUNTIMES.items()
    }
    rows = [
        ("safeconvert --help, median of 10", f"{statistics.median(ours):.3f} s", "below 0.4 s"),
        ("python -c pass, median of 10", f"{statistics.median(bare):.3f} s", ""),
        ("heavy modules imported", ", ".join(heavy) or "none", "none"),
        ("modules imported", len(imported), ""),
        *(
            (f"interpreter of .tflite files in {name} imported, median of 5", f"{taken:.2f} CPU s", "")
            for name, taken in runtimes.items()
        ),
    ]
    write("startup", "Start of the command line", "python bench/startup.py", table(("what", "measured", "bar"), rows))


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - began


def _processor_seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()

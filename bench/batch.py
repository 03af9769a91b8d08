"""Small conversions in one batch against as many calls: `python bench/batch.py [COUNT]`, 50 unless said otherwise.

Nets of one convolution on 32 by 32 images, with weights of their own: of each ten four from PyTorch to ONNX, three from Keras to TFLite, three from
ONNX to Keras. The calls run one after the other, as a loop in a shell would; the batch with as many slots as the machine has
cores. Each side in fresh processes, once; processor seconds of all processes beside wall seconds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common import ROOT, WORK, table, write
from small_nets import COMMANDS, SIZE

FOLDER = WORK / "batch"
NETS = FOLDER / "nets"
SHARES = {"torch2onnx": 4, "keras2tflite": 3, "onnx2keras": 3}
"""Of ten conversions, how many are of each kind."""


@dataclass(frozen=True)
class Cost:
    """Seconds of one run, or of many."""

    cpu: float = 0.0
    wall: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.cpu + other.cpu, self.wall + other.wall)


def main() -> None:
    """Measure, and write the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    jobs = [_job(command, number) for number, command in enumerate(_commands(count))]
    subprocess.run([sys.executable, ROOT / "bench" / "small_nets.py", NETS, str(count)], check=True)
    calls = {command: Cost() for command in SHARES}
    for job in jobs:
        calls[job["command"]] += _measured(_call(job))
    together = sum(calls.values(), Cost())
    slots = os.cpu_count() or 1
    batch = _batch(jobs, slots)
    rows = [
        (
            f"{sum(job['command'] == command for job in jobs)} calls of {command}",
            f"{cost.cpu:.0f}",
            f"{cost.wall:.0f}",
            "",
            "",
        )
        for command, cost in calls.items()
    ]
    rows.append((f"{count} calls", f"{together.cpu:.0f}", f"{together.wall:.0f}", "", ""))
    rows.append((f"a batch of {count}, slots: {slots}", f"{batch.cpu:.0f}", f"{batch.wall:.0f}",
                 f"{together.cpu / batch.cpu:.1f}", f"{together.wall / batch.wall:.1f}"))  # fmt: skip
    header = ("what", "CPU s", "wall s", "times less CPU", "times faster (bar 5)")
    write("batch", "A batch against calls", f"python bench/batch.py {count}", f"{__doc__}\n{table(header, rows)}")


def _commands(count: int) -> list[str]:
    """The kinds of the conversions, mixed."""
    ten = [command for command, share in SHARES.items() for _ in range(share)]
    return [ten[number % len(ten)] for number in range(count)]


def _job(command: str, number: int) -> dict[str, Any]:
    """An entry of the manifest; TorchScript declares no sizes."""
    source, target = COMMANDS[command]
    return {
        "command": command,
        "source": str(NETS / f"{number}{source}"),
        "output": str(NETS / "converted" / f"{number}{target}"),
        "flags": {"input-shape": [f"1,3,{SIZE},{SIZE}"]} if source == ".pt" else {},
    }


def _call(job: Mapping[str, Any]) -> list[str]:
    """The same as words of the command line."""
    flags = [word for name, values in job["flags"].items() for value in values for word in (f"--{name}", value)]
    return [job["command"], job["source"], "-o", job["output"], *flags]


def _measured(arguments: Sequence[object]) -> Cost:
    command = [sys.executable, "-m", "safeconvert.cli", *map(str, arguments), "--json"]
    full = [sys.executable, str(ROOT / "bench" / "measured.py"), "--time", *command]
    done = subprocess.run(full, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    if found["code"]:
        raise SystemExit(f"{' '.join(command)}: exit {found['code']}\n{done.stderr}\n{found['out'][-2000:]}")
    return Cost(found["cpu"], found["wall"])


def _batch(jobs: Sequence[Mapping[str, Any]], slots: int) -> Cost:
    """The same conversions, in one batch of its own."""
    shutil.rmtree(NETS / "converted")
    (NETS / "converted").mkdir()
    shutil.rmtree(FOLDER / "results", ignore_errors=True)
    manifest = FOLDER / "jobs.jsonl"
    manifest.write_text("\n".join(map(json.dumps, jobs)), encoding="utf-8")
    return _measured(["batch", manifest, "--results", FOLDER / "results", "--slots", slots])


if __name__ == "__main__":
    main()

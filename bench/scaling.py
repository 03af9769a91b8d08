"""How time and memory of `verify` grow with nodes, weights and inputs: `python bench/scaling.py [PART…]`.

ONNX files made in code, compared with a copy whose nodes are named otherwise; each run in a fresh process. The slope is of the logarithm
of the processor seconds beyond those of the smallest case, over the logarithm of the size, between the last two sizes: 1 is linear.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import psutil
from common import MEASURED, ROOT, WORK, table, write
from onnx import TensorProto, helper, numpy_helper

FOLDER = WORK / "scaling"
_ROOM = 16  # times a model's size that has to be free before it is converted
_ROOM_OF_PAIR = 36  # times a model's size that has to be free before it is verified against another of its size


def main() -> None:
    """Measure the parts that are asked for, and write all that were ever measured."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    parts = {"nodes": _nodes, "weights": _weights, "inputs": _inputs, "generated": _generated, "large": _large}
    for part in sys.argv[1:] or parts:
        found = f"{parts[part]()}\n\nMeasured at commit {MEASURED}."
        (FOLDER / f"{part}.md").write_text(found, encoding="utf-8")
    kept = [(FOLDER / f"{part}.md").read_text(encoding="utf-8") for part in parts if (FOLDER / f"{part}.md").exists()]
    write("scaling", "Time and memory over size", "python bench/scaling.py", "\n\n".join(kept))


def _model(path: Path, nodes: int, width: int, prefix: str) -> Path:
    """A chain of additions, ReLUs and products with matrices, `nodes` in all; another file, the same function, for each prefix."""
    random = np.random.default_rng(0)
    made, weights, last = [], [], "x"
    for number in range(nodes):
        out = "y" if number == nodes - 1 else f"{prefix}{number}"
        kind = ("MatMul", "Add", "Relu")[number % 3]
        taken = [last]
        if kind != "Relu":
            shape = (width, width) if kind == "MatMul" else (width,)
            weights.append(
                numpy_helper.from_array(
                    (random.normal(size=shape) / math.sqrt(width)).astype("f4"), f"{prefix}w{number}"
                )
            )
            taken.append(weights[-1].name)
        made.append(helper.make_node(kind, taken, [out]))
        last = out
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width]) for name in "xy"]
    graph = helper.make_graph(made, "g", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    large = sum(len(one.raw_data) for one in weights) > 1 << 30
    onnx.save(model, path, save_as_external_data=large)
    return path


def _verified(source: Path, target: Path, *more: object) -> tuple[float, float, int]:
    return _run([sys.executable, "-m", "safeconvert.cli", "verify", source, target, *more, "--json"], FOLDER)


def _run(command: list[object], folder: Path) -> tuple[float, float, int]:
    """Processor seconds, wall seconds, and the peak of all processes in MiB, of a command that has to verify."""
    full = [sys.executable, str(ROOT / "bench" / "measured.py"), *map(str, command)]
    done = subprocess.run(full, capture_output=True, text=True, check=True, cwd=folder)
    found = json.loads(done.stdout.splitlines()[-1])
    if found["code"] != 0:
        raise SystemExit(
            f"{' '.join(map(str, command))}: exit {found['code']}: {found['out'][-500:]} {done.stderr[-500:]}"
        )
    return found["cpu"], found["wall"], found["sum"]


def _table(what: str, sizes: list[int], run: Callable[[int], tuple[float, float, int]]) -> str:
    rows, costs = [], []
    for size in sizes:
        cpu, wall, peak = run(size)
        costs.append(cpu)
        slope = ""
        if len(costs) > 2 and costs[-1] > costs[0] < costs[-2]:
            grown = math.log((costs[-1] - costs[0]) / (costs[-2] - costs[0]))
            slope = f"{grown / math.log(sizes[len(costs) - 1] / sizes[len(costs) - 2]):.2f}"
        rows.append((f"{size:,}", f"{cpu:.1f}", f"{wall:.1f}", str(peak), slope))
        print(what, *rows[-1], flush=True)
    return table((what, "CPU s", "wall s", "peak of all processes, MiB", "slope"), rows)


def _nodes() -> str:
    def run(nodes: int) -> tuple[float, float, int]:
        pair = [_model(FOLDER / f"nodes-{prefix}.onnx", nodes, 16, prefix) for prefix in "ab"]
        return _verified(*pair, "--samples", 64)

    return "Nodes of 16 values, 64 generated inputs:\n\n" + _table("nodes", [100, 1000, 3000, 10000, 20000], run)


def _weights() -> str:
    def run(megabytes: int) -> tuple[float, float, int]:
        width = int(math.sqrt(megabytes * (1 << 20) / 4 / 10))
        pair = [_model(FOLDER / f"weights-{prefix}.onnx", 30, width, prefix) for prefix in "ab"]
        return _verified(*pair, "--samples", 16)

    sizes = [1, 10, 100, 300, 1000, 3000]
    room = psutil.virtual_memory().available >> 20
    kept = [size for size in sizes if _ROOM_OF_PAIR * size < room]
    left = ", ".join(map(str, sizes[len(kept) :]))
    note = f"\n\nNo room on this machine for {left} MB." if left else ""
    return "Weights in 10 matrices, 16 generated inputs:\n\n" + _table("MB", kept, run) + note


def _inputs() -> str:
    pair = [_model(FOLDER / f"inputs-{prefix}.onnx", 12, 16, prefix) for prefix in "ab"]

    def run(count: int) -> tuple[float, float, int]:
        np.save(FOLDER / "x.npy", np.random.default_rng(0).normal(size=(count, 16)).astype("f4"))
        return _verified(*pair, "--inputs", FOLDER / "x.npy")

    return "Given inputs of 16 values, 12 nodes:\n\n" + _table("inputs", [10, 100, 1000, 10000, 100000, 1000000], run)


def _generated() -> str:
    pair = [_model(FOLDER / f"generated-{prefix}.onnx", 12, 16, prefix) for prefix in "ab"]

    def run(count: int) -> tuple[float, float, int]:
        return _verified(*pair, "--samples", count)

    return "Generated inputs of 16 values, 12 nodes:\n\n" + _table("inputs", [1000, 10000, 100000, 1000000], run)


def _large() -> str:
    """A transformer of each size that the memory has room for: whole conversion and verification."""
    rows = []
    for megabytes in (100, 300, 1000, 3000):
        if psutil.virtual_memory().available < _ROOM * megabytes << 20:
            rows.append((str(megabytes), "no room on this machine", "", "", ""))
            print("large", *rows[-1], flush=True)
            continue
        path = FOLDER / "large.pt"
        made = [sys.executable, str(ROOT / "bench" / "large_model.py"), f"mb{megabytes}", str(path)]
        subprocess.run(made, check=True)
        size = path.stat().st_size
        command = ["torch2onnx", path, "-o", FOLDER / "large.onnx", "--model", f"large_model:mb{megabytes}",
                   "--input-shape", "0,16", "--input-range", "tokens=0:500"]  # fmt: skip
        cpu, wall, peak = _run([sys.executable, "-m", "safeconvert.cli", *command, "--json"], ROOT / "bench")
        for left in (*FOLDER.glob("large.*"),):
            left.unlink()
        rows.append((f"{size / 2**20:,.0f}", f"{cpu:.1f}", f"{wall:.1f}", f"{peak:,}", f"{peak / (size / 2**20):.2f}"))
        print("large", *rows[-1], flush=True)
    return (
        "A transformer from a state dict to ONNX with external data, converted and verified on 64 generated inputs:\n\n"
        + table(("MiB", "CPU s", "wall s", "peak of all processes, MiB", "times the model"), rows)
    )


if __name__ == "__main__":
    main()

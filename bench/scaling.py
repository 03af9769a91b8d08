"""How time and memory of `verify` grow with nodes, weights and inputs: `python bench/scaling.py [PART…]`.

ONNX files made in code, compared with a copy whose nodes are named otherwise; each run in a fresh process. A slope is of the logarithm
of what is taken beyond the smallest case, over the logarithm of the size, between two neighbouring sizes: 1 is linear, n log n about 1.1.
Each size is kept with the commit that it was measured at.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
import psutil
from common import MEASURED, ROOT, WORK, table, write
from onnx import TensorProto, helper, numpy_helper

FOLDER = WORK / "scaling"
_ROWS = FOLDER / "rows.jsonl"


@dataclass(frozen=True)
class Row:
    """One size measured.

    Attributes:
        part: of the bench.
        size: nodes, megabytes or inputs.
        cpu, wall: seconds.
        peak: of all processes, MiB.
        commit: that was measured.
    """

    part: str
    size: int
    cpu: float
    wall: float
    peak: int
    commit: str = MEASURED


@dataclass(frozen=True)
class Part:
    """One curve.

    Attributes:
        title: what is measured.
        unit: of the size.
        sizes: usual ones.
        run: measures one: processor seconds, wall seconds, peak in MiB.
        room: times a size in MB that has to be free in memory; 0 where the size is none.
    """

    title: str
    unit: str
    sizes: tuple[int, ...]
    run: Callable[[int], tuple[float, float, int]]
    room: int = 0


def main() -> None:
    """Measure the parts that are asked for (`weights`, `weights=10,100` for some sizes, `nothing`), and write all that were ever measured."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    known = {(row.part, row.size): row for row in _stored()}
    for asked in [part for part in sys.argv[1:] or PARTS if part != "nothing"]:
        name, _, sizes = asked.partition("=")
        part = PARTS[name]
        for size in map(int, sizes.split(",")) if sizes else part.sizes:
            if part.room * size << 20 > psutil.virtual_memory().available:
                print(f"{name} {size}: no room", flush=True)
                continue
            row = Row(name, size, *part.run(size))
            known[name, size] = row
            print(row, flush=True)
            ordered = sorted(known.values(), key=lambda row: (row.part, row.size))
            _ROWS.write_text("".join(json.dumps(asdict(row)) + "\n" for row in ordered), encoding="utf-8")
    found = [
        _table(part, [row for (of, _), row in sorted(known.items()) if of == name]) for name, part in PARTS.items()
    ]
    write("scaling", "Time and memory over size", "python bench/scaling.py", "\n\n".join(found))


def _stored() -> list[Row]:
    lines = _ROWS.read_text(encoding="utf-8").splitlines() if _ROWS.exists() else []
    return [Row(**json.loads(line)) for line in lines]


def _table(part: Part, rows: list[Row]) -> str:
    """A curve as a table, with the slopes of time and memory beyond those of the smallest size."""
    cells = []
    for number, row in enumerate(rows):
        slopes = [_slope(rows[: number + 1], key) for key in ("cpu", "peak")]
        times = [f"{row.peak / row.size:.1f}"] if part.room else []
        cells.append(
            (f"{row.size:,}", f"{row.cpu:.1f}", f"{row.wall:.1f}", f"{row.peak:,}", *times, *slopes, row.commit)
        )
    times = ["times the size"] if part.room else []
    head = (
        part.unit,
        "CPU s",
        "wall s",
        "peak of all processes, MiB",
        *times,
        "slope of CPU",
        "slope of memory",
        "commit",
    )
    left = [size for size in part.sizes if size not in {row.size for row in rows}]
    note = f"\n\nNot measured: {', '.join(f'{size:,}' for size in left)}." if left else ""
    return f"{part.title}:\n\n{table(head, cells)}{note}"


def _slope(rows: list[Row], key: str) -> str:
    """Of the logarithm of what the last two take beyond the first, over that of their sizes; "" where that is nothing to speak of."""
    if len(rows) < 3:
        return ""
    first, before, last = (getattr(row, key) for row in (rows[0], *rows[-2:]))
    if before <= first or last <= first:
        return ""
    return f"{math.log((last - first) / (before - first)) / math.log(rows[-1].size / rows[-2].size):.2f}"


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


def _nodes(nodes: int) -> tuple[float, float, int]:
    pair = [_model(FOLDER / f"nodes-{prefix}.onnx", nodes, 16, prefix) for prefix in "ab"]
    return _verified(*pair, "--samples", 64)


def _weights(megabytes: int) -> tuple[float, float, int]:
    width = int(math.sqrt(megabytes * (1 << 20) / 4 / 10))
    pair = [_model(FOLDER / f"weights-{prefix}.onnx", 30, width, prefix) for prefix in "ab"]
    return _verified(*pair, "--samples", 16)


def _inputs(count: int) -> tuple[float, float, int]:
    pair = [_model(FOLDER / f"inputs-{prefix}.onnx", 12, 16, prefix) for prefix in "ab"]
    np.save(FOLDER / "x.npy", np.random.default_rng(0).normal(size=(count, 16)).astype("f4"))
    return _verified(*pair, "--inputs", FOLDER / "x.npy")


def _generated(count: int) -> tuple[float, float, int]:
    pair = [_model(FOLDER / f"generated-{prefix}.onnx", 12, 16, prefix) for prefix in "ab"]
    return _verified(*pair, "--samples", count)


def _large(megabytes: int) -> tuple[float, float, int]:
    path = FOLDER / "large.pt"
    made = [sys.executable, str(ROOT / "bench" / "large_model.py"), f"mb{megabytes}", str(path)]
    subprocess.run(made, check=True)
    command = ["torch2onnx", path, "-o", FOLDER / "large.onnx", "--model", f"large_model:mb{megabytes}",
               "--input-shape", "0,16", "--input-range", "tokens=0:500"]  # fmt: skip
    found = _run([sys.executable, "-m", "safeconvert.cli", *command, "--json"], ROOT / "bench")
    for left in FOLDER.glob("large.*"):
        left.unlink()
    return found


PARTS = {
    "nodes": Part("Nodes of 16 values, 64 generated inputs", "nodes", (100, 1000, 3000, 10000, 20000), _nodes),
    "weights": Part(
        "Weights in 10 matrices, against a copy, 16 generated inputs", "MB", (1, 10, 100, 300, 1000, 3000), _weights, 36
    ),
    "inputs": Part(
        "Given inputs of 16 values (.npy), 12 nodes", "inputs", (10, 100, 1000, 10000, 100000, 1000000), _inputs
    ),
    "generated": Part(
        "Generated inputs of 16 values, 12 nodes", "inputs", (1000, 10000, 100000, 1000000), _generated
    ),
    "large": Part(
        "A transformer from a state dict to ONNX, converted and verified on 64 generated inputs", "MB",
        (100, 300, 1000, 3000), _large, 4,
    ),
}  # fmt: skip


if __name__ == "__main__":
    main()

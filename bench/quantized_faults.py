"""Faults put into the quantisation of `.tflite` files: refused, named by the tensor, and repaired natively?

Kinds: the scale of one layer's weights (x8), the scales of its channels in another order (axis), its bias (x3 and 60000 steps), an
activation's range (a twelfth of it), an activation's zero point (by 190 steps, as far as there are any). Each goes into a right int8 file, which `repair` then gets beside the source. A fault
that leaves the file within the metric's bound is no fault of its function and is not counted.
`python bench/quantized_faults.py [--count N]`
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from common import ROOT, write

sys.path.insert(0, str(ROOT))  # before this folder, whose tests.py hides the tests' package

from safeconvert.workers.templates import Templates, sharing
from tests.command import safeconvert
from tests.program import KERAS, run_program

KINDS = ("scale", "axis", "bias", "range", "zero")
COUNT = 100
NETS = ("even",)
MAX_DROP = "0.05"


def main() -> None:
    """Run all, then print and keep the table."""
    count = int(sys.argv[sys.argv.index("--count") + 1]) if "--count" in sys.argv else COUNT
    with tempfile.TemporaryDirectory() as place, Templates() as made, sharing(made):
        folder = Path(place)
        run_program(ROOT / "tests/scenarios/quantization/programs/labelled_net.py", folder, modules=KERAS)
        rows = [row for number in range(count) if (row := _case(folder, number)) is not None]
    effective = [row for row in rows if row["effective"]]
    lines = [f"{len(rows)} faults put in, {len(effective)} of which move the metric beyond its bound."]
    for kind in KINDS:
        own = [row for row in effective if row["kind"] == kind]
        named, repaired = (sum(row[key] for row in own) for key in ("named", "repaired"))
        lines.append(f"{kind}: {len(own)} counted, {named} named by their tensor, {repaired} repaired")
    named, repaired = (sum(row[key] for row in effective) for key in ("named", "repaired"))
    others = Counter(row["others"] for row in effective)
    lines.append(
        f"all: named {named / max(1, len(effective)):.3f}, repaired {repaired / max(1, len(effective)):.3f}; other tensors named: {dict(sorted(others.items()))}"
    )
    write("quantized_faults", "Faults of quantisation", "python bench/quantized_faults.py", "\n\n".join(lines))


def _case(folder: Path, number: int) -> dict[str, Any] | None:
    net = NETS[number % len(NETS)]
    right = folder / f"{net}.tflite"
    data = ("--inputs", folder / net / "inputs.npy", "--max-drop", MAX_DROP, "--json")
    if not right.exists():
        called = safeconvert(
            "keras2tflite", folder / f"{net}.keras", "-o", right, "--optimize", "int8", "--search", 0, *data
        )
        assert called.code == 0, called.text
    wrong = folder / f"wrong-{number}.tflite"
    kind = KINDS[number % len(KINDS)]
    name = inject(right, wrong, kind, np.random.default_rng([11, number]))
    if name is None:
        return None
    called = safeconvert("repair", folder / f"{net}.keras", wrong, "-o", folder / "repaired.tflite", *data)
    answer = (
        json.loads(called.out)
        if called.out.strip()
        else {"attempts": [{"outcome": "error"}], "predicate": {"faults": []}}
    )
    listed = [fault["evidence"].partition(":")[0] for fault in answer["predicate"].get("faults", [])]
    hit = name.partition(";")[0] in listed
    effective = answer["attempts"][0]["outcome"] == "not_equivalent"
    print(number, kind, name[:40], called.code, effective, hit, len(listed), flush=True)
    return {
        "kind": kind,
        "effective": effective,
        "named": hit,
        "repaired": called.code == 0,
        "others": len(listed) - hit,
    }


def inject(path: Path, target: Path, kind: str, random: np.random.Generator) -> str | None:
    """Write the file with one fault; the name of its tensor, None where the file has no place for it."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    graph = model.subgraphs[0]
    layers = [
        op
        for op in graph.operators
        if len(op.inputs) >= 3 and graph.tensors[int(op.inputs[2])].type == schema.TensorType.INT32
    ]
    layer = layers[int(random.integers(len(layers)))]
    weights, bias, result = (
        graph.tensors[int(number)] for number in (layer.inputs[1], layer.inputs[2], layer.outputs[0])
    )
    numbers = {"bias": bias, "range": result, "zero": result}.get(kind, weights)
    stored = numbers.quantization
    if kind == "scale":
        stored.scale = (np.asarray(stored.scale) * 8).astype(np.float32)
        bias.quantization.scale = (np.asarray(bias.quantization.scale) * 8).astype(np.float32)
    elif kind == "axis":
        if len(stored.scale) < 2:
            return None
        stored.scale = np.roll(np.asarray(stored.scale), len(stored.scale) // 2)
        bias.quantization.scale = np.roll(np.asarray(bias.quantization.scale), len(stored.scale) // 2)
    elif kind == "bias":
        buffer = model.buffers[bias.buffer]
        buffer.data = np.frombuffer(
            (np.frombuffer(bytes(buffer.data), np.int32) * 3 + 60000).astype(np.int32).tobytes(), np.uint8
        )
    elif kind == "range":
        stored.scale = (np.asarray(stored.scale) / 12).astype(np.float32)
    else:
        low = int(np.clip(int(stored.zeroPoint[0]) + 190, -128, 127))
        stored.zeroPoint = np.array([low], np.int64)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    target.write_bytes(bytes(builder.Output()))
    return numbers.name.decode()


if __name__ == "__main__":
    main()

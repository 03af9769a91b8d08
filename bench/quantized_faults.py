"""Faults put into the quantisation of `.tflite` files: refused, named by the tensor, and repaired natively?

Kinds: the scale of one layer's weights (x8), the axis of its channels' scales (in the opposite order, along the other axis of square weights, or one scale
for all where the channels need their own), its bias (x3 and 60000 steps), an activation's range (a twelfth of it), an activation's
zero point (by 190 steps, as far as there are any). Each goes into a right int8 file, which `repair` then gets beside the source. What leaves
LiteRT's accuracy on the inputs within the bound is no fault of the function: it is put in, and not counted.
`python bench/quantized_faults.py [--count N] [--table]`; resumes. Each fault follows from its kind and turn, so that fewer turns are a subset of more, whose
table is one of its own.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from common import DATA, MEASURED, ROOT, WORK, table, write
from labelled import held_out, labels_by, with_background

sys.path.insert(0, str(ROOT))  # before this folder, whose tests.py hides the tests' package

from safeconvert.workers.templates import Templates, sharing
from tests.command import safeconvert
from tests.program import KERAS, run_program

FOLDER = WORK / "quantized_faults"
KINDS = ("scale", "axis", "bias", "range", "zero")
TRIES = 12
MAX_DROP = "0.05"


@dataclass(frozen=True)
class Net:
    """A model, its labelled inputs, and how many faults of each kind it gets at most."""

    name: str
    source: Path
    inputs: Path
    options: tuple[object, ...] = ()
    size: int = 0
    recipe: str = ""
    most: int = 1


NETS = (
    Net("MLP", FOLDER / "even.keras", FOLDER / "even", most=10),
    Net("DS-CNN", FOLDER / "keywords.keras", FOLDER / "keywords", most=10),
    Net("1-D", FOLDER / "waves.keras", FOLDER / "waves", most=4),
    Net("ResNet-8", DATA / "models/resnet8_cifar10.h5", DATA / "images/cifar10", ("--preprocessing", "raw"), 32, "raw", 2),
    Net("ResNet-20", DATA / "models/resnet20_cifar10.pt", DATA / "images/cifar10", ("--preprocessing", "torchvision"), 32, "torchvision", 1),
    Net(
        "MobileNetV1 0.25", FOLDER / "mobilenet.keras", FOLDER / "imagenet_val-1001",
        ("--preprocessing", "tflite.mobilenet", "--samples", 600), 224, "tflite.mobilenet", 1,
    ),
)  # fmt: skip


def main() -> None:
    """Run what is missing, `--count` of each kind for each net at most, then keep the table."""
    most = max(net.most for net in NETS)
    count = int(sys.argv[sys.argv.index("--count") + 1]) if "--count" in sys.argv else most
    FOLDER.mkdir(parents=True, exist_ok=True)
    if "--table" not in sys.argv:
        with Templates() as made, sharing(made):
            _prepare()
            for nets in (NETS[:4], NETS[4:]):  # the slow ones last
                for turn, net, kind in itertools.product(range(count), nets, KINDS):
                    if turn < net.most:
                        _case(net, kind, turn)
    rows = [json.loads(file.read_text()) for file in sorted(FOLDER.glob("case-*.json"))]
    name = "quantized_faults" if len(rows) == _turns() else "quantized_faults-sample"
    write(name, "Faults of quantisation", "python bench/quantized_faults.py", _table(rows))


def _prepare() -> None:
    """The sources that are not there yet."""
    if not (FOLDER / "even.keras").exists():
        run_program(ROOT / "tests/scenarios/quantization/programs/labelled_net.py", FOLDER, modules=KERAS)
    if not (FOLDER / "encoder.keras").exists():
        run_program(ROOT / "bench/quantized_nets.py", FOLDER, modules=KERAS)
    with_background(FOLDER)
    if not (FOLDER / "mobilenet.keras").exists():
        source = DATA / "models/mobilenetv1_025_imagenet_float.tflite"
        _called("convert", source, "--to", "keras", "-o", FOLDER / "mobilenet.keras", "--samples", 8)


def _called(*words: object) -> None:
    called = safeconvert(*words)
    assert called.code == 0, called.text


def _case(net: Net, kind: str, turn: int) -> None:
    """One fault, put in anew from further seeds as long as it leaves the accuracy within the bound; resumes."""
    kept = FOLDER / f"case-{net.name.replace(' ', '-')}-{kind}-{turn}.json"
    if kept.exists():
        return
    right, half, wrong = (FOLDER / f"{net.name.replace(' ', '-')}{end}.tflite" for end in ("", "-float16", "-wrong"))
    inputs = net.inputs / "inputs.npy" if (net.inputs / "inputs.npy").exists() else net.inputs
    data = ("--inputs", inputs, *net.options, "--max-drop", MAX_DROP)
    if not half.exists():
        plain = FOLDER / "plain.toml"
        plain.write_text("[quantize]\naimed_share = 0.0\n")  # integers throughout, where any layer can be spoiled
        for target, scheme in ((right, "int8"), (half, "float16")):
            own = "-o", target, "--optimize", scheme, "--search", 0, "--config", plain
            _called("convert", net.source, "--to", "tflite", *own, *data)
    samples = int(net.options[-1]) if "--samples" in net.options else 0
    fed, labels = held_out(net.inputs, samples, net.recipe, net.size)
    before = (labels_by(right, fed) == labels).mean()
    quiet = 0
    for attempt in range(TRIES):
        names = inject(right, wrong, kind, np.random.default_rng([11, KINDS.index(kind), turn, attempt]))
        if names is None:
            continue
        if before - (labels_by(wrong, fed) == labels).mean() > float(MAX_DROP):
            break
        quiet += 1
    else:
        kept.write_text(
            json.dumps({"net": net.name, "kind": kind, "quiet": quiet, "counted": False, "commit": MEASURED})
        )
        return
    repaired = FOLDER / "repaired.tflite"
    repaired.unlink(missing_ok=True)
    called = safeconvert("repair", net.source, wrong, "-o", repaired, *data, "--search", 0, "--json")
    answer = called.json if called.out.strip() else {"attempts": [{"outcome": "error"}], "predicate": {}}
    faults = answer["predicate"].get("faults", [])
    listed = [fault["evidence"].partition(": ")[0] for fault in faults]
    proven = [name for name, fault in zip(listed, faults, strict=True) if fault["proven"]]
    stored = answer["predicate"].get("quantization", {}).get("stored_anew", [])
    row = {
        "net": net.name, "kind": kind, "quiet": quiet, "counted": True, "tensor": names[0],
        "refused": answer["attempts"][0]["outcome"] == "not_equivalent", "named": names[0] in listed,
        "others": len(set(proven) - set(names)), "stored": len(stored), "repaired": called.code == 0 and repaired.exists(),
        "bytes": repaired.stat().st_size if repaired.exists() else None, "float16": half.stat().st_size, "commit": MEASURED,
    }  # fmt: skip
    kept.write_text(json.dumps(row))
    print(json.dumps(row), flush=True)


def inject(path: Path, target: Path, kind: str, random: np.random.Generator) -> tuple[str, ...] | None:
    """Write the file with one fault; the name of its tensor and of the others it touches, None where the file has no place for it."""
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
    touched = [weights, bias]
    if kind == "scale":
        for tensor in touched:
            tensor.quantization.scale = (np.asarray(tensor.quantization.scale) * 8).astype(np.float32)
    elif kind == "axis":
        if not _wrong_axis(model, weights, bias, random):
            return None
    elif kind == "bias":
        touched = [bias]
        model.buffers[bias.buffer].data = _bytes(_values(model, bias, np.int32) * 3 + 60000, np.int32)
    elif kind == "range":
        touched = [result]
        result.quantization.scale = (np.asarray(result.quantization.scale) / 12).astype(np.float32)
    else:
        touched = [result]
        low = int(np.clip(int(result.quantization.zeroPoint[0]) + 190, -128, 127))
        result.quantization.zeroPoint = np.array([low], np.int64)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    target.write_bytes(bytes(builder.Output()))
    return tuple(tensor.name.decode().partition(";")[0] for tensor in touched)


def _wrong_axis(model: Any, weights: Any, bias: Any, random: np.random.Generator) -> bool:
    """Scales of channels that are not their own, in one of the three ways of the bench's docstring; False where there are no channels."""
    scales = np.asarray(weights.quantization.scale, np.float64)
    if len(scales) < 2:
        return False
    axis = int(weights.quantization.quantizedDimension)
    stored = np.moveaxis(_values(model, weights, np.int8).astype(np.float64), axis, -1)
    real, others = stored * scales, [size for size in range(stored.ndim - 1) if stored.shape[size] == len(scales)]
    way = int(random.integers(3))
    if way == 0 and others:  # quantised along another axis of the same length, and read along this one
        along = np.abs(np.moveaxis(real, others[-1], -1)).reshape(-1, len(scales)).max(0)
        wrong = np.maximum(along, 1e-9) / 127
        form = [len(scales) if number == others[-1] else 1 for number in range(stored.ndim)]
        integers = real / wrong.reshape(form)
    elif way == 1:  # one scale, where the smallest channels have no step left
        wrong = np.full(len(scales), scales.max())
        integers = real / wrong
    else:
        order = np.argsort(scales)
        wrong = np.empty(len(scales))
        wrong[order] = scales[order[::-1]]
        integers = stored
    whole = np.moveaxis(np.clip(np.rint(integers), -127, 127), -1, axis)
    model.buffers[weights.buffer].data = _bytes(whole, np.int8)
    ratio = wrong / scales
    weights.quantization.scale = wrong.astype(np.float32)
    own = np.asarray(bias.quantization.scale, np.float64)
    if way != 2:  # a quantizer that takes the wrong axis stores the bias in the steps that follow
        kept = np.rint(_values(model, bias, np.int32) / ratio)
        model.buffers[bias.buffer].data = _bytes(np.clip(kept, -(2**31) + 1, 2**31 - 1), np.int32)
    bias.quantization.scale = (own * ratio).astype(np.float32)
    return True


def _values(model: Any, tensor: Any, kind: type) -> np.ndarray:
    return np.frombuffer(bytes(model.buffers[tensor.buffer].data), kind).reshape([int(size) for size in tensor.shape])


def _bytes(values: np.ndarray, kind: type) -> np.ndarray:
    return np.frombuffer(np.ascontiguousarray(values.astype(kind)).tobytes(), np.uint8)


def _table(rows: list[dict[str, Any]]) -> str:
    counted = [row for row in rows if row["counted"]]
    body = []
    for name, own in [
        *((kind, [row for row in counted if row["kind"] == kind]) for kind in KINDS),
        *((net.name, [row for row in counted if row["net"] == net.name]) for net in NETS),
        ("all", counted),
    ]:
        if not own:
            continue
        sums = [sum(row[key] for row in own) for key in ("refused", "named", "repaired")]
        smaller = sum(bool(row["repaired"]) and row["bytes"] <= row["float16"] for row in own)
        body.append((name, len(own), *(f"{each / max(1, len(own)):.3f}" for each in sums), f"{smaller} of {sums[2]}"))
    header = (
        "faults",
        "counted",
        "refused",
        "named by their tensor",
        "repaired",
        "repaired, and no larger than the float16 file",
    )
    quiet = sum(row["quiet"] for row in rows)
    others, stored = (Counter(row[key] for row in counted) for key in ("others", "stored"))
    said = (
        f"{len(counted)} faults move the accuracy by more than {float(MAX_DROP):.0%}, and count; {quiet} more were put in that do not. Tensors proven "
        f"to be at fault besides those that were touched, by how many faults: {dict(sorted(others.items()))}. Tensors stored anew in the file as it was, by how "
        f"many faults: {dict(sorted(stored.items()))}; 0 where all of it was quantised anew. {_part(rows)}"
    )
    return f"{table(header, body)}\n\n{said}"


def _turns() -> int:
    """Of all kinds and nets."""
    return sum(net.most for net in NETS) * len(KINDS)


def _part(rows: list[dict[str, Any]]) -> str:
    """How many of all turns were run, and on which commits."""
    few = (
        "" if len(rows) == _turns() else f" ({len(rows)} of {_turns()} turns were run, the first of each kind and net)"
    )
    commits = Counter(row["commit"] for row in rows)
    return f"Turns by commit: {', '.join(f'{name} {count}' for name, count in commits.items())}{few}."


if __name__ == "__main__":
    main()

"""Real models in fewer bits on real inputs: what the quantizer alone loses, and what is left of that with the fewest operators in float.

Accuracy, agreement and latency are measured here anew: the files run in LiteRT or ONNX Runtime, outside of safeconvert, on the inputs
that were held out. `python bench/quantized.py [--only MODEL-TARGET-SCHEME[,…]] [--table]`; resumes. A cell that was not run here keeps its row of the
table before, and the commit of that.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from common import DATA, MEASURED, WORK, earlier_rows, safeconvert, table, write
from labelled import held_out, labels_by, runner, with_background

FOLDER = WORK / "quantized"
SCHEMES = ("int8", "int16x8", "default", "int8-weights", "float16")
_TIMED = (
    30  # runs of one picture by each file in turn, of which the fastest counts: what else runs here makes none faster
)


@dataclass(frozen=True)
class Net:
    """A model, what it is fed, and by how much its accuracy may fall: what so few inputs can show."""

    name: str
    file: str
    target: str
    images: str
    preprocessing: str
    samples: int
    max_drop: float
    size: int = 224
    schemes: tuple[str, ...] = ("int8",)


NETS = (
    Net("ResNet-8", "resnet8_cifar10.h5", "tflite", "cifar10", "raw", 400, 0.05, 32, SCHEMES),
    Net("DS-CNN", "keywords.keras", "tflite", "", "", 600, 0.05, 0, SCHEMES),
    Net("encoder", "encoder.keras", "tflite", "", "", 600, 0.05, 0, SCHEMES),
    Net("ResNet-20", "resnet20_cifar10.pt", "tflite", "cifar10", "torchvision", 400, 0.05, 32, SCHEMES),
    Net(
        "MobileNetV1 0.25",
        "mobilenetv1_025_imagenet_float.tflite",
        "onnx",
        "imagenet_val",
        "tflite.mobilenet",
        600,
        0.05,
    ),
    Net("ResNet-20", "resnet20_cifar10.pt", "onnx", "cifar10", "torchvision", 400, 0.05, 32),
    Net("SqueezeNet", "squeezenet11_imagenet.pt", "tflite", "imagenet_val", "torchvision", 600, 0.05, 224, SCHEMES),
    Net(
        "MobileNetV2",
        "mobilenetv2_imagenet.keras",
        "tflite",
        "imagenet_val",
        "keras.mobilenet_v2",
        600,
        0.05,
        224,
        SCHEMES,
    ),
)


@dataclass(frozen=True)
class Measured:
    """A file on the held-out inputs: share of right labels, share of the source's labels, bytes, and milliseconds a picture."""

    accuracy: float
    agreement: float
    bytes: int
    milliseconds: float


def main() -> None:
    """Run what is missing, then print and keep the table."""
    only = sys.argv[sys.argv.index("--only") + 1].split(",") if "--only" in sys.argv else [""]
    FOLDER.mkdir(parents=True, exist_ok=True)
    cells = [(net, scheme) for net in NETS for scheme in net.schemes]
    if not (FOLDER / "encoder.keras").exists():
        subprocess.run([sys.executable, Path(__file__).parent / "quantized_nets.py", FOLDER], check=True)
    for net, scheme in cells if "--table" not in sys.argv else []:
        if not _kept(net, scheme).exists() and any(part in _name(net, scheme) for part in only):
            row = {"commit": MEASURED, **_run(net, scheme)}
            _kept(net, scheme).write_text(json.dumps(row, indent=1), encoding="utf-8")
            print(_name(net, scheme), row["code"], f"{row['seconds']:.0f} s", flush=True)
    earlier = {tuple(row[:3]): row for row in earlier_rows("quantized")}
    rows, missing = [], []
    for net, scheme in cells:
        if _kept(net, scheme).exists():
            rows.append(_row(net, scheme, json.loads(_kept(net, scheme).read_text())))
        elif (net.name, net.target, scheme) in earlier:
            rows.append(earlier[net.name, net.target, scheme])
        else:
            missing.append(_name(net, scheme))
    body = _table(rows) + (f"\n\nNot measured: {', '.join(missing)}." if missing else "")
    write("quantized", "Models in fewer bits", "python bench/quantized.py", body)


def _run(net: Net, scheme: str) -> dict:
    suffix = f".{net.target}"
    target = FOLDER / f"{_name(net, scheme)}{suffix}"
    images = with_background(FOLDER) if net.name.startswith("MobileNetV1") else DATA / "images" / net.images
    source = DATA / "models" / net.file
    options: tuple[object, ...] = ("--inputs", images, "--preprocessing", net.preprocessing, "--samples", net.samples)
    if not net.images:
        source, images = FOLDER / net.file, FOLDER / Path(net.file).stem
        options = ("--inputs", images / "inputs.npy", "--samples", net.samples)
    options = (*options, "--search", 0)
    began = time.perf_counter()
    code, answer = safeconvert(
        "convert", source, "--to", net.target, "-o", target, *options, "--optimize", scheme, "--max-drop", net.max_drop
    )
    seconds = time.perf_counter() - began
    quantized = answer["predicate"].get("quantization", {})
    ours = target if code == 0 else None
    raw = target
    corrected, kept = quantized.get("biases_corrected"), quantized.get("in_float")
    if (
        code != 0 or len(answer.get("attempts", ())) > 1 or corrected or kept
    ):  # what the quantizer alone makes is another
        raw = FOLDER / f"{_name(net, scheme)}-raw{suffix}"
        _, alone = safeconvert(
            "convert", source, "--to", net.target, "-o", raw, *options, "--optimize", scheme, "--max-drop", net.max_drop,
            "--no-repair",
        )  # fmt: skip
        raw = Path(alone["rejected"]) if alone.get("rejected") else raw
    twin = FOLDER / f"{_name(net, 'none')}{suffix}"
    if not twin.exists():
        safeconvert("convert", source, "--to", net.target, "-o", twin, *options)
    inputs, labels = held_out(images, net.samples, net.preprocessing, net.size)
    before = labels_by(twin, inputs)
    files = {"twin": twin, "raw": raw if raw.exists() else None, "ours": ours}
    times = _milliseconds([path for path in files.values() if path is not None], inputs[:1])
    measured = {
        side: path and asdict(_measured(path, inputs, labels, before, times[path])) for side, path in files.items()
    }
    return {
        "code": code, "reason": answer["reason"], "seconds": seconds, "in_float": len(quantized.get("in_float", ())),
        "operators": quantized.get("operators") or quantized.get("layers"), "samples": len(labels), "metric": answer["predicate"].get("metric"),
        **measured,
    }  # fmt: skip


def _measured(path: Path, inputs: np.ndarray, labels: np.ndarray, before: np.ndarray, milliseconds: float) -> Measured:
    found = labels_by(path, inputs)
    share = float((found == labels).mean()), float((found == before).mean())
    return Measured(*share, path.stat().st_size, milliseconds)


def _milliseconds(paths: list[Path], fed: np.ndarray) -> dict[Path, float]:
    """The time of a call of each file, measured in turns."""
    made = {path: runner(path) for path in paths}
    times: dict[Path, list[float]] = {path: [] for path in paths}
    for _ in range(_TIMED):
        for path, run in made.items():
            began = time.perf_counter()
            run(fed)
            times[path].append(time.perf_counter() - began)
    return {path: min(taken) * 1000 for path, taken in times.items()}


def _name(net: Net, scheme: str) -> str:
    return f"{net.name.replace(' ', '-')}-{net.target}-{scheme}"


def _kept(net: Net, scheme: str) -> Path:
    return FOLDER / f"{_name(net, scheme)}.json"


def _row(net: Net, scheme: str, row: dict) -> list[str]:
    three = [row[side] for side in ("twin", "raw", "ours")]

    def each(key: str, form: str, factor: float = 1.0, files: list = three) -> str:
        return ", ".join(format(one[key] * factor, form) if one else "-" for one in files)

    kept = f"{row['in_float']} of {row['operators']}" if row["operators"] else "-"
    verdict = "verified" if row["code"] == 0 else f"refused: {row['reason'][:120]}"
    return [
        net.name, net.target, scheme, str(row["samples"]), each("accuracy", ".2%"), each("agreement", ".2%", files=three[1:]),
        kept, each("bytes", ".0f", 1e-3), each("milliseconds", ".2f"), verdict, f"{row['seconds']:.0f}", row["commit"],
    ]  # fmt: skip


def _table(rows: list[list[str]]) -> str:
    header = (
        "model", "to", "scheme", "held out", "accuracy: float, raw, ours", "agreement: raw, ours", "in float",
        "kB: float, raw, ours", "ms: float, raw, ours", "verdict", "s", "commit",
    )  # fmt: skip
    verified = [row for row in rows if row[9] == "verified"]
    accuracies = [[float(one.rstrip("%")) for one in row[4].split(", ")] for row in verified]
    fall = max((before - ours for before, _, ours in accuracies), default=0.0)
    said = f"{len(verified)} of {len(rows)} verified; largest fall of held-out accuracy among them {fall:.2f} points."
    others = sorted({row[-1] for row in rows} - {MEASURED})
    older = f" Rows of {', '.join(others)} are of earlier runs." if others else ""
    older += f" ms: the fastest of {_TIMED} calls, files in turn."
    return f"{table(header, rows)}\n\n{said}{older}"


if __name__ == "__main__":
    main()

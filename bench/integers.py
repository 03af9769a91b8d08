"""Full-integer .tflite files in ONNX, PyTorch and Keras: every value compared with LiteRT's, in steps of the output's scale.

`python bench/integers.py [--nets FOLDER]`. Operators: the small nets of `tests/adapters/programs/integers.py` on random bytes, then on random words of 16 bits, through `tflite_ops` and
the last resorts alone, without the pipeline. Nets: those of `integer_nets.py`, or the `.tflite` files of a folder, each with `NAME.npy` of inputs
beside it, also through tf2onnx, whose labels stand beside.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from common import ROOT, WORK, table, write
from integer_nets import prepare

sys.path.insert(0, str(ROOT))
FOLDER = WORK / "integers"
BACK_ENDS = ("onnx", "torch", "keras")
_SAMPLES = 200
_NETS = ROOT / "tests" / "adapters" / "programs" / "integers.py"


@dataclass(frozen=True)
class Apart:
    """What a back end gives otherwise than LiteRT.

    Attributes:
        values: compared.
        other: of them not the same.
        steps: the largest distance.
        labels: samples whose largest output is another one.
        samples: compared.
    """

    values: int
    other: int
    steps: float
    labels: int
    samples: int


def main() -> None:
    """Measure each back end in a process of its own, since frameworks do not share one well; then write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nets", type=Path, help="a folder of .tflite files and their inputs")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    own = parser.parse_args()
    if own.one:
        measure(own.one[0], Path(own.one[1]))
        return
    operators, words = FOLDER / "operators", FOLDER / "words"
    for folder, options in ((operators, ()), (words, ("--sixteen",))):
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.glob("*.tflite")):
            subprocess.run([sys.executable, _NETS, folder, *options], check=True, capture_output=True)
    nets, lacking = own.nets or FOLDER / "nets", []
    if own.nets is None:
        lacking = prepare(nets)
    parts = []
    for folder, title in ((operators, "operator"), (words, "operator on words of 16 bits"), (nets, "net")):
        back_ends = BACK_ENDS if folder is not nets else (*BACK_ENDS, "tf2onnx")
        found = {}
        for name in back_ends:
            command = [sys.executable, __file__, "--one", name, folder]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found[name] = json.loads(done.stdout.strip().splitlines()[-1])
        parts.append(_table(found, title))
    parts += [f"Not measured, since the source is not at hand: {', '.join(lacking)}."] if lacking else []
    command = "python bench/integers.py" + (" --nets FOLDER" if own.nets else "")
    write("integers", "Full-integer TFLite files in other formats", command, "\n\n".join(parts))


def measure(back_end: str, folder: Path) -> None:
    """Print, as JSON, by file name what one back end gives otherwise."""
    found = {}
    for path in sorted(folder.glob("*.tflite")):
        inputs = np.load(path.with_suffix(".npy")) if path.with_suffix(".npy").exists() else None
        try:
            found[path.stem] = asdict(_compared(path, _runner(back_end, path), inputs))
        except Exception as error:  # noqa: BLE001 - whatever a back end raises of one net is its result
            found[path.stem] = f"{type(error).__name__}: {error}"[:160]
    print(json.dumps(found))


def _compared(path: Path, run: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray | None) -> Apart:
    from ai_edge_litert.interpreter import Interpreter

    native = Interpreter(model_content=path.read_bytes())
    native.allocate_tensors()
    given, made = native.get_input_details()[0], native.get_output_details()[0]
    if inputs is None:
        random = np.random.default_rng(1)
        limits = np.iinfo(given["dtype"])
        inputs = random.integers(limits.min, limits.max + 1, (_SAMPLES, *given["shape"][1:])).astype(given["dtype"])
    fed = inputs.astype(given["dtype"])
    rows = []
    for row in fed:
        native.set_tensor(given["index"], row[None])
        native.invoke()
        rows.append(native.get_tensor(made["index"]))
    expected = np.concatenate(rows).astype(np.float64)
    try:
        found = run(fed)
    except Exception:  # noqa: BLE001 - a batch that the file fixes is refused in each framework's own way
        found = np.concatenate([run(row[None]) for row in fed])
    apart = np.abs(found.astype(np.float64).reshape(expected.shape) - expected) / _step(path)
    labels = [values.reshape(len(fed), -1).argmax(1) for values in (expected, found)]
    return Apart(apart.size, int((apart > 0).sum()), float(apart.max()), int((labels[0] != labels[1]).sum()), len(fed))


def _step(path: Path) -> float:
    """One step of what a file gives: 1 where it is bytes, else the scale of what is dequantised last."""
    from adapters.tflite_ops.file import read

    file = read(str(path))
    place = file.outputs[0][1]
    if file.tensors[place].quantized:
        return 1.0
    return next(float(file.tensors[step.reads[0]].scale) for step in file.steps if place in step.gives)


def _runner(back_end: str, path: Path) -> Callable[[np.ndarray], np.ndarray]:
    from adapters.tflite_ops.adapter import written

    if back_end in ("onnx", "tf2onnx"):
        import onnxruntime

        content = written(str(path)).SerializeToString() if back_end == "onnx" else _by_tf2onnx(path)
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda fed: session.run(None, {name: fed})[0]
    if back_end == "torch":
        import torch

        from adapters.torch_ops.module import GraphModule

        module = GraphModule(written(str(path))).eval()

        def by_torch(fed: np.ndarray) -> np.ndarray:
            with torch.inference_mode():
                return module(torch.from_numpy(fed))[0].numpy()

        return by_torch
    from adapters.keras_ops.model import build

    model = build(written(str(path)))

    def by_keras(fed: np.ndarray) -> np.ndarray:
        made = model([fed])
        return np.asarray(made[0] if isinstance(made, (list, tuple)) else made)

    return by_keras


def _by_tf2onnx(path: Path) -> bytes:
    """What tf2onnx makes of a file by its own command."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "m.onnx"
        command = [sys.executable, "-m", "tf2onnx.convert", "--tflite", path, "--output", made, "--opset", "17"]
        subprocess.run(command, check=True, capture_output=True)
        return made.read_bytes()


def _table(found: dict[str, dict], title: str) -> str:
    operators = title != "net"
    header = [title, "values", *(f"{name}: not the same, steps" for name in found)]
    if not operators:
        header += ["samples", *(f"{name}: other labels" for name in found)]
    rows = []
    for name in found["onnx"]:
        cells = {back_end: rest[name] for back_end, rest in found.items()}
        first = next((cell for cell in cells.values() if isinstance(cell, dict)), None)
        row = [name, first["values"] if first else "-"]
        row += [cell if isinstance(cell, str) else f"{cell['other']}, {cell['steps']:.3g}" for cell in cells.values()]
        if not operators:
            row += [first["samples"] if first else "-"]
            row += ["-" if isinstance(cell, str) else cell["labels"] for cell in cells.values()]
        rows.append(row)
    said = []
    for back_end, rest in found.items():
        exact = sum(isinstance(cell, dict) and cell["other"] == 0 for cell in rest.values())
        said.append(f"{back_end}: {exact} of {len(rest)} byte for byte")
    return f"{table(header, rows)}\n\n{'; '.join(said)}."


if __name__ == "__main__":
    main()

"""Run a file that was converted in its own framework on a case's inputs, and compare it with what the source gave.

Run as a program: one JSON object on stdin (see `public_cases`), one on stdout with `reason`, "" where the file is right.
It imports nothing of safeconvert: the contract is all that it knows, as a user knows the certificate only.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

Arrays = dict[str, np.ndarray]
Runner = Callable[[Arrays], Arrays]


def main() -> None:
    """Read the request, run and compare."""
    asked = json.loads(sys.stdin.read())
    calls, expected = read_calls(Path(asked["inputs"])), read_calls(Path(asked["expected"]))
    contract = asked["contract"]
    run = _runner(Path(asked["target"]), contract)
    taken = [place for place, call in enumerate(calls) if fits(contract, call)]
    if not taken:
        sys.exit("it takes the sizes of none of the calls")
    answers = [across(run, contract, calls[place]) for place in taken]
    reason = difference(answers, [expected[place] for place in taken], asked["tolerance"], asked["steps"])
    print(json.dumps({"reason": reason, "left_out": len(calls) - len(taken)}))


def read_calls(path: Path) -> list[Arrays]:
    """The calls of an archive: `NAME` holds all along axis 0, `NAME@0`, `NAME@1`, … one each."""
    calls: dict[int, Arrays] = {}
    for key, array in np.load(path).items():
        name, _, number = key.partition("@")
        parts = {int(number): array} if number else dict(enumerate(array))
        for position, part in parts.items():
            calls.setdefault(position, {})[name] = part
    return [calls[position] for position in sorted(calls)]


def fits(contract: dict[str, Any], call: Arrays) -> bool:
    """Whether the target takes a call's sizes, but for the batch."""
    for tensor, array in _matched(contract["inputs"], call):
        order = tensor["permutation"] or range(array.ndim)
        moved = [array.shape[axis] for axis in order]
        target = tensor["target"]
        fixed = [axis for axis, size in enumerate(target["shape"]) if axis and size and axis not in target["open"]]
        if len(moved) != len(target["shape"]) or any(target["shape"][axis] != moved[axis] for axis in fixed):
            return False
    return True


def across(run: Runner, contract: dict[str, Any], call: Arrays) -> Arrays:
    """One call of the source, made with the target as the contract says; outputs under the source's names."""
    feeds: Arrays = {}
    for tensor, array in _matched(contract["inputs"], call):
        moved = array if tensor["permutation"] is None else np.transpose(array, tensor["permutation"])
        feeds[tensor["target"]["name"]] = np.ascontiguousarray(moved.astype(tensor["target"]["dtype"]))
    fixed = {t["target"]["shape"][0] for t in contract["inputs"] if t["target"]["shape"]} - {None}
    rows = {len(array) for array in feeds.values() if array.ndim}
    if fixed == {1} and len(rows) == 1 and rows != {1}:
        pieces = [run({name: a[i : i + 1] if a.ndim else a for name, a in feeds.items()}) for i in range(rows.pop())]
        outputs = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    else:
        outputs = run(feeds)
    answers = {}
    for tensor in contract["outputs"]:
        array = outputs[tensor["target"]["name"]]
        if tensor["permutation"] is not None:
            array = np.transpose(array, np.argsort(tensor["permutation"]))
        answers[tensor["source"]["name"]] = array
    return answers


def _matched(tensors: list[dict[str, Any]], arrays: Arrays) -> list[tuple[dict[str, Any], np.ndarray]]:
    """Tensors of the contract with the arrays of the same names, else in order."""
    names = [tensor["source"]["name"] for tensor in tensors]
    order = names if set(names) == arrays.keys() else list(arrays)
    return [(tensor, arrays[name]) for tensor, name in zip(tensors, order, strict=True)]


def difference(answers: list[Arrays], expected: list[Arrays], tolerance: float, steps: int) -> str:
    """In which output the answers leave the expected ones, and by how much; "" where they do not."""
    names = list(expected[0])
    own = names if set(names) == answers[0].keys() else list(answers[0])
    for name, ours in zip(names, own, strict=True):
        wanted = [np.asarray(call[name]) for call in expected]
        finite = [np.abs(array[np.isfinite(array)]).max(initial=0) for array in wanted if array.dtype.kind == "f"]
        scale = float(max(finite, default=0)) or 1.0
        for number, (call, want) in enumerate(zip(answers, wanted, strict=True)):
            got = np.asarray(call[ours])
            if got.shape != want.shape:
                return f"{name}, call {number}: shape {got.shape}, expected {want.shape}"
            if want.dtype.kind == "f":
                alike = (got == want) | (np.isnan(got) & np.isnan(want))
                apart = np.where(alike, 0, np.abs(got.astype("f8") - want.astype("f8")))
                worst, limit = float(np.max(apart, initial=0)) / scale, tolerance
            else:
                worst, limit = float(np.max(np.abs(got.astype("f8") - want.astype("f8")), initial=0)), float(steps)
            if not worst <= limit:
                return f"{name}, call {number}: off by {worst:.3g}, allowed {limit:.3g}"
    return ""


def _runner(path: Path, contract: dict[str, Any]) -> Runner:
    if path.suffix == ".onnx":
        return _onnx(path)
    if path.suffix == ".pt2":
        return _torch(path, contract)
    if path.suffix == ".keras":
        return _keras(path)
    return _tflite(path) if path.suffix == ".tflite" else _tf(path)


def _onnx(path: Path) -> Runner:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda feeds: dict(zip(names, session.run(None, feeds), strict=True))


def _torch(path: Path, contract: dict[str, Any]) -> Runner:
    import torch

    module = torch.export.load(path).module()
    names = sorted(contract["inputs"], key=lambda tensor: _position(contract, tensor))
    outputs = [tensor["target"]["name"] for tensor in contract["outputs"]]

    def run(feeds: Arrays) -> Arrays:
        with torch.inference_mode():
            found = module(*(torch.from_numpy(feeds[tensor["target"]["name"]]) for tensor in names))
        leaves = torch.utils._pytree.tree_leaves(found)
        return dict(zip(outputs, (leaf.numpy() for leaf in leaves), strict=True))

    return run


def _position(contract: dict[str, Any], tensor: dict[str, Any]) -> int:
    return contract["inputs"].index(tensor)


def _keras(path: Path) -> Runner:
    import keras

    model = keras.models.load_model(path, compile=False)
    inputs, outputs = [i.name for i in model.inputs], model.output_names

    def run(feeds: Arrays) -> Arrays:
        values = [feeds[name] for name in inputs]
        found = model(values if len(values) > 1 else values[0], training=False)
        listed = list(found) if isinstance(found, list | tuple) else [found]
        return dict(zip(outputs, map(np.asarray, listed), strict=True))

    return run


def _tflite(path: Path) -> Runner:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(str(path))
    runner = interpreter.get_signature_runner()
    return lambda feeds: dict(runner(**feeds))


def _tf(path: Path) -> Runner:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    signature = loaded.signatures["serving_default"]
    return lambda feeds: {k: v.numpy() for k, v in signature(**{k: tf.constant(v) for k, v in feeds.items()}).items()}


if __name__ == "__main__":
    main()

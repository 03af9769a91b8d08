"""A raw converter's target on the same inputs: `python bench/raw_judge.py PAIR SOURCE TARGET INPUTS.npz` prints `{"outcome": …}`.

Nothing of safeconvert runs here, and one process converts and judges, so that a cell costs one start of the frameworks. Whatever order and
layout (channels first or last) of inputs and outputs comes nearest counts for the raw converter; equal is within 1e-3 of an output's
largest value.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import raw
from forked import serve

TOLERANCE = 1e-3
Arrays = Sequence[np.ndarray]


def source_outputs(source: str, given: Arrays) -> list[np.ndarray]:
    """The source's outputs of all samples, natively."""
    if source.endswith(".pt2"):
        import torch

        module = torch.export.load(source).module()

        def called(*arrays: np.ndarray) -> list[np.ndarray]:
            with torch.no_grad():
                found = module(*(torch.tensor(one) for one in arrays))
            return [one.numpy() for one in (found if isinstance(found, tuple | list) else (found,))]

        return _whole_or_each(called, given)
    import keras

    return _whole_or_each(_called_keras(keras.models.load_model(source, compile=False)), given)


def target_outputs(target: str, given: Arrays, complaints: list[str]) -> Iterator[list[np.ndarray]]:
    """The target's outputs, for every order and layout of the inputs that it takes; why it does not take others."""
    for order in itertools.permutations(given):
        for fed in itertools.product(*map(_layouts, order)):
            try:
                yield _whole_or_each(_TARGETS[Path(target).suffix](target), fed)
            except Exception as error:  # noqa: BLE001 - whatever a framework raises of inputs that it does not take
                complaints.append(f"{type(error).__name__}: {error}".splitlines()[0][:200])


def _layouts(array: np.ndarray) -> list[np.ndarray]:
    """An array as it is, and with its channels last or first."""
    if array.ndim < 3:
        return [array]
    return [array, np.moveaxis(array, 1, -1), np.moveaxis(array, -1, 1)]


def _whole_or_each(called: Callable[..., list[np.ndarray]], given: Arrays) -> list[np.ndarray]:
    """All samples in one call, or one after the other where the batch is fixed."""
    try:
        return called(*given)
    except Exception:  # noqa: BLE001 - any framework's word for a batch that it does not take
        each = [called(*(one[index : index + 1] for one in given)) for index in range(len(given[0]))]
        return [np.concatenate(column) for column in zip(*each, strict=True)]


def _called_keras(model: object) -> Callable[..., list[np.ndarray]]:
    def called(*arrays: np.ndarray) -> list[np.ndarray]:
        for spec, one in zip(model.inputs, arrays, strict=True):  # type: ignore[attr-defined]
            _taken(spec.shape, one)
        found = model(arrays[0] if len(arrays) == 1 else list(arrays), training=False)  # type: ignore[operator]
        return [np.asarray(one) for one in (found if isinstance(found, tuple | list) else (found,))]

    return called


def _taken(shape: Sequence[object], array: np.ndarray) -> None:
    """Raises ValueError where an array is not of a declared shape."""
    if len(shape) != array.ndim or any(isinstance(a, int) and a != b for a, b in zip(shape, array.shape, strict=True)):
        raise ValueError(f"{array.shape} for {tuple(shape)}")


def _keras(target: str) -> Callable[..., list[np.ndarray]]:
    import keras

    return _called_keras(
        keras.models.load_model(target, compile=False, safe_mode=False)
    )  # Lambda layers of a converter


def _onnx(target: str) -> Callable[..., list[np.ndarray]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(target)
    names = [one.name for one in session.get_inputs()]
    return lambda *arrays: session.run(None, dict(zip(names, arrays, strict=True)))


def _torch(target: str) -> Callable[..., list[np.ndarray]]:
    import torch

    module = torch.jit.load(target)

    def called(*arrays: np.ndarray) -> list[np.ndarray]:
        with torch.no_grad():
            found = module(*(torch.tensor(one) for one in arrays))
        return [one.numpy() for one in (found if isinstance(found, tuple | list) else (found,))]

    return called


def _tflite(target: str) -> Callable[..., list[np.ndarray]]:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(target)
    interpreter.allocate_tensors()

    def called(*arrays: np.ndarray) -> list[np.ndarray]:
        for detail, one in zip(interpreter.get_input_details(), arrays, strict=True):
            _taken([size if size > 0 else None for size in map(int, detail["shape_signature"])], one)
            interpreter.resize_tensor_input(detail["index"], one.shape)
        interpreter.allocate_tensors()
        for detail, one in zip(interpreter.get_input_details(), arrays, strict=True):
            interpreter.set_tensor(detail["index"], one.astype(detail["dtype"]))
        interpreter.invoke()
        return [interpreter.get_tensor(detail["index"]).copy() for detail in interpreter.get_output_details()]

    return called


_TARGETS = {".keras": _keras, ".onnx": _onnx, ".pt": _torch, ".tflite": _tflite}


def distance(source: Arrays, target: Arrays) -> tuple[float, int]:
    """Of the nearest order and layout of the outputs: the largest distance by the output's largest value, and samples beyond the tolerance.

    Infinite where no order fits.
    """
    if len(source) != len(target):
        return float("inf"), len(source[0])
    found = [(float("inf"), len(source[0]))]
    for order in itertools.permutations(target) if len(target) < 5 else [target]:
        worst, wrong = 0.0, np.zeros(len(source[0]), dtype=bool)
        for ours, theirs in zip(source, order, strict=True):
            shaped = [one for one in _layouts(np.asarray(theirs, np.float64)) if one.shape == ours.shape]
            if not shaped:
                worst = float("inf")
                break
            scale = float(np.abs(ours).max()) or 1.0
            apart = min((np.abs(one - ours).reshape(len(ours), -1).max(1) / scale for one in shaped), key=np.max)
            apart = np.where(np.isnan(apart), np.inf, apart)
            worst, wrong = max(worst, float(apart.max())), wrong | (apart > TOLERANCE)
        else:
            found.append((worst, int(wrong.sum())))
    return min(found)


def main(pair: str, source: str, target: str, inputs: str) -> None:
    """Convert; an exception is the raw converter's. Then judge."""
    raw.main(pair, source, target)
    with np.load(inputs) as arrays:
        given = [arrays[name] for name in arrays.files]
    expected = source_outputs(source, given)
    complaints: list[str] = []
    found = [distance(expected, outputs) for outputs in target_outputs(target, given, complaints)]
    if not found or min(found)[0] == float("inf"):
        verdict: dict[str, object] = {
            "outcome": "does not run",
            "reason": complaints[0] if not found else "its outputs are of other shapes",
        }
    else:
        worst, wrong = min(found)
        verdict = {
            "outcome": "differs" if wrong else "equal",
            "samples": len(given[0]),
            "disagreements": wrong,
            "max_abs": worst,
        }
    print(json.dumps(verdict))


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve(main, ("torch", "tensorflow", "keras", "onnx", "onnxruntime", "onnx2keras", "tf2onnx"))
    else:
        main(*sys.argv[1:])

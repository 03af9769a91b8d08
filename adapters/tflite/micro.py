"""TensorFlow Lite Micro: the interpreter for microcontrollers, by the Python package of its own project (`tflite-micro`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from safeconvert.core.signature import Signature
from safeconvert.errors import UnusableInput


def interpreter(content: bytes) -> Any:
    """An interpreter of a file.

    Raises:
        UnusableInput: the package is not there, or has no kernel for one of the file's operators.
    """
    try:
        from tflite_micro.python.tflite_micro import runtime
    except ImportError as error:
        raise UnusableInput(
            f"TensorFlow Lite Micro: its package does not load here: {error}", "pip install 'safeconvert[tflm]'"
        ) from error
    try:
        return runtime.Interpreter.from_bytes(content)
    except (RuntimeError, ValueError) as error:
        raise UnusableInput(f"TensorFlow Lite Micro cannot load it: {' '.join(str(error).split())[:200]}") from error


def predict(made: Any, signature: Signature, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The outputs of a batch by name, call after call; what does not fill the last call is not run.

    Raises:
        UnusableInput: an operator fails.
    """
    indices = {
        spec.name: index if spec.position is None else spec.position for index, spec in enumerate(signature.inputs)
    }
    places = {
        spec.name: index if spec.position is None else spec.position for index, spec in enumerate(signature.outputs)
    }
    shapes = {name: [int(size) for size in made.get_input_details(index)["shape"]] for name, index in indices.items()}
    batch = max((shape[0] for shape in shapes.values() if shape), default=1)
    count = max((len(array) for array in feeds.values() if array.ndim), default=1)
    collected: dict[str, list[np.ndarray]] = {name: [] for name in places}
    for start in range(0, count, batch):
        for name, index in indices.items():
            array = feeds[name]
            part = array[start : start + batch] if array.ndim else array
            made.set_input(np.ascontiguousarray(part.reshape(shapes[name])), index)
        try:
            made.invoke()
        except RuntimeError as error:
            raise UnusableInput(f"TensorFlow Lite Micro cannot run it: {' '.join(str(error).split())[:200]}") from error
        for name, index in places.items():
            collected[name].append(np.array(made.get_output(index)))
    return {name: np.concatenate(parts) for name, parts in collected.items()}

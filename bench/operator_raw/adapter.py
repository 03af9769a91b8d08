"""The raw converters on one node test each, as their documentation calls them. Runs in a worker; nothing of safeconvert does.

Generous to them where there is a choice: onnx2keras is tried as it is and with `change_ordering`, onnx2tf's model with
inputs and outputs channels last and not, and the best result counts; the target may have another dtype than expected; and a model counts as right by its values on the suite's one input.
"""

from __future__ import annotations

import functools
import itertools
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx

sys.path.append(str(Path(__file__).resolve().parent.parent))
from operator_cases import judge

_PICTURES = np.random.default_rng(0).random((20, 128, 128, 3), dtype=np.float32)


def warm(path: str) -> None:
    """Import what a path needs."""
    if path == "onnx2torch":
        _onnx2torch()
    elif path == "onnx2tf":
        import onnx2tf  # noqa: F401
    else:
        _onnx2keras()


def run(path: str, model: str, data: str, rtol: float, atol: float) -> list[str]:
    """Outcome (`right`, `wrong`, `does not run`, `refused`) and a line that says why."""
    with np.load(data) as archive:
        inputs = [archive[f"in{i}"] for i in range(sum(name.startswith("in") for name in archive.files))]
        expected = [archive[f"out{i}"] for i in range(sum(name.startswith("out") for name in archive.files))]
    loaded = onnx.load(model)
    ways = {
        "onnx2keras": [functools.partial(_keras, moved) for moved in (False, True)],
        "onnx2tflite": [functools.partial(_tflite, moved) for moved in (False, True)],
        "onnx2torch": [_torch],
        "onnx2tf": [functools.partial(_onnx2tf, *moved) for moved in itertools.product((True, False), repeat=2)],
    }[path]
    order = ("right", "wrong", "does not run", "refused")
    return min((_outcome(way, loaded, inputs, expected, rtol, atol) for way in ways), key=lambda o: order.index(o[0]))


def _outcome(
    way: Any, model: onnx.ModelProto, inputs: list[Any], expected: list[Any], rtol: float, atol: float
) -> list[str]:
    try:
        call = way(onnx.ModelProto.FromString(model.SerializeToString()))
    except Exception as error:  # noqa: BLE001 - a raw converter raises anything
        return ["refused", _line(error)]
    try:
        outputs = call(inputs)
    except Exception as error:  # noqa: BLE001 - as above
        return ["does not run", _line(error)]
    reason = judge(outputs, expected, rtol, atol)
    return ["wrong", reason] if reason else ["right", ""]


def _keras(moved: bool, model: onnx.ModelProto) -> Any:
    converted = _keras_model(model, moved)
    with tempfile.TemporaryDirectory() as folder:
        converted.save(Path(folder) / "model.keras")  # what cannot be saved is no file
    return lambda inputs: _unmoved(moved, _list(converted([_moved(moved, array) for array in inputs])))


def _tflite(moved: bool, model: onnx.ModelProto) -> Any:
    import tensorflow as tf

    file = tf.lite.TFLiteConverter.from_keras_model(_keras_model(model, moved)).convert()
    names = [value.name for value in model.graph.input]

    def call(inputs: list[Any]) -> list[Any]:
        interpreter = tf.lite.Interpreter(model_content=file)
        fed = dict(zip(names, (_moved(moved, array) for array in inputs), strict=True))
        details = interpreter.get_input_details()
        by_name = {d["index"]: next((n for n in names if n in d["name"]), None) for d in details}
        if len(names) == 1:
            by_name = {details[0]["index"]: names[0]}
        for detail in details:
            interpreter.resize_tensor_input(detail["index"], fed[by_name[detail["index"]]].shape)
        interpreter.allocate_tensors()
        for detail in details:
            interpreter.set_tensor(detail["index"], fed[by_name[detail["index"]]].astype(detail["dtype"]))
        interpreter.invoke()
        return _unmoved(moved, [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()])

    return call


def _onnx2tf(moved_in: bool, moved_out: bool, model: onnx.ModelProto) -> Any:
    converted = _saved_model(model.SerializeToString())
    names = [value.name for value in model.graph.input]

    def call(inputs: list[Any]) -> list[Any]:
        import tensorflow as tf

        known = converted.signatures["serving_default"]
        taken = list(known.structured_input_signature[1])
        fed = dict(zip(names, (tf.constant(_moved(moved_in, array)) for array in inputs), strict=True))
        made = known(**{name: fed[next(n for n in names if n in (name, name.replace("__", "/")))] for name in taken})
        return _unmoved(moved_out, [made[key].numpy() for key in sorted(made)])

    return call


@functools.lru_cache(maxsize=1)
def _saved_model(model: bytes) -> Any:
    import onnx2tf
    import tensorflow as tf

    # pictures for its own check of single operators, which it would fetch from the network
    sys.modules["onnx2tf.onnx2tf"].download_test_image_data = lambda: _PICTURES
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        file.write_bytes(model)
        onnx2tf.convert(
            input_onnx_file_path=str(file), output_folder_path=folder, output_signaturedefs=True, verbosity="error"
        )
        return tf.saved_model.load(folder)


def _keras_model(model: onnx.ModelProto, moved: bool) -> Any:
    onnx_to_keras, keras = _onnx2keras()
    keras.backend.clear_session()
    known = {tensor.name for tensor in model.graph.initializer}
    names = [value.name for value in model.graph.input if value.name not in known]
    return onnx_to_keras(model, names, change_ordering=moved, verbose=False)


def _torch(model: onnx.ModelProto) -> Any:
    import torch

    module = _onnx2torch()(model)

    def call(inputs: list[Any]) -> list[Any]:
        with torch.no_grad():
            return _list(module(*map(torch.from_numpy, inputs)))

    return call


def _onnx2keras() -> Any:
    import keras
    from onnx2keras import onnx_to_keras

    return onnx_to_keras, keras


def _onnx2torch() -> Any:
    import declare_torchvision  # noqa: F401
    from onnx2torch import convert

    return convert


def _moved(moved: bool, array: Any) -> Any:
    return np.moveaxis(array, 1, -1) if moved and array.ndim >= 3 else array


def _unmoved(moved: bool, outputs: list[Any]) -> list[Any]:
    return [np.moveaxis(array, -1, 1) if moved and array.ndim >= 3 else array for array in outputs]


def _list(made: Any) -> list[Any]:
    return [np.asarray(part) for part in (made if isinstance(made, (list, tuple)) else [made])]


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:200]

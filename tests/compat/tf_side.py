"""Build scripts of Keras and TensorFlow users, each once with the library itself and once with its drop-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxmltools as the_real_onnxmltools
import tensorflow as tf
import tf2onnx.convert as the_real_tf2onnx

from safeconvert.compat import checking, onnx2keras, onnxmltools, tf2onnx, tflite
from tests.compat.facts import HERE, gap, interface, refusal, run_onnx, state, verdict

keras.utils.set_random_seed(3)
_INPUT = keras.Input((8, 8, 3), name="picture")
_HIDDEN = keras.layers.Flatten()(keras.layers.Conv2D(4, 3, activation="relu")(_INPUT))
MODEL = keras.Model(_INPUT, keras.layers.Dense(5)(_HIDDEN), name="net")
X = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
Y = MODEL(X).numpy()
SPEC = tf.TensorSpec((None, 8, 8, 3), tf.float32, name="picture")
FUNCTION = tf.function(lambda picture: {"scores": MODEL(picture), "twice": MODEL(picture) * 2}, input_signature=[SPEC])


def from_keras() -> dict[str, Any]:
    """With channels first inputs, an opset, and a file."""
    asked: dict[str, Any] = {"input_signature": [SPEC], "opset": 15, "inputs_as_nchw": ["picture"]}
    theirs, _ = the_real_tf2onnx.from_keras(MODEL, **asked)
    with checking(samples=12) as checked:
        ours, storage = tf2onnx.convert.from_keras(MODEL, **asked, output_path="keras.onnx")
    return {
        "type": isinstance(ours, onnx.ModelProto) and storage is None,
        "same interface": interface(ours) == interface(theirs),
        "gap": gap(run_onnx(ours, X.transpose(0, 3, 1, 2))[0], Y),
        "file": Path("keras.onnx").exists() and Path("keras.onnx.certificate.json").exists(),
        **verdict(checked.last),
    }


def from_function() -> dict[str, Any]:
    theirs, _ = the_real_tf2onnx.from_function(FUNCTION, [SPEC])
    with checking(samples=12) as checked:
        ours, storage = tf2onnx.convert.from_function(FUNCTION, [SPEC])
    return {
        "type": isinstance(ours, onnx.ModelProto) and storage is None,
        "same tensors": interface(ours)[3] == interface(theirs)[3],
        "gap": max(gap(a, b) for a, b in zip(run_onnx(ours, X), (Y, 2 * Y), strict=True)),
        **verdict(checked.last),
    }


def from_graph_def() -> dict[str, Any]:
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    frozen = convert_variables_to_constants_v2(FUNCTION.get_concrete_function())
    names: dict[str, Any] = {
        "input_names": [frozen.inputs[0].name],
        "output_names": [frozen.outputs[0].name],
        "tensors_to_rename": {frozen.inputs[0].name: "x", frozen.outputs[0].name: "y"},
    }
    graph_def = frozen.graph.as_graph_def()
    theirs, _ = the_real_tf2onnx.from_graph_def(graph_def, name="net", **names)
    with checking(samples=12) as checked:
        ours, storage = tf2onnx.convert.from_graph_def(graph_def, name="net", **names)
    return {
        "type": isinstance(ours, onnx.ModelProto) and storage is None,
        "same interface": interface(ours) == interface(theirs),
        "gap": gap(run_onnx(ours, X)[0], Y),
        **verdict(checked.last),
    }


def to_tflite() -> dict[str, Any]:
    """TFLiteConverter, its content run by TensorFlow's interpreter."""
    with checking(samples=12) as checked:
        content = tflite.TFLiteConverter.from_keras_model(MODEL).convert()
    Path("model.tflite").write_bytes(content)
    return {"type": type(content).__name__, "gap": gap(_run_tflite(content, X), Y), **verdict(checked.last)}


def to_tflite_in_eight_bits() -> dict[str, Any]:
    """A concrete function quantised with a representative dataset, on which it is verified too."""
    samples = [[X[:1]], [X[1:]], *([X[:1] * scale] for scale in (0.5, 0.9, 1.1, 1.3, 1.5, 1.7))]
    single = tf.function(lambda picture: MODEL(picture), input_signature=[tf.TensorSpec((1, 8, 8, 3), tf.float32)])
    with checking(comparator="allclose", rtol=0.2) as checked:
        converter = tflite.TFLiteConverter.from_concrete_functions([single.get_concrete_function()])
        converter.optimizations = [tflite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: iter(samples)
        content = converter.convert()
    interpreter = tf.lite.Interpreter(model_content=content)
    kinds = {np.dtype(detail["dtype"]).name for detail in interpreter.get_tensor_details()}
    return {
        "type": type(content).__name__,
        "int8": "int8" in kinds,
        "gap": gap(_run_tflite(content, X[:1]), Y[:1]),
        "inputs": checked.last.predicate["inputs"]["count"],
        **verdict(checked.last),
    }


def from_tflite() -> dict[str, Any]:
    theirs, _ = the_real_tf2onnx.from_tflite("model.tflite")
    with checking(samples=12) as checked:
        ours, storage = tf2onnx.convert.from_tflite("model.tflite")
    onnx.save(ours, "from_tflite.onnx")
    return {
        "type": isinstance(ours, onnx.ModelProto) and storage is None,
        "same interface": interface(ours) == interface(theirs),
        "gap": gap(run_onnx(ours, X[:1])[0], Y[:1]),
        **verdict(checked.last),
    }


def from_keras_by_onnxmltools() -> dict[str, Any]:
    asked: dict[str, Any] = {"doc_string": "said", "target_opset": 14}
    theirs = the_real_onnxmltools.convert_keras(MODEL, **asked)
    with checking(samples=12) as checked:
        ours = onnxmltools.convert_keras(MODEL, name="asked", **asked)
    return {
        "type": isinstance(ours, onnx.ModelProto),
        "same interface": interface(ours)[1:] == interface(theirs)[1:],
        "name": ours.graph.name,
        "gap": gap(run_onnx(ours, X)[0], Y),
        **verdict(checked.last),
    }


def to_keras() -> dict[str, Any]:
    """onnx2keras, channels last."""
    with checking(samples=12) as checked:
        ours = onnx2keras.onnx_to_keras(onnx.load("keras.onnx"), ["picture"], change_ordering=True, verbose=False)
    return {
        "type": isinstance(ours, keras.Model),
        "shapes": [ours.input_shape, ours.output_shape],
        "gap": gap(ours(X).numpy(), Y),
        **verdict(checked.last),
    }


def to_keras_by_a_wrong_converter() -> dict[str, Any]:
    with checking(config=HERE / "wrong.toml") as checked:
        ours = onnx2keras.onnx_to_keras(onnx.load("keras.onnx"), ["picture"], change_ordering=True)
    return {"type": isinstance(ours, keras.Model), "gap": gap(ours(X).numpy(), Y), **verdict(checked.last)}


def from_keras_by_a_wrong_converter() -> dict[str, Any]:
    with checking(config=HERE / "wrong.toml") as checked:
        ours, storage = tf2onnx.convert.from_keras(MODEL)
    return {
        "type": isinstance(ours, onnx.ModelProto) and storage is None,
        "gap": gap(run_onnx(ours, X)[0], Y),
        **verdict(checked.last),
    }


def from_tflite_unrepaired() -> dict[str, Any]:
    return refusal(lambda: tf2onnx.convert.from_tflite("model.tflite"))


def to_tflite_unrepaired() -> dict[str, Any]:
    return refusal(lambda: tflite.TFLiteConverter.from_keras_model(MODEL).convert())


def from_keras_by_onnxmltools_unrepaired() -> dict[str, Any]:
    return refusal(lambda: onnxmltools.convert_keras(MODEL))


def _run_tflite(content: bytes, x: Any) -> Any:
    interpreter = tf.lite.Interpreter(model_content=content)
    (given,), (asked,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(asked["index"])


if __name__ == "__main__":
    state(
        from_keras, from_function, from_graph_def, to_tflite, to_tflite_in_eight_bits, from_tflite,
        from_keras_by_onnxmltools, to_keras, to_keras_by_a_wrong_converter, from_keras_by_a_wrong_converter,
        from_tflite_unrepaired, to_tflite_unrepaired, from_keras_by_onnxmltools_unrepaired,
    )  # fmt: skip

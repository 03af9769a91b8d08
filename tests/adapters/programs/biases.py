"""How far eight bits move the mean of a layer whose weights all round the same way, before and after its biases are corrected,
and where the layer stays in float.

`biases.py FOLDER`; JSON by format: corrected layers, and the distance before, after, and in float with the bias that it had.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import onnx
import tensorflow as tf
from onnx import helper, numpy_helper

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.resources import data_folder
from safeconvert.workers._worker import load_adapter

folder = Path(sys.argv[1])
random = np.random.default_rng(0)
inputs = random.uniform(0, 1, (64, 6, 6, 2)).astype(np.float32)
weights = np.full(
    (3, 3, 2, 4), 0.0049, np.float32
)  # the largest sets a step of 0.01, below half of which all others are lost
weights[1, 1, 0] = 1.27
ESTIMATES = 4 * 4 * 4 * 18, 72 + 4  # of the layer: multiplications, and constants
tflite, converter, onnx_adapter = (
    load_adapter(str(Path(data_folder("adapters")) / name)) for name in ("tflite", "tflite_converter", "onnx")
)


def mean(adapter, path, fed):
    model = adapter.load(ModelRequest(str(path)).to_json())
    (name,) = [spec.name for spec in model.signature().inputs]
    values = [next(iter(model.predict({name: fed[row : row + 1]}).values())) for row in range(len(fed))]
    return np.mean(values)


def in_tflite():
    x = keras.Input((6, 6, 2))
    layer = keras.layers.Conv2D(4, 3, activation="relu")
    model = keras.Model(x, layer(x))
    layer.set_weights([weights, np.zeros(4)])
    paths = [str(folder / name) for name in ("f.tflite", "c.tflite", "q.tflite", "f2.tflite", "c2.tflite", "q2.tflite")]
    Path(paths[0]).write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    np.save(folder / "last.npy", inputs)
    feeds = [[str(folder / "last.npy")]]
    converter.calibrate(paths[0], feeds, False, paths[1])
    converter.quantize(paths[1], [], "float32", paths[2])
    count = tflite.correct(ModelRequest(paths[0]).to_json(), paths[2], feeds, False, paths[3])
    converter.calibrate(paths[3], feeds, False, paths[4])
    converter.quantize(paths[4], [], "float32", paths[5])
    ((name, work, constants),) = [(one["name"], one["work"], one["weights"]) for one in converter.operators(paths[4])]
    assert (work, constants) == ESTIMATES, (work, constants)
    own, kept = str(folder / "own.tflite"), str(folder / "kept.tflite")
    tflite.with_own_biases(ModelRequest(paths[4]).to_json(), paths[1], [name], own)
    converter.quantize(own, [name], "float32", kept)
    return count, tflite, [paths[0], paths[2], paths[5], kept], inputs


def in_onnx():
    first = inputs.transpose(0, 3, 1, 2)
    kernel = np.ascontiguousarray(weights.transpose(3, 2, 0, 1))
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w", "b"], ["y"], "conv"), helper.make_node("Relu", ["y"], ["z"], "relu")],
        "g",
        [helper.make_tensor_value_info("x", 1, [1, 2, 6, 6])],
        [helper.make_tensor_value_info("z", 1, [1, 4, 4, 4])],
        [numpy_helper.from_array(kernel, "w"), numpy_helper.from_array(np.zeros(4, np.float32), "b")],
    )
    paths = [str(folder / name) for name in ("f.onnx", "p.onnx", "q.onnx", "p2.onnx", "q2.onnx")]
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), paths[0])
    np.save(folder / "first.npy", first)
    feeds = [[str(folder / "first.npy")]]
    onnx_adapter.calibrate(paths[0], feeds, False, paths[1])
    onnx_adapter.quantize(paths[1], [], "float32", paths[2])
    count = onnx_adapter.correct(paths[1], feeds, False, paths[3])
    onnx_adapter.quantize(paths[3], [], "float32", paths[4])
    assert [tuple(one.values()) for one in onnx_adapter.operators(paths[1])] == [("conv", "Conv", *ESTIMATES)]
    kept = onnx_adapter.quantize(paths[1], ["conv"], "float32", str(folder / "kept.onnx"))
    kinds = {node.op_type for node in onnx.load(folder / "kept.onnx").graph.node}
    assert kept["float"] == ["conv"] and kinds == {"Conv", "Relu"}, (kept, kinds)
    own, left = str(folder / "own.onnx"), str(folder / "left.onnx")
    onnx_adapter.with_own_biases(paths[3], paths[1], ["conv"], own)
    onnx_adapter.quantize(own, ["conv"], "float32", left)
    return count, onnx_adapter, [paths[0], paths[2], paths[4], left], first


found = {}
for name, made in (("tflite", in_tflite()), ("onnx", in_onnx())):
    count, adapter, paths, fed = made
    exact, *others = (mean(adapter, path, fed) for path in paths)
    found[name] = [count, *(float(abs(other - exact)) for other in others)]
print(json.dumps(found))

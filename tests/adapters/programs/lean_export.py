"""Count what tf2onnx copies and writes, through the adapter and raw: `lean_export.py FOLDER ADAPTER`."""

import copy
import json
import sys
import types

import keras
import numpy
import onnx
import tensorflow

numpy.object = object
import tf2onnx
from tf2onnx import graph, optimizer

from safeconvert.adapter_api.protocol import ConvertRequest, ModelRequest
from safeconvert.workers._worker import load_adapter

folder, adapter = sys.argv[1:]
x = keras.Input((4, 4, 3), name="x")
keras.Model(x, keras.layers.Dense(2)(keras.layers.Conv2D(2, 3)(x))).save(folder + "/m.keras")
copied = []


def deepcopy(value, *rest):
    copied.append(type(value) is graph.Graph)
    return copy.deepcopy(value, *rest)


optimizer.copy = types.SimpleNamespace(deepcopy=deepcopy)
written = []
update = graph.Node.update_proto


def update_proto(node, *rest):
    written.append(node.is_const())
    update(node, *rest)


graph.Node.update_proto = update_proto


def failing():
    raise ValueError("this optimizer fails")


def converted(name):
    copied.clear()
    written.clear()
    request = ConvertRequest(ModelRequest(folder + "/m.keras"), folder + "/" + name)
    load_adapter(adapter).convert(request.to_json())
    return sum(copied), len(onnx.load(request.target).graph.node), sum(written)


lean = converted("lean.onnx")
kept = optimizer._optimizers["remove_identity"]
optimizer._optimizers["remove_identity"] = failing
careful = converted("careful.onnx")
optimizer._optimizers["remove_identity"] = kept
written.clear()
model = keras.saving.load_model(folder + "/m.keras")
inputs = [tensorflow.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name) for tensor in model.inputs]
raw = tf2onnx.convert.from_keras(model, inputs, opset=17)[0]


def parts(model):
    return [node.op_type for node in model.graph.node], sorted(one.raw_data for one in model.graph.initializer)


same = parts(raw) == parts(onnx.load(folder + "/lean.onnx"))
print(json.dumps([lean, careful, sum(written), same]))

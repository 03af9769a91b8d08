"""tf2onnx optimizes in place, and with its copies where an optimizer fails; weights are written once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from safeconvert.registry.manifest import adapters

pytestmark = pytest.mark.converters
_SCRIPT = """
import copy, json, os, sys, types
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import keras, numpy, onnx, tensorflow
numpy.object = object
import tf2onnx
from tf2onnx import graph, optimizer
from safeconvert.workers._worker import load_adapter
from safeconvert.adapter_api.protocol import ConvertRequest, ModelRequest

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
"""


def test_the_graph_is_copied_only_where_an_optimizer_fails(tmp_path: Path) -> None:
    (folder,) = (adapter.folder for adapter in adapters() if adapter.name == "tf2onnx")
    done = subprocess.run([sys.executable, "-c", _SCRIPT, tmp_path, folder], check=True, capture_output=True, text=True)
    (copies, nodes, written), (more, others, _), written_raw, same = json.loads(done.stdout.splitlines()[-1])
    assert copies == 0 and nodes > 3
    assert more > 0 and others >= nodes
    assert same and 0 < written < written_raw / 4

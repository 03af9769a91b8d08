"""tf2onnx optimizes in place, and with its copies where an optimizer fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from safeconvert.registry import adapters

pytestmark = pytest.mark.converters
_SCRIPT = """
import copy, json, os, sys, types
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import keras, numpy, onnx
numpy.object = object
from tf2onnx import graph, optimizer
from safeconvert._worker import load_adapter
from safeconvert.adapting import ConvertRequest, ModelRequest

folder, adapter = sys.argv[1:]
x = keras.Input((4, 4, 3), name="x")
keras.Model(x, keras.layers.Dense(2)(keras.layers.Conv2D(2, 3)(x))).save(folder + "/m.keras")
copied = []
def deepcopy(value, *rest):
    copied.append(type(value) is graph.Graph)
    return copy.deepcopy(value, *rest)
optimizer.copy = types.SimpleNamespace(deepcopy=deepcopy)

def failing():
    raise ValueError("this optimizer fails")

def converted(name):
    copied.clear()
    request = ConvertRequest(ModelRequest(folder + "/m.keras"), folder + "/" + name)
    load_adapter(adapter).convert(request.to_json())
    return sum(copied), len(onnx.load(request.target).graph.node)

lean = converted("lean.onnx")
optimizer._optimizers["remove_identity"] = failing
print(json.dumps([lean, converted("careful.onnx")]))
"""


def test_the_graph_is_copied_only_where_an_optimizer_fails(tmp_path: Path) -> None:
    (folder,) = (adapter.folder for adapter in adapters() if adapter.name == "tf2onnx")
    done = subprocess.run([sys.executable, "-c", _SCRIPT, tmp_path, folder], check=True, capture_output=True, text=True)
    (copies, nodes), (more, others) = json.loads(done.stdout.splitlines()[-1])
    assert copies == 0 and nodes > 3
    assert more > 0 and others >= nodes

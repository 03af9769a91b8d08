"""Write `signatures` (a SavedModel of two), `two.tflite` (of both), and files whose default signature runs the second subgraph.

`swapped`, `renamed` and `elsewhere` are SavedModels of one function for TensorFlow's loader and of another for a server. `double.tflite` has one signature twice, and `inner.tflite` one that gives
what a call without it does not. Of `last.tflite` it is the right function there, and of `misled.tflite` the other one, while the first subgraph is right.
"""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.lite.python import schema_py_generated as schema

folder = Path(sys.argv[1])
random = np.random.default_rng(0)
SPEC = [tf.TensorSpec([None, 6], tf.float32, name="x")]


class Net(tf.Module):
    """Scores, and the features behind another matrix."""

    def __init__(self) -> None:
        self.scores, self.features = (tf.Variable(random.normal(size=(6, 3)).astype("f4")) for _ in range(2))

    @tf.function(input_signature=SPEC)
    def serve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.matmul(x, self.scores)}

    @tf.function(input_signature=[*SPEC, tf.TensorSpec([None, 6], tf.float32, name="z")])
    def both(self, x: tf.Tensor, z: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"a": tf.matmul(x - 2 * z, self.scores), "b": tf.matmul(x + z, self.features)}

    @tf.function(input_signature=SPEC)
    def encode(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.nn.relu(tf.matmul(x, self.features))}


def lite(key: str) -> schema.ModelT:
    made = tf.lite.TFLiteConverter.from_saved_model(str(folder / "signatures"), signature_keys=[key]).convert()
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(made), 0))


def joined(first: str, second: str) -> schema.ModelT:
    """Two files as two subgraphs of one."""
    one, two = lite(first), lite(second)
    for graph in two.subgraphs:
        for tensor in graph.tensors:
            tensor.buffer += len(one.buffers)
        for operator in graph.operators:
            operator.opcodeIndex += len(one.operatorCodes)
    two.signatureDefs[0].subgraphIndex = 1
    for part in ("buffers", "operatorCodes", "subgraphs", "signatureDefs"):
        setattr(one, part, [*getattr(one, part), *getattr(two, part)])
    return one


def write(model: schema.ModelT, name: str) -> None:
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    (folder / name).write_bytes(bytes(builder.Output()))


net = Net()
signatures = {"serving_default": net.serve, "encode": net.encode}
tf.saved_model.save(net, str(folder / "signatures"), signatures=signatures)
write(joined("serving_default", "encode"), "two.tflite")
write(joined("encode", "serving_default"), "last.tflite")
misled = joined("serving_default", "encode")
serving, other = misled.signatureDefs
serving.signatureKey, other.signatureKey = other.signatureKey, serving.signatureKey
write(misled, "misled.tflite")


def edited(name: str, change: Callable[[Any, Any], None]) -> None:
    """A SavedModel whose definition of its signature is changed, and what is loaded by it is not."""
    shutil.copytree(folder / "both", folder / name)
    saved = saved_model_pb2.SavedModel.FromString((folder / "both" / "saved_model.pb").read_bytes())
    change(saved.meta_graphs[0].signature_def["serving_default"], saved.meta_graphs[0].graph_def)
    (folder / name / "saved_model.pb").write_bytes(saved.SerializeToString())


def exchange(tensors: Any, one: str, two: str) -> None:
    tensors[one].name, tensors[two].name = tensors[two].name, tensors[one].name


def call_another(definition: Any, graph: Any) -> None:
    calls = [node for node in graph.node if node.op == "StatefulPartitionedCall"]
    called = next(node for node in calls if definition.outputs["a"].name.startswith(f"{node.name}:"))
    called.attr["f"].func.name = next(
        one.signature.name for one in graph.library.function if "both" in one.signature.name
    )


tf.saved_model.save(net, str(folder / "both"), signatures=net.both)
edited("swapped", lambda definition, graph: exchange(definition.inputs, "x", "z"))
edited("renamed", lambda definition, graph: exchange(definition.outputs, "a", "b"))
edited("elsewhere", call_another)

double = lite("serving_default")
double.signatureDefs = [*double.signatureDefs, *lite("serving_default").signatureDefs]
write(double, "double.tflite")
inner = lite("encode")
inner.subgraphs[0].outputs = list(inner.subgraphs[0].inputs)
write(inner, "inner.tflite")

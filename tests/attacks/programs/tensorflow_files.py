"""TensorFlow files that would write or read files of the machine: `python tensorflow_files.py FOLDER`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np
import tensorflow as tf
from places import Place, make_all
from tensorflow.core.protobuf import saved_model_pb2

SPEC = tf.TensorSpec([None, 4], tf.float32, name="x")
Function = Callable[[Any], Any]


class Module(tf.Module):
    """A function of one input, with a variable."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.scale = tf.Variable(2.0)
        self._function = function

    @tf.function(input_signature=[SPEC])
    def __call__(self, x: Any) -> Any:
        """What the attack does, and a product."""
        return {"y": self._function(x) * self.scale}


def saved(place: Place, function: Function) -> None:
    """A SavedModel of a function."""
    module = Module(function)
    tf.saved_model.save(module, str(place.model / "model"), signatures=module.__call__)


def frozen(place: Place, function: Function) -> None:
    """A frozen graph of a function."""
    graph = tf.function(function, input_signature=[SPEC]).get_concrete_function().graph
    (place.model / "model.pb").write_bytes(graph.as_graph_def().SerializeToString())


def writing(place: Place) -> Function:
    """Writes a file, and gives its input back."""

    def function(x: Any) -> Any:
        with tf.control_dependencies([tf.io.write_file(place.marker, "ran")]):
            return tf.identity(x)

    return function


def reading(place: Place) -> Function:
    """Adds a number of a file."""
    return lambda x: x + tf.io.decode_raw(tf.io.read_file(place.secret), tf.float32)[0]


def file_written(place: Place) -> None:
    """WriteFile in the signature's function."""
    saved(place, writing(place))


def file_read(place: Place) -> None:
    """ReadFile, whose bytes reach the outputs."""
    saved(place, reading(place))


def printed_to_file(place: Place) -> None:
    """PrintV2 to a file."""

    def function(x: Any) -> Any:
        with tf.control_dependencies([tf.print("ran", output_stream=f"file://{place.marker}")]):
            return tf.identity(x)

    saved(place, function)


def deep_in_the_library(place: Place) -> None:
    """WriteFile in a branch of a function that a function of the library calls."""

    @tf.function(autograph=False)
    def inner(x: Any) -> Any:
        return tf.cond(tf.reduce_sum(x) > -1e30, lambda: writing(place)(x), lambda: x)

    saved(place, lambda x: inner(x) + 0.0)


class Initialised(tf.saved_model.experimental.TrackableResource):
    """Writes a file when it is made."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def _create_resource(self) -> Any:
        return tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[])

    def _initialize(self) -> None:
        tf.io.write_file(self._path, "ran")


def at_load(place: Place) -> None:
    """WriteFile in the initialiser that runs while the model is loaded."""
    module = Module(lambda x: x)
    module.resource = Initialised(place.marker)
    tf.saved_model.save(module, str(place.model / "model"), signatures=module.__call__)


def variables_of_others(place: Place) -> None:
    """RestoreV2 of another model's variables in the signature's function."""
    other = str(place.folder / "other")
    tf.raw_ops.SaveV2(prefix=other, tensor_names=["v"], shape_and_slices=[""], tensors=[tf.constant(7.25)])
    saved(
        place,
        lambda x: (
            x + tf.raw_ops.RestoreV2(prefix=other, tensor_names=["v"], shape_and_slices=[""], dtypes=[tf.float32])[0]
        ),
    )


def variables_saved(place: Place) -> None:
    """SaveV2 in the signature's function."""

    def function(x: Any) -> Any:
        save = tf.raw_ops.SaveV2(
            prefix=place.marker, tensor_names=["v"], shape_and_slices=[""], tensors=[tf.constant(1.0)]
        )
        with tf.control_dependencies([save]):
            return tf.identity(x)

    saved(place, function)


def files_listed(place: Place) -> None:
    """MatchingFiles: how many files a folder of the machine has."""
    pattern = str(place.folder.parent / "*")
    saved(place, lambda x: x + tf.cast(tf.size(tf.io.matching_files(pattern)), tf.float32))


def python_called(place: Place) -> None:
    """A Python function, by its number in this process."""
    saved(place, lambda x: tf.ensure_shape(tf.py_function(lambda y: y, [x], tf.float32), [None, 4]))


def memory_mapped(place: Place) -> None:
    """A constant that is a file."""
    saved(
        place, lambda x: x + tf.raw_ops.ImmutableConst(dtype=tf.float32, shape=[64], memory_region_name=place.secret)[0]
    )


def lines_read(place: Place) -> None:
    """A data set of a file's lines."""
    saved(place, lambda x: x + tf.data.TextLineDataset(place.secret).reduce(0.0, lambda total, _: total + 1.0))


def asset_outside(place: Place) -> None:
    """An asset whose file lies outside the folder."""
    word = place.model / "words.txt"
    word.write_text("a\nb\n")
    table = tf.lookup.StaticVocabularyTable(
        tf.lookup.TextFileInitializer(
            str(word), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
        ), 1,
    )  # fmt: skip
    module = Module(lambda x: x + tf.cast(table.lookup(tf.constant("a")), tf.float32))
    module.table = table
    folder = place.model / "model"
    tf.saved_model.save(module, str(folder), signatures=module.__call__)
    word.unlink()
    proto = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    proto.meta_graphs[0].asset_file_def[0].filename = "../../../../secret"
    (folder / "saved_model.pb").write_bytes(proto.SerializeToString())


def linked_variables(place: Place) -> None:
    """Variables that are a link to a file of the machine."""
    saved(place, lambda x: x)
    data = place.model / "model" / "variables" / "variables.data-00000-of-00001"
    elsewhere = place.folder / "elsewhere"
    shutil.move(data, elsewhere)
    data.symlink_to(elsewhere)


def graph_in_chunks(place: Place) -> None:
    """A second graph beside the one that is inspected: TensorFlow's readers in C++ know graphs in chunks."""
    saved(place, lambda x: x)
    (place.model / "model" / "saved_model.cpb").write_bytes((place.model / "model" / "saved_model.pb").read_bytes())


def another_checkpoint(place: Place) -> None:
    """A saver that restores from a path of its own instead of the one that it is given."""
    folder = place.model / "model"
    saved(place, lambda x: x)
    proto = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    meta = proto.meta_graphs[0]
    path = meta.graph_def.node.add(name="path", op="Const")
    path.attr["dtype"].type = tf.string.as_datatype_enum
    path.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(place.secret))
    for node in meta.graph_def.node:
        if node.name == meta.saver_def.restore_op_name:
            node.input[0] = "path"
    (folder / "saved_model.pb").write_bytes(proto.SerializeToString())


def frozen_write(place: Place) -> None:
    """WriteFile in a frozen graph."""
    frozen(place, writing(place))


def frozen_read(place: Place) -> None:
    """ReadFile in a frozen graph."""
    frozen(place, reading(place))


def legitimate(folder: Path) -> None:
    """A SavedModel with control flow, random numbers that nothing depends on, a table made from the graph, and a message."""

    def function(x: Any) -> Any:
        table = tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, 0.0)
        table.insert(tf.constant([1], tf.int64), tf.constant([2.0]))
        with tf.control_dependencies([tf.print("harmless"), tf.debugging.Assert(True, ["harmless"])]):
            y = tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, tf.nn.relu(y)), (tf.constant(0), x))[1]
        return y + table.lookup(tf.constant([1], tf.int64))[0] + 0.0 * tf.reduce_sum(tf.random.uniform([2]))

    module = Module(function)
    tf.saved_model.save(module, str(folder / "legitimate"), signatures=module.__call__)
    np.save(folder / "x.npy", np.ones((2, 4), np.float32))


ATTACKS = {
    one.__name__: one
    for one in (
        file_written, file_read, printed_to_file, deep_in_the_library, at_load, variables_of_others, variables_saved, files_listed,
        python_called, memory_mapped, lines_read, asset_outside, linked_variables, another_checkpoint, graph_in_chunks, frozen_write, frozen_read,
    )
}  # fmt: skip

if __name__ == "__main__":
    make_all(ATTACKS, Path(sys.argv[1]))
    legitimate(Path(sys.argv[1]))

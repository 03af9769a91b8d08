"""A graph that is tidied holds its weights once."""

from __future__ import annotations

import gc

import numpy as np
import onnx
import psutil
from onnx import TensorProto, helper, numpy_helper

from safeconvert.graph.view import GraphView, tidy

SIZE = 96 << 20


def tidied() -> GraphView:
    weights = [numpy_helper.from_array(np.ones(SIZE // 4, np.float32), name) for name in ("weights",)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [SIZE // 4]) for name in "xy"]
    node = helper.make_node("Add", ["x", "weights"], ["y"])
    return tidy(helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:], weights)))


def test_weights_are_there_once() -> None:
    process = psutil.Process()
    gc.collect()
    before = process.memory_info().rss
    view = tidied()
    gc.collect()
    assert process.memory_info().rss - before < 1.5 * SIZE
    assert [tensor.name for tensor in view.model.graph.initializer] == ["weights"]


def test_weights_that_nobody_reads_are_dropped_and_the_others_keep_their_order() -> None:
    weights = [numpy_helper.from_array(np.float32([number]), name) for number, name in enumerate("abcd")]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    node = helper.make_node("Sum", ["x", "d", "b"], ["y"])
    model: onnx.ModelProto = helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:], weights))
    assert [tensor.name for tensor in tidy(model).model.graph.initializer] == ["b", "d"]

"""Mistakes of the paper's converters that today's no longer make, put into the ONNX form on its way to Keras."""

from __future__ import annotations

import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper


def channels_last(model: onnx.ModelProto) -> None:
    """The input as NHWC behind a Transpose that also swaps height and width (cases 4, 13, 14)."""
    graph = model.graph
    value = next(v for v in graph.input if v.name not in {t.name for t in graph.initializer})
    dims = [(d.dim_param or d.dim_value) for d in value.type.tensor_type.shape.dim]
    moved = f"{value.name}_nchw"
    for node in graph.node:
        node.input[:] = [moved if name == value.name else name for name in node.input]
    value.CopyFrom(helper.make_tensor_value_info(value.name, 1, [dims[0], dims[2], dims[3], dims[1]]))
    graph.node.insert(0, helper.make_node("Transpose", [value.name], [moved], "input_transpose", perm=[0, 3, 2, 1]))


def swapped(model: onnx.ModelProto) -> None:
    """Height and width swapped in the Transpose that exporters put behind an NHWC input (case 13)."""
    transpose = next(node for node in model.graph.node if node.op_type == "Transpose")
    transpose.attribute[0].ints[:] = [0, 3, 2, 1]


def normalising(model: onnx.ModelProto) -> None:
    """InceptionV3's input transform on an NHWC input, its axes moved along but the Transpose behind it wrong (case 14)."""
    graph = model.graph
    value = next(v for v in graph.input if v.name not in {t.name for t in graph.initializer})
    reached, axes = {value.name}, []
    for node in graph.node:
        if not reached & set(node.input):
            continue
        for attribute in node.attribute:
            if node.op_type in ("Gather", "Concat") and attribute.name == "axis":
                attribute.i = 3
        if node.op_type in ("Unsqueeze", "Slice"):
            axes.append(node.input[-1] if node.op_type == "Unsqueeze" else node.input[3])
        if node.op_type == "Conv":
            break
        reached.update(node.output)
        last = node
    for tensor in graph.initializer:
        if tensor.name in axes:
            tensor.CopyFrom(numpy_helper.from_array(np.array([3], np.int64), tensor.name))
    made = last.output[0]
    for node in graph.node:
        node.input[:] = [f"{made}_nchw" if name == made else name for name in node.input]
    dims = [(d.dim_param or d.dim_value) for d in value.type.tensor_type.shape.dim]
    value.CopyFrom(helper.make_tensor_value_info(value.name, 1, [dims[0], dims[2], dims[3], dims[1]]))
    place = list(graph.node).index(last) + 1
    wrong = helper.make_node("Transpose", [made], [f"{made}_nchw"], "input_transpose", perm=[0, 3, 2, 1])
    graph.node.insert(place, wrong)


def pads(model: onnx.ModelProto, count: int = 3) -> None:
    """Symmetric padding put on one side only, in Pad, Conv and MaxPool nodes (cases 11 and 13)."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    done = 0
    for node in model.graph.node:
        if done == count:
            return
        if node.op_type == "Pad" and node.input[1] in constants:
            old = numpy_helper.to_array(constants[node.input[1]])
            new = np.concatenate([np.zeros(len(old) // 2, old.dtype), old[: len(old) // 2] + old[len(old) // 2 :]])
            name = f"{node.name}_pads"
            model.graph.initializer.append(numpy_helper.from_array(new, name))
            node.input[1] = name
            done += 1
        for attribute in node.attribute:
            given = list(attribute.ints)
            if node.op_type in ("Conv", "MaxPool") and attribute.name == "pads" and any(given):
                half = len(given) // 2
                attribute.ints[:] = [0] * half + [a + b for a, b in zip(given[:half], given[half:], strict=True)]
                done += 1


def extra_outputs(model: onnx.ModelProto) -> None:
    """Two outputs more (case 11)."""
    inferred = onnx.shape_inference.infer_shapes(model)
    known = {value.name: value for value in inferred.graph.value_info}
    found = [node.output[0] for node in model.graph.node if node.op_type == "Relu" and node.output[0] in known]
    model.graph.output.extend(known[name] for name in found[3:5])


def extra_node(model: onnx.ModelProto) -> None:
    """A scaling that the source does not have (case 13)."""
    graph = model.graph
    place = next(n for n, node in enumerate(graph.node) if node.op_type == "Relu")
    made = graph.node[place].output[0]
    for node in graph.node:
        node.input[:] = [f"{made}_scaled" if name == made else name for name in node.input]
    graph.initializer.append(numpy_helper.from_array(np.array(0.8, np.float32), "extra_factor"))
    graph.node.insert(place + 1, helper.make_node("Mul", [made, "extra_factor"], [f"{made}_scaled"], "extra_scale"))


FAULTS = {f.__name__: f for f in (channels_last, swapped, normalising, pads, extra_outputs, extra_node)}


if __name__ == "__main__":
    path, target, *names = sys.argv[1:]
    graph = onnx.load(path)
    for each in names:
        FAULTS[each](graph)
    onnx.checker.check_model(graph)
    onnx.save(graph, target)

"""Mistakes of the paper's converters that today's no longer make, put into the ONNX form on its way to Keras, or into Keras."""

from __future__ import annotations

import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.graph.view import tidy


def swapped(path: str) -> None:
    """Height and width of a Keras model's input swapped by a Permute behind it (cases 4, 13 and 14)."""
    import keras

    model = keras.models.load_model(path, compile=False)
    given = keras.Input(model.inputs[0].shape[1:], name="pictures")
    keras.Model(given, model(keras.layers.Permute((2, 1, 3), name="input_permute")(given))).save(path)


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


FAULTS = {f.__name__: f for f in (pads, extra_outputs, extra_node)}


if __name__ == "__main__":
    path, target, *names = sys.argv[1:]
    if names == ["swapped"]:
        swapped(path)
        raise SystemExit
    graph = tidy(onnx.load(path)).model
    for each in names:
        FAULTS[each](graph)
    onnx.checker.check_model(graph)
    onnx.save(graph, target)

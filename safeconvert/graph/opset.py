"""Bring a graph to an operator set that a converter reads."""

from __future__ import annotations

import onnx
from onnx import defs, helper, numpy_helper, version_converter

from safeconvert.graph.nodes import explicit_attributes, opset_of

_REFUSALS = (RuntimeError, onnx.checker.ValidationError, version_converter.ConvertError)


def at_most(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """The model in the default operator set `opset`, where it is in a later one.

    Where onnx' version converter cannot convert downwards, the nodes are written in the older set where it has their meaning. Where it
    has not, the model is given back as it is: a converter may still read it, and its error names what it does not.
    """
    if opset_of(model) <= opset:
        return model
    try:
        return version_converter.convert_version(model, opset)
    except _REFUSALS:
        return _relabelled(model, opset) or model


def at_least(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """The model in the default operator set `opset`, where it is in an earlier one and can be converted upwards."""
    if opset_of(model) >= opset:
        return model
    try:
        return version_converter.convert_version(model, opset)
    except _REFUSALS:
        return model


def _relabelled(model: onnx.ModelProto, opset: int) -> onnx.ModelProto | None:
    """The nodes in the older set, as far as it has their operators and attributes; None where it has not."""
    current = opset_of(model)
    older = onnx.ModelProto()
    older.CopyFrom(model)
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in older.graph.initializer}
    values |= {
        node.output[0]: numpy_helper.to_array(node.attribute[0].t)
        for node in older.graph.node
        if node.op_type == "Constant" and node.attribute[0].name == "value"
    }
    for node in older.graph.node:
        if node.domain not in ("", "ai.onnx"):
            continue
        if not defs.has(node.op_type, opset, ""):
            return None
        ours, theirs = defs.get_schema(node.op_type, current, ""), defs.get_schema(node.op_type, opset, "")
        if ours.since_version == theirs.since_version:
            continue
        given = [index for index, name in enumerate(node.input) if name and index >= theirs.max_input]
        if given and not (given == [1] and node.input[1] in values and "axes" in theirs.attributes):
            return None
        if given:
            node.attribute.append(helper.make_attribute("axes", values[node.input[1]].tolist()))
        del node.input[theirs.max_input :]
        for name, value in explicit_attributes(node).items():
            if name in theirs.attributes:
                continue
            default = ours.attributes[name].default_value if name in ours.attributes else None
            usual = default is not None and default.type and helper.get_attribute_value(default)
            usual = usual.decode() if isinstance(usual, bytes) else usual
            if value != usual and name != "num_outputs":
                return None
            kept = [attribute for attribute in node.attribute if attribute.name != name]
            del node.attribute[:]
            node.attribute.extend(kept)
    for entry in older.opset_import:
        if entry.domain in ("", "ai.onnx"):
            entry.version = opset
    del older.graph.value_info[:]
    return older

"""Write operators that a converter lacks by their ONNX definition."""

from __future__ import annotations

import onnx
from onnx import defs, inliner

from safeconvert.graph.nodes import opset_of
from safeconvert.graph.shapes import inferred

_DOMAIN = "safeconvert.expanded"
_ROUNDS = 4
_BODIES = (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Replace every operator that ONNX defines as a function and the converter does not read, by that definition.

    onnx2keras 0.0.25 dies with KeyError on what it does not know (HardSigmoid and HardSwish of MobileNetV3, Gelu, Softplus),
    onnx2torch 1.5.15 with NotImplementedError (GroupNormalization, Mish, Attention), and it leaves out the mean and deviation that
    a LayerNormalization gives besides. Definitions that contain operators of the same sort are expanded in turn; those that are
    loops (Range) are not taken.
    """
    for _ in range(_ROUNDS if reads else 0):
        expanded = _expanded(model, reads)
        if expanded is None:
            break
        model = expanded
    return model


def _expanded(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto | None:
    unread = [
        (number, node)
        for number, node in enumerate(model.graph.node)
        if node.domain in ("", "ai.onnx") and defs.has(node.op_type, "")
        if node.op_type not in reads or (node.op_type == "LayerNormalization" and any(node.output[1:]))
    ]
    if not unread:
        return None
    known = inferred(model)
    types = {value.name: value.type for value in [*known.input, *known.value_info, *known.output]}
    for tensor in model.graph.initializer:
        types[tensor.name] = onnx.helper.make_tensor_type_proto(tensor.data_type, list(tensor.dims))
    opset = opset_of(model)
    found = False
    for number, node in unread:
        function = _definition(node, opset, types)
        if function is None:
            continue
        if any(attribute.type in _BODIES for inner in function.node for attribute in inner.attribute):
            continue
        found = True
        _say_defaults(node, opset)
        function.name, function.domain = f"{node.op_type}_{number}", _DOMAIN
        del function.opset_import[:]
        function.opset_import.append(onnx.helper.make_opsetid("", opset))
        model.functions.append(function)
        node.op_type, node.domain = function.name, _DOMAIN
    if not found:
        return None
    model.opset_import.append(onnx.helper.make_opsetid(_DOMAIN, 1))
    inlined = inliner.inline_local_functions(model)
    kept = [entry for entry in inlined.opset_import if entry.domain != _DOMAIN]
    del inlined.opset_import[:]
    inlined.opset_import.extend(kept)
    return inlined


def _say_defaults(node: onnx.NodeProto, opset: int) -> None:
    """Write defaults out: a definition refers to attributes of the node, and what is unsaid would be missing there."""
    schema = (
        defs.get_schema(node.op_type, opset, "") if defs.has(node.op_type, opset, "") else defs.get_schema(node.op_type)
    )
    known = {attribute.name for attribute in node.attribute}
    for name, attribute in schema.attributes.items():
        if name not in known and attribute.default_value.type != onnx.AttributeProto.UNDEFINED:
            node.attribute.append(attribute.default_value)


def _definition(node: onnx.NodeProto, opset: int, types: dict[str, onnx.TypeProto]) -> onnx.FunctionProto | None:
    """The operator's definition: of the model's operator set, else of the newest one that has any"""
    for schema in (defs.get_schema(node.op_type, opset, "") if defs.has(node.op_type, opset, "") else None,
                   defs.get_schema(node.op_type, "")):  # fmt: skip
        if schema is None:
            continue
        if schema.has_context_dependent_function:
            empty = onnx.TypeProto()
            given = [types.get(name, empty).SerializeToString() for name in node.input]
            body = schema.get_context_dependent_function(node.SerializeToString(), given)
            return onnx.FunctionProto.FromString(body)
        if schema.has_function:
            return onnx.FunctionProto.FromString(schema.function_body.SerializeToString())
    return None

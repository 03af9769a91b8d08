"""Walk an ONNX graph and say each node in a back end's primitives.

What depends on nothing but constants is folded with onnx' own reference; an operator without a module here is replaced by the
body that its schema defines, where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from .declared import Shape, declared, spread
from .given import on_given
from .lengths import lengths
from .loops import inside
from .node import Node
from .sizes import is_sizes, on_sizes
from .table import OPERATORS, READS_SIZES

_RANDOM = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"}
_AI_ONNX = ("", "ai.onnx")
_BODIES = {"CenterCropPad"}  # written as their schema's body, once a parameter is settled


@dataclass(frozen=True)
class _Scope:
    backend: Any
    opsets: Mapping[str, int]
    prefix: str = ""
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)


def walk(
    model: onnx.ModelProto,
    backend: Any,
    feeds: Mapping[str, Any],
    constants: Mapping[str, np.ndarray],
    told: dict[str, str] | None = None,
) -> list[Any]:
    """The graph's outputs, in order.

    Args:
        model: without functions of its own (see `read.plain`).
        backend: the primitives.
        feeds: a tensor for each graph input.
        constants: the initializers.
        told: takes what parameters that are inputs of the model were settled by, by the parameter.

    Raises:
        NotImplementedError: an operator cannot be expressed; the message names it and its node.
    """
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    shapes = declared((*model.graph.value_info, *model.graph.output))
    told = {} if told is None else told
    known = lengths(model.graph.node, shapes, feeds, constants, told)
    values: dict[str, Any] = {**constants, **feeds, **known}
    _run(_Scope(backend, opsets, "", shapes, told), model.graph.node, values)
    return [values[value.name] for value in model.graph.output]


def _run(scope: _Scope, nodes: Sequence[onnx.NodeProto], values: dict[str, Any]) -> None:
    scalars = {name for name, value in values.items() if _is_scalar(scope.backend, value)}
    scalars |= {node.output[0] for node in nodes if node.op_type == "Constant" and _holds_scalar(node)}
    scope = replace(scope, shapes=spread(nodes, scope.shapes, scalars))
    for number, node in enumerate(nodes):
        name = f"{scope.prefix}{node.name or f'{node.op_type}_{number}'}"
        results = _apply(scope, node, name, [values[i] if i else None for i in node.input], values)
        values.update({output: result for output, result in zip(node.output, results, strict=False) if output})


def _apply(
    scope: _Scope, proto: onnx.NodeProto, name: str, inputs: list[Any], values: Mapping[str, Any]
) -> Sequence[Any]:
    operator = proto.op_type
    attributes = {a.name: helper.get_attribute_value(a) for a in proto.attribute}
    opset = scope.opsets.get(proto.domain, 1) if proto.domain not in _AI_ONNX else _default(scope.opsets)
    shapes = [scope.shapes.get(output) for output in proto.output]
    node = Node(scope.backend, operator, name, opset, attributes, inputs, list(proto.output), shapes, scope.told)
    if proto.domain not in _AI_ONNX:
        raise node.refuse(f"of the domain {proto.domain} is not among ONNX' own operators")
    if operator in _RANDOM:
        raise node.refuse("gives random numbers, so that no two runs are the same")
    if operator in ("If", "Loop", "Scan"):

        def run(nodes: Sequence[onnx.NodeProto], inner: dict[str, Any], prefix: str) -> None:
            _run(replace(scope, prefix=prefix, shapes={}), nodes, inner)

        return inside(run, node, values)
    if operator == "SequenceMap":
        raise node.refuse("is not supported")
    present = [value for value in inputs if value is not None]
    if all(isinstance(value, np.ndarray) and not is_sizes(value) for value in present):
        folded = _folded(proto, inputs, opset)
        if folded is not None:
            return folded
    if any(is_sizes(value) for value in present):
        sized = on_sizes(operator, node, inputs)
        if sized is not None:
            return [sized.astype(bool) if operator == "Equal" else sized]
        if operator not in READS_SIZES:
            node = replace(node, inputs=[scope.backend.sizes_tensor(v) if is_sizes(v) else v for v in inputs])
    if operator in OPERATORS or operator in _BODIES:
        try:
            apply = OPERATORS.get(operator) or (lambda known: _body(scope, proto, known)[0])
            results = on_given(node, apply)
            results = apply(node) if results is None else results
        except KeyError as error:
            raise node.refuse(f"has no counterpart for {error}") from error
        return results if isinstance(results, tuple) else [results]
    return _body(scope, proto, node)


def _is_scalar(backend: Any, value: Any) -> bool:
    return value is not None and not isinstance(value, list) and tuple(backend.shape(value)) == ()


def _holds_scalar(node: onnx.NodeProto) -> bool:
    (attribute,) = node.attribute
    if attribute.name == "value":
        return not attribute.t.dims
    return attribute.name in ("value_float", "value_int")


def _default(opsets: Mapping[str, int]) -> int:
    return next((opsets[domain] for domain in _AI_ONNX if domain in opsets), 1)


def _folded(proto: onnx.NodeProto, inputs: Sequence[Any], opset: int) -> list[np.ndarray] | None:
    """The outputs of a node whose inputs are all known, from onnx' reference; None where it cannot compute them."""
    names = [name for name in proto.input if name]
    given = {name: value for name, value in zip(proto.input, inputs, strict=True) if name}
    outputs = [name for name in proto.output if name]
    graph = helper.make_graph(
        [proto],
        "constant",
        [
            helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(given[n].dtype), given[n].shape)
            for n in dict.fromkeys(names)
        ],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
    )
    try:
        results = ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])).run(
            None, given
        )
    except Exception:  # noqa: BLE001 - the reference raises anything for what it does not know; the operator's module is next
        return None
    found = dict(zip(outputs, results, strict=True))
    if not all(isinstance(value, (np.ndarray, np.generic)) for value in found.values()):
        return None
    return [np.asarray(found[name]) if name else None for name in proto.output]  # type: ignore[misc]


def _body(scope: _Scope, proto: onnx.NodeProto, node: Node) -> Sequence[Any]:
    """Run the function that an operator's schema defines it by."""
    try:
        schema = onnx.defs.get_schema(node.operator, node.opset, "")
    except onnx.defs.SchemaError as error:
        raise node.refuse("is not among ONNX' own operators") from error
    function = _function(schema, proto, node)
    if function is None:
        raise node.refuse("is not supported")
    given = {a.name: a for a in proto.attribute}
    for name, attribute in schema.attributes.items():
        if name not in given and attribute.default_value.name:
            given[name] = attribute.default_value
    nodes = [_with_attributes(inner, given) for inner in function.node]
    padded = list(node.inputs) + [None] * (len(function.input) - len(node.inputs))
    values: dict[str, Any] = dict(zip(function.input, padded, strict=False))
    opsets = {entry.domain: entry.version for entry in function.opset_import} or scope.opsets
    shapes = {name: shape for name, shape in zip(function.output, node.declared, strict=False) if shape is not None}
    _run(replace(scope, opsets=opsets, prefix=f"{node.name}/", shapes=shapes), nodes, values)
    return [values.get(name) for name in function.output]


def _function(schema: Any, proto: onnx.NodeProto, node: Node) -> onnx.FunctionProto | None:
    if schema.has_function:
        return schema.function_body
    if not schema.has_context_dependent_function:
        return None
    types = [_type(node.backend, value).SerializeToString() for value in node.inputs]
    versions = [version for version in schema.context_dependent_function_opset_versions if version <= node.opset]
    made = schema.get_context_dependent_function_with_opset_version(
        versions[-1] if versions else schema.since_version, proto.SerializeToString(), types
    )
    return onnx.FunctionProto.FromString(made)


def _type(backend: Any, value: Any) -> onnx.TypeProto:
    if value is None:
        return onnx.TypeProto()
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(backend.dtype(value)))
    shape = [size if isinstance(size, int) else None for size in backend.shape(value)]
    return helper.make_tensor_type_proto(kind, shape)


def _with_attributes(node: onnx.NodeProto, given: Mapping[str, onnx.AttributeProto]) -> onnx.NodeProto:
    """A function's node with the attributes of the call that it refers to."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    del copy.attribute[:]
    for attribute in node.attribute:
        if not attribute.ref_attr_name:
            copy.attribute.append(attribute)
        elif attribute.ref_attr_name in given:
            made = copy.attribute.add()
            made.CopyFrom(given[attribute.ref_attr_name])
            made.name = attribute.name
    return copy

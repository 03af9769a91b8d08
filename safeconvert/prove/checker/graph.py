"""An ONNX graph as it lies in its file: types at concrete sizes, what is constant, and parts of it read into terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import defs, helper, inliner, numpy_helper, shape_inference

from safeconvert.core.evaluator import evaluator
from safeconvert.core.reference import told
from safeconvert.core.tensors import array_of
from safeconvert.prove.axioms.loops import holds_graph, unrolled
from safeconvert.prove.axioms.same import RANDOM, same
from safeconvert.prove.axioms.table import RULES
from safeconvert.prove.checker.free_sizes import depending, harmless, spread
from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.node import Node, Shape
from safeconvert.prove.kernel.terms import Array, Refused, Store

_FLOATING = {onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16}
_TELLING = 1024  # elements; no shape depends on a constant of more


@dataclass
class Graph:
    """A graph at concrete sizes of its inputs; `kinds` and `shapes` of tensors are what inference tells, node by node; `sized` are constants of free sizes,
    `told` those by which the course of loops was told."""

    nodes: list[onnx.NodeProto]
    opsets: Mapping[str, int]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    kinds: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    constants: dict[str, Array] = field(default_factory=dict)
    sized: set[str] = field(default_factory=set)
    spread: set[str] = field(default_factory=set)
    maker: dict[str, int] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)


def read(model: onnx.ModelProto, sizes: Mapping[str, Shape], others: Mapping[str, Shape]) -> Graph:
    """Read a model whose inputs have the given sizes, and could have others. Raises Refused for what sizes or format do not allow."""
    found = _at(model, sizes, {})
    if sizes != others:
        found.sized = depending(found.nodes, found.constants, there := _at(model, others, found.constants).constants)
        found.spread = spread(found.nodes, found.sized, found.constants, there)
        if found.told & found.sized:
            raise Refused("a loop takes as many steps as a free size says")
    return found


def _at(model: onnx.ModelProto, sizes: Mapping[str, Shape], known: Mapping[str, Array]) -> Graph:
    """At some sizes; constants `known` at others are taken where what they are computed of is the same."""
    graph = (inliner.inline_local_functions(model) if model.functions else model).graph
    values = {one.name: known[one.name] if one.name in known else array_of(one) for one in graph.initializer}
    inputs = [value for value in graph.input if value.name not in values]
    opsets = {entry.domain if entry.domain != "ai.onnx" else "": int(entry.version) for entry in model.opset_import}
    found = Graph([], opsets, tuple(v.name for v in inputs), tuple(v.name for v in graph.output))
    for value in inputs:
        declared = [d.dim_value for d in value.type.tensor_type.shape.dim]
        size = sizes.get(value.name, ())
        if len(declared) != len(size) or any(s < 1 or d not in (0, s) for d, s in zip(declared, size, strict=True)):
            raise Refused(f"input {value.name} does not take {list(size)}")
        found.kinds[value.name], found.shapes[value.name] = value.type.tensor_type.elem_type, tuple(size)
    for name, array in values.items():
        _keep(found, name, array)
    for node in unrolled(graph.node, found.constants, found.told):
        found.maker.update({name: len(found.nodes) for name in node.output if name})
        found.nodes.append(node)
        _infer(found, node, known)
    names = [*found.inputs, *values, *(name for node in found.nodes for name in node.output if name)]
    if len(set(names)) != len(names) or graph.sparse_initializer:
        raise Refused("a tensor is made twice, or is sparse")
    return found


def _keep(graph: Graph, name: str, array: Array) -> None:
    graph.constants[name], graph.shapes[name] = array, array.shape
    graph.kinds[name] = helper.np_dtype_to_tensor_dtype(array.dtype)


def _infer(graph: Graph, node: onnx.NodeProto, known: Mapping[str, Array]) -> None:
    """What a node makes: its value where it is constant, else kinds and shapes; nothing where these cannot be told."""
    reads = [name for name in node.input if name]
    if not _domain(node) and node.op_type == "Shape" and reads[0] in graph.shapes:
        place = slice(*({a.name: a.i for a in node.attribute}.get(name) for name in ("start", "end")))
        _keep(graph, node.output[0], np.asarray(graph.shapes[reads[0]][place], np.int64))
        return
    if any(name not in graph.kinds for name in reads) or holds_graph(node) or node.op_type in RANDOM - {"Dropout"}:
        return
    if all(name in graph.constants for name in reads) and told(node, graph.opsets.get(_domain(node), 0)):
        feeds, named = {name: graph.constants[name] for name in reads}, [name for name in node.output if name]
        same = all(array is known.get(name) for name, array in feeds.items()) and known.keys() >= set(named)
        for name, array in zip(named, map(known.get, named) if same else _evaluated(graph, node, feeds), strict=False):
            _keep(graph, name, np.asarray(array))
        return
    types = {name: helper.make_tensor_type_proto(graph.kinds[name], graph.shapes[name]) for name in reads}
    given = {name: graph.constants[name] for name in reads if name in graph.constants}
    data = {name: numpy_helper.from_array(array, name) for name, array in given.items() if array.size <= _TELLING}
    try:
        schema = defs.get_schema(node.op_type, graph.opsets[_domain(node)], _domain(node))
        made = shape_inference.infer_node_outputs(schema, node, types, data, opset_imports=_opsets(graph))
    except (KeyError, defs.SchemaError, shape_inference.InferenceError, onnx.checker.ValidationError):
        return
    for name, kind in made.items():
        dims = kind.tensor_type.shape.dim
        if kind.tensor_type.HasField("shape") and all(d.HasField("dim_value") for d in dims):
            graph.kinds[name], graph.shapes[name] = kind.tensor_type.elem_type, tuple(d.dim_value for d in dims)


def _evaluated(graph: Graph, node: onnx.NodeProto, feeds: dict[str, Array]) -> list[Array]:
    """What a node makes of constants; nothing where the evaluator does not know it."""
    inputs = [helper.make_tensor_value_info(name, graph.kinds[name], list(a.shape)) for name, a in feeds.items()]
    outputs = [helper.make_empty_tensor_value_info(name) for name in node.output if name]
    alone = helper.make_model(helper.make_graph([node], "constant", inputs, outputs), opset_imports=_opsets(graph))
    try:
        return list(evaluator(alone).run(None, feeds))
    except (RuntimeError, TypeError, ValueError, KeyError, IndexError, AttributeError):
        return []


def part(graph: Graph, store: Store, tensor: str, known: Mapping[str, Value]) -> Value:
    """A tensor as a value of those that are known. Raises Refused where it depends on others, or on what cannot be read."""
    values: dict[str, Value] = dict(known)
    for number in between(graph, tensor, known):
        values.update(made(graph, store, graph.nodes[number], values))
    if tensor not in values:
        raise Refused(f"{tensor} is constant or unknown")
    return values[tensor]


def made(graph: Graph, store: Store, node: onnx.NodeProto, values: Mapping[str, Value]) -> dict[str, Value]:
    """The outputs of a node by name, from values of what it reads. Raises Refused where these cannot be told."""
    reads = ((index, name) for index, name in enumerate(node.input) if name in graph.sized)
    if not all(harmless(node, index, name in graph.spread) for index, name in reads):
        raise Refused(f"{node.op_type}: computes with a size that is free")
    operands = tuple(values.get(name, graph.constants.get(name)) if name else None for name in node.input)
    named = [name for name in node.output if name]
    unread = [name for name, operand in zip(node.input, operands, strict=True) if name and operand is None]
    if unknown := unread + [name for name in named if name not in graph.shapes]:
        raise Refused(f"{node.op_type}: {unknown[0]} is not known")
    schema = defs.get_schema(node.op_type, graph.opsets[_domain(node)], _domain(node))
    operator, floating = (_domain(node), node.op_type, schema.since_version), graph.kinds[named[0]] in _FLOATING
    shapes = tuple(graph.shapes[o] if o else None for o in node.output)
    n = Node(store, operator, _attributes(node, schema), operands, shapes, floating)
    return dict(zip(named, _outputs(n), strict=True))


def between(graph: Graph, tensor: str, known: Mapping[str, Any]) -> list[int]:
    """Numbers of the nodes between known tensors and a tensor. Raises Refused where an input of the graph is reached."""
    queue, found = [tensor], set[int]()
    while queue:
        name = queue.pop()
        if not name or name in known or name in graph.constants:
            continue
        if name not in graph.maker:
            raise Refused(f"reads {name}, which is no cut point of the step")
        if graph.maker[name] not in found:
            found.add(graph.maker[name])
            queue += graph.nodes[graph.maker[name]].input
    return sorted(found)


def _outputs(n: Node) -> list[Value]:
    """What the axiom of a node's operator says of it, else that it is itself."""
    rule, used = same if n.operator[0] else RULES.get(n.operator[1], same), set(n.store.used)
    try:
        made = rule(n)
        if [value.shape for value in made] == [shape for shape in n.shapes if shape is not None]:
            return made
    except Refused:
        pass
    n.store.used = used
    return same(n)


def _attributes(node: onnx.NodeProto, schema: defs.OpSchema) -> dict[str, Any]:
    """Attributes with defaults written out, lists as tuples, tensors as their bytes; graphs stay what they are."""
    defaults = [a.default_value for a in schema.attributes.values() if a.default_value.type]
    return {a.name: _plain(helper.get_attribute_value(a)) for a in [*defaults, *node.attribute]}


def _plain(value: Any) -> Any:
    if isinstance(value, onnx.TensorProto):
        array = numpy_helper.to_array(value)
        return array.dtype.str, array.shape, array.tobytes().hex()
    value = value.decode("latin-1") if isinstance(value, bytes) else value
    return value if isinstance(value, int | float | str | onnx.GraphProto) else tuple(map(_plain, value))


def _domain(node: onnx.NodeProto) -> str:
    return "" if node.domain == "ai.onnx" else node.domain


def _opsets(graph: Graph) -> list[onnx.OperatorSetIdProto]:
    return [helper.make_opsetid(domain, version) for domain, version in graph.opsets.items()]

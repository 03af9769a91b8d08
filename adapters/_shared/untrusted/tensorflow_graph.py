"""The operators of a TensorFlow graph and its whole function library, checked before TensorFlow imports any of it.

Importing is enough to run some: shape inference evaluates constant parts of a graph, and the initialiser of a SavedModel runs at load. So
every node counts, whether an output needs it or not. Takes protobuf messages and imports nothing of TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .allowed import tensorflow_operators

_STREAMS = frozenset({b"", b"stdout", b"stderr", b"log(info)", b"log(warning)", b"log(error)"})


def check_graph(graph: Any, is_operator: Callable[[str], bool], savers: Savers | None = None) -> None:
    """Raise ValueError, with operator and node, where a graph holds what is not on the list.

    Args:
        graph: a GraphDef.
        is_operator: whether TensorFlow has an operator of this name: a function of the library may not have one.
        savers: the parts that only save and restore the model's own variables, where it has any.
    """
    functions = {function.signature.name for function in graph.library.function}
    for name in sorted(functions):
        if is_operator(name):
            raise ValueError(f"a function of its library is called {name}, as an operator is")
    for scope, nodes in scopes(graph):
        for node in nodes:
            if node.op in tensorflow_operators():
                if node.op == "PrintV2" and node.attr["output_stream"].s not in _STREAMS:
                    raise ValueError(
                        f"{_where(scope, node)} writes to {node.attr['output_stream'].s.decode(errors='replace')}"
                    )
            elif node.op not in functions and not (savers and savers.allows(scope, node)):
                raise ValueError(f"{_where(scope, node)} is not one that only computes")


def scopes(graph: Any) -> Iterator[tuple[str, Any]]:
    """The nodes of the graph ("") and of each function of its library."""
    yield "", graph.node
    for function in graph.library.function:
        yield function.signature.name, function.node_def


def called_functions(node: Any) -> Iterator[str]:
    """The functions that a node's attributes name, and the one that it may be itself."""
    yield node.op
    for value in node.attr.values():
        yield from ([value.func.name] if value.HasField("func") else [function.name for function in value.list.func])


def ancestors(nodes: Iterable[Any], roots: Iterable[str]) -> set[str]:
    """The names of the nodes from which any of the roots can be reached, over data and control edges, roots included."""
    by_name = {node.name: node for node in nodes}
    found: set[str] = set()
    waiting = [plain(root) for root in roots]
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in found:
            found.add(name)
            waiting += [plain(source) for source in by_name[name].input]
    return found


def plain(name: str) -> str:
    """The node of a tensor's or control edge's name."""
    return name.lstrip("^").split(":")[0]


def _where(scope: str, node: Any) -> str:
    return f"operator {node.op} of node {node.name}" + (f" in function {scope}" if scope else "")


class Savers:
    """The part of a MetaGraphDef that saves and restores its own variables, and nothing but that.

    Its operators read and write files by name, and are allowed only where no signature, initialiser or other function can reach them;
    what restores takes its file's name from TensorFlow, which names the model's own variables.

    Args:
        meta: a MetaGraphDef.
        roots: further nodes that are run: variables' first values, outputs that the user names.
    """

    def __init__(self, meta: Any, roots: Iterable[str]) -> None:
        nodes = list(meta.graph_def.node)
        self._running = ancestors(nodes, [*roots, *_initial(meta)])
        self._restoring = ancestors(nodes, [meta.saver_def.restore_op_name])
        self._by_name = {node.name: node for node in nodes}
        self._filename = plain(meta.saver_def.filename_tensor_name)
        self._arguments = {
            function.signature.name: [argument.name for argument in function.signature.input_arg]
            for function in meta.graph_def.library.function
        }
        self._function_nodes = {
            function.signature.name: {node.name: node for node in function.node_def}
            for function in meta.graph_def.library.function
        }
        self._functions = self._saver_functions(meta)

    def allows(self, scope: str, node: Any) -> bool:
        """Whether a node that is on no list only saves or restores."""
        if node.op not in _SAVING | _RESTORING:
            return False
        if scope:
            return scope in self._functions and (node.op in _SAVING or self._named_by_argument(scope, node))
        if node.name in self._running or (node.op in _SAVING and node.name in self._restoring):
            return False
        return node.op in _SAVING or self._is_filename(node.input[0])

    def _saver_functions(self, meta: Any) -> set[str]:
        """Functions that are called by nodes of the graph alone, none of which is run by more than the saver."""
        callers: dict[str, list[tuple[str, Any]]] = {}
        for scope, nodes in scopes(meta.graph_def):
            for node in nodes:
                for name in called_functions(node):
                    callers.setdefault(name, []).append((scope, node))
        listed = set(meta.object_graph_def.concrete_functions)
        found = set()
        for name, function in self._function_nodes.items():
            saving = {node.op for node in function.values()} & _SAVING
            if name not in listed and all(
                self._is_saver_call(scope, node, bool(saving)) for scope, node in callers.get(name, [])
            ):
                found.add(name)
        return found

    def _is_saver_call(self, scope: str, node: Any, saving: bool) -> bool:
        if scope or node.name in self._running or (saving and node.name in self._restoring):
            return False
        return saving or bool(node.input and self._is_filename(node.input[0]))

    def _named_by_argument(self, scope: str, node: Any) -> bool:
        """Whether a node in a function takes its file's name from the function's first argument."""
        name = plain(node.input[0])
        nodes = self._function_nodes[scope]
        while name in nodes and nodes[name].op == "Identity":
            name = plain(nodes[name].input[0])
        return name == next(iter(self._arguments[scope]), None)

    def _is_filename(self, source: str) -> bool:
        name = plain(source)
        while name in self._by_name and self._by_name[name].op == "Identity":
            name = plain(self._by_name[name].input[0])
        return bool(name) and name == self._filename


_SAVING = frozenset({"MergeV2Checkpoints", "Save", "SaveSlices", "SaveV2", "ShardedFilename", "ShardedFilespec"})
_RESTORING = frozenset({"Restore", "RestoreSlice", "RestoreV2"})


def _initial(meta: Any) -> Iterator[str]:
    """The tensors of signatures, initialisers and tables, which TensorFlow runs or feeds itself."""
    for signature in meta.signature_def.values():
        for tensor in (*signature.inputs.values(), *signature.outputs.values()):
            yield tensor.name
            yield from (tensor.coo_sparse.values_tensor_name, tensor.coo_sparse.indices_tensor_name)
            yield tensor.coo_sparse.dense_shape_tensor_name
            yield from (component.name for component in tensor.composite_tensor.components)
    for collection in meta.collection_def.values():
        yield from collection.node_list.value

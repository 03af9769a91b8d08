"""The inner tensors of a torch model, as torch itself computes them.

An ExportedProgram is interpreted call by call; a TorchScript graph is run with all of its values given out; a plain module has hooks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from safeconvert.adapter_api.intermediates import Intermediate
from safeconvert.errors import UnusableInput

from .._shared.torch_files import TorchFile
from .._shared.torch_layers import layer_of
from .._shared.torch_trees import Call, program_leaves

Tensors = Mapping[str, torch.Tensor]
_MOST = 4096  # tensors of one call
_PART = re.compile(r"(\w+)\((\w+)\)")
_CONTAINERS = {"Module", "Sequential", "ModuleList", "ModuleDict", "Container"}
_LIBRARY = {name for name in dir(torch.nn) if isinstance(getattr(torch.nn, name), type)} - _CONTAINERS


def observe(file: TorchFile, call: Call, tensors: Tensors) -> list[Intermediate]:
    """The inner tensors of one call, in the order in which they are computed.

    Args:
        file: the model.
        call: calls it with tensors by the names of its inputs.
        tensors: the inputs.

    Raises:
        UnusableInput: its TorchScript graph cannot be run with more outputs than its own.
    """
    if file.program is not None:
        return _Interpreter(file.program, file.module).observe(tensors)
    return _script(file.module, tensors) if file.kind == "torchscript" else _hooked(file.module, call, tensors)


class _Interpreter(torch.fx.Interpreter):
    """Runs an exported graph node by node and keeps what each gives."""

    def __init__(self, program: Any, module: Any) -> None:
        super().__init__(module)
        self._program = program
        self._origins: dict[str, tuple[str, ...]] = {}
        self._found: list[Intermediate] = []

    def observe(self, tensors: Tensors) -> list[Intermediate]:
        names, leaves = program_leaves(self._program, tensors)
        indices = [node for node in self.module.graph.nodes if node.op == "placeholder"]
        self._origins = {node.name: (name,) if name else () for node, name in zip(indices, names, strict=True)}
        with torch.inference_mode():
            self.run(*leaves)
        return self._found

    def run_node(self, n: torch.fx.Node) -> Any:
        """As the base class; a tensor that a call gives is kept."""
        value = super().run_node(n)
        if n.op not in ("call_function", "call_module", "call_method"):
            return value
        reads = tuple(dict.fromkeys(name for node in n.all_input_nodes for name in self._origins.get(node.name, ())))
        self._origins[n.name] = reads
        if torch.is_tensor(value) and len(self._found) < _MOST:
            operator = str(n.target).removesuffix(".default")
            self._found.append(Intermediate(layer_of(n), operator, n.name, reads, _array(value)))
            self._origins[n.name] = (n.name,)
        return value


def _script(module: Any, tensors: Tensors) -> list[Intermediate]:
    """A TorchScript graph, frozen and inlined, with every tensor of its top level given out."""
    try:
        graph = torch.jit.freeze(module, optimize_numerics=False).graph.copy()
        torch._C._jit_pass_inline(graph)
        torch._C._jit_pass_remove_mutation(graph)
        inputs = list(graph.inputs())
        if inputs[0].uses():
            raise UnusableInput("its TorchScript module keeps a state, which its graph alone does not have")
        graph.eraseInput(0)
        made = [(node, value) for node, value in _values(graph)][:_MOST]
        together = graph.create("prim::TupleConstruct", [value for _, value in made], 1)
        together.output().setType(torch._C.TupleType([value.type() for _, value in made]))
        graph.appendNode(together)
        for _ in list(graph.outputs()):
            graph.eraseOutput(0)
        graph.registerOutput(together.output())
        function = torch._C._create_function_from_graph("observed", graph)
        with torch.inference_mode():
            given = function(*tensors.values())
    except (RuntimeError, TypeError, IndexError) as error:
        raise UnusableInput(
            f"its TorchScript graph cannot be observed: {' '.join(str(error).split())[:240]}"
        ) from error
    names = dict(zip((value.debugName() for value in inputs[1:]), tensors, strict=False))
    origins: dict[str, tuple[str, ...]] = {name: (own,) for name, own in names.items()}
    arrays = {value.debugName(): _array(tensor) for (_, value), tensor in zip(made, given, strict=True)}
    found = []
    for node in graph.nodes():
        reads = tuple(dict.fromkeys(one for value in node.inputs() for one in origins.get(value.debugName(), ())))
        for value in node.outputs():
            name = value.debugName()
            origins[name] = (name,) if name in arrays else reads
            if name in arrays:
                layer = scope_of(node) or f"{node.kind().rpartition(':')[2]} %{name}"
                found.append(Intermediate(layer, node.kind().replace("::", "."), name, reads, arrays[name]))
    return found


def _values(graph: Any) -> Iterator[tuple[Any, Any]]:
    for node in graph.nodes():
        if node.kind() == "prim::Constant":
            continue
        for value in node.outputs():
            if value.type().kind() == "TensorType":
                yield node, value


def scope_of(node: Any) -> str:
    """The module that a node belongs to, by its path; with the node's own kind where that is a module that holds others."""
    parts = [_PART.fullmatch(part) for part in str(node.getModuleHierarchy()).split(".")]
    named = [part.groups() for part in parts if part and part.group(1) not in ("SELF", "UNKNOWN_INSTANCE")]
    if not named:
        return ""
    path = ".".join(name for name, _ in named)
    own = node.kind().rpartition(":")[2]
    return path if named[-1][1] in _LIBRARY else f"{path}.{own}"


def _hooked(module: torch.nn.Module, call: Call, tensors: Tensors) -> list[Intermediate]:
    """What each module of a module gives; one that gives on what a module in it gave is left out."""
    found: list[Intermediate] = []
    names = {id(tensor): name for name, tensor in tensors.items()}
    kept: list[Any] = []  # so that no tensor gets the identity of one that is gone

    def hook(path: str, part: torch.nn.Module, given: Any, result: Any) -> None:
        for index, tensor in enumerate(_leaves(result)):
            kept.append(tensor)
            inside = names.get(id(tensor))
            taken = [names[id(one)] for one in _leaves(given) if id(one) in names]
            if (inside is not None and inside not in taken) or len(found) >= _MOST:
                continue
            name = f"{path}:{len(found)}" if index else f"{path}#{len(found)}"
            reads = taken or [one.tensor for one in found[-1:]]
            found.append(Intermediate(path, type(part).__name__, name, tuple(reads), _array(tensor)))
            names[id(tensor)] = name

    handles = [
        part.register_forward_hook(lambda part, given, result, path=path: hook(path, part, given, result))
        for path, part in module.named_modules()
        if path
    ]
    try:
        with torch.inference_mode():
            call(tensors)
    finally:
        for handle in handles:
            handle.remove()
    return found


def _leaves(tree: Any) -> Sequence[torch.Tensor]:
    return [leaf for leaf in torch.utils._pytree.tree_leaves(tree) if torch.is_tensor(leaf)]


def _array(tensor: torch.Tensor) -> Any:
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype is torch.bfloat16 else tensor.clone()).numpy()

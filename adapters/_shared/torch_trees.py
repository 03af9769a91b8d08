"""How a torch model is called: nested arguments put together from tensors by name, nested outputs taken apart into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.export.graph_signature import ConstantArgument, InputKind, TensorArgument
from torch.utils import _pytree

from safeconvert.errors import UnusableInput

Call = Callable[[Mapping[str, torch.Tensor]], Any]


def tensor_inputs(program: Any) -> list[str]:
    """Names of an ExportedProgram's tensor inputs, in the order of its calling convention.

    Raises:
        UnusableInput: an input is a number that may vary, which no target format takes.
    """
    names = []
    for spec in program.graph_signature.input_specs:
        if spec.kind is InputKind.USER_INPUT and not isinstance(spec.arg, TensorArgument | ConstantArgument):
            raise UnusableInput(
                f"input {spec.arg.name} is a number that may vary, not a tensor",
                "export again with the number as a tensor of no dimensions, or fixed",
            )
        if spec.kind is InputKind.USER_INPUT and isinstance(spec.arg, TensorArgument):
            names.append(spec.arg.name)
    return names


def program_call(program: Any, module: Any) -> Call:
    """Calls an ExportedProgram as its calling convention says: positional, keyword and nested arguments, constants among them."""

    def call(tensors: Mapping[str, torch.Tensor]) -> Any:
        leaves = program_leaves(program, tensors)[1]
        positional, keywords = _pytree.tree_unflatten(leaves, program.call_spec.in_spec)
        return module(*positional, **keywords)

    return call


def program_leaves(program: Any, tensors: Mapping[str, torch.Tensor]) -> tuple[list[str], list[Any]]:
    """Name ("" for a constant) and value of each leaf of an ExportedProgram's arguments, in the order of its calling convention."""
    given = [spec.arg for spec in program.graph_signature.input_specs if spec.kind is InputKind.USER_INPUT]
    names = [one.name if isinstance(one, TensorArgument) else "" for one in given]
    return names, [tensors[name] if name else one.value for name, one in zip(names, given, strict=True)]


def module_call(module: Any, names: list[str]) -> Call:
    """Calls a module with positional arguments."""
    return lambda tensors: module(*(tensors[name] for name in names))


def named_outputs(outputs: Any) -> dict[str, torch.Tensor]:
    """The tensors of a nested output by name, in order.

    `output` alone, `output_0`, `output_1`, … of tuples and lists, and of what has keys or fields their path: `logits`,
    `states_0`.
    """
    leaves = [(path, leaf) for path, leaf in _pytree.tree_flatten_with_path(outputs)[0] if torch.is_tensor(leaf)]
    if all(isinstance(key, _pytree.SequenceKey) for path, _ in leaves for key in path):
        single = len(leaves) == 1
        return {"output" if single else f"output_{index}": leaf for index, (_, leaf) in enumerate(leaves)}
    named: dict[str, torch.Tensor] = {}
    for index, (path, leaf) in enumerate(leaves):
        name = "_".join(str(_key(key)) for key in path)
        name = f"output_{name}" if name[:1].isdigit() else name
        named[name if name and name not in named else f"output_{index}"] = leaf
    return named


def _key(key: Any) -> Any:
    return next(getattr(key, name) for name in ("idx", "key", "name") if hasattr(key, name))

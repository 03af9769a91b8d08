"""Open a TorchScript archive whose code calls nothing but operators that compute."""

from __future__ import annotations

import functools
import pickletools
import re
from collections.abc import Iterator
from typing import Any

import torch

from safeconvert.errors import UnusableInput

from .allowed import torch_operators
from .archive import Archive, open_archive
from .torchscript_source import check_source, defined, parsed
from .words import words

_ADVICE = "save it without these calls, or pass --trust-pickle if you trust whoever made the file"
DAMAGE = (RuntimeError, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, EOFError)
"""What torch's reader in C++ raises for damaged archives."""
_GLOBALS = re.compile(
    r"__torch__(\.(?!torch\.classes)\S+)? \S+|__torch__\.torch\.classes\.(quantized|rnn|sparse|xnnpack) \S+"
    r"|torch\._utils _rebuild_(tensor_v2|qtensor|parameter|sparse_tensor|meta_tensor_no_storage)|torch\.jit\._pickle \w+"
    r"|torch\._tensor _rebuild_from_type_v2|torch (\w*Storage|device|per_\w+|Size)|collections OrderedDict|builtins complex"
)
_STRUCTURE = frozenset(
    f"prim::{name}"
    for name in words(
        "Constant If Loop Return Param ListConstruct ListUnpack TupleConstruct TupleUnpack TupleIndex TupleSlice DictConstruct "
        "GetAttr SetAttr CallMethod CallFunction CreateObject Uninitialized isinstance unchecked_cast unchecked_unwrap_optional annotate "
        "fork awaitable Closure Enter Exit EnumName EnumValue Store Load Drop ReturnStmt BreakStmt ContinueStmt LoopContinuation Print "
        "RaiseException FusedConcat ConstantChunk ChunkSizes"
    )
) | {"aten::wait"}


def open_torchscript(path: str) -> Any:
    """The module of a TorchScript archive, on the CPU.

    The code is checked as text before torch compiles it, and as the compiled graph before anything is run.

    Raises:
        UnusableInput: damaged, or the code calls what is not on the list; the message names the member, the line and the operator.
    """
    archive = open_archive(path, _ADVICE)
    if "model.json" in archive.names:
        raise archive.refused("model.json", "the layout of torch 1.0, whose code can lie anywhere in the archive")
    _check_code(archive)
    _check_objects(archive)
    try:
        module = torch.jit.load(path, map_location="cpu")
    except DAMAGE as error:
        reason = (str(error).splitlines() or [""])[0][:200]
        raise UnusableInput(f"{path}: a damaged TorchScript archive: {reason}") from error
    _check_graphs(archive, module)
    return module


def _check_code(archive: Archive) -> None:
    members = sorted(name for name in archive.names if name.startswith("code/") and name.endswith(".py"))
    if not members:
        raise UnusableInput(f"{archive.path}: a TorchScript archive without code", "make or download the file again")
    trees = {}
    own: frozenset[str] = frozenset()
    for member in members:
        try:
            trees[member] = parsed(archive.read(member).decode("ascii"))
            own |= defined(trees[member])
        except ValueError as error:
            raise archive.refused(member, f"{error}"[:200]) from error
    for member, tree in trees.items():
        try:
            check_source(tree, own, _is_operator)
        except ValueError as error:
            raise archive.refused(member, str(error)) from error


def _check_objects(archive: Archive) -> None:
    """torch's unpickler makes no Python objects, but C++ ones, some of which open files or sockets."""
    for member in sorted(name for name in archive.names if name.endswith(".pkl") and "/" not in name):
        try:
            for opcode, argument, _ in pickletools.genops(archive.read(member)):
                if opcode.name in ("GLOBAL", "INST", "STACK_GLOBAL") and not _GLOBALS.fullmatch(f"{argument}"):
                    raise archive.refused(member, f"an object of class {argument}")
        except (ValueError, IndexError, UnicodeDecodeError) as error:
            raise UnusableInput(f"{archive.path}: {member} is damaged") from error


@functools.cache
def _is_operator(name: str) -> bool:
    return any(torch._C._jit_get_schemas_for_operator(f"{namespace}::{name}") for namespace in ("aten", "prim"))


def _check_graphs(archive: Archive, module: Any) -> None:
    """Every node that a method of the model can come to, whatever the text said."""
    for name in module._c._method_names():
        for kind in _kinds(module._c._get_method(name).inlined_graph):
            if kind not in torch_operators() and kind not in _STRUCTURE:
                raise archive.refused(name, f"operator {kind} is not one that only computes")


def _kinds(graph: Any) -> Iterator[str]:
    for node in graph.nodes():
        yield node.kind()
        for block in node.blocks():
            yield from _kinds(block)
        for name in node.attributeNames():
            if node.kindOf(name) == "g":
                yield from _kinds(node.g(name))

"""The code of a TorchScript archive, read before torch compiles it.

Loading runs code already: an object's `__setstate__`. And an operator may be called as a function (`torch.from_file(...)`), by its
namespace (`ops.aten.from_file(...)`) or as a method of any value (`"path".from_file(...)`), with or without a name in between
(`f = torch.from_file`). So every name that could be an operator's has to be on the list wherever it stands, called or not.

What torch's parser and Python's read must be the same text: anything in which they could differ (a tab, a continued line, a string of
several lines) is refused; torch writes none of it.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable

from .allowed import torch_operators
from .words import words

_LANGUAGE = words(
    "annotate unchecked_cast uninitialized getattr fork range print int float bool str complex tuple list dict isinstance enumerate zip "
    "len min max abs all any sum round sorted slice device awaitable"
)
_TYPES = words(
    "Tensor List Dict Tuple Optional Union Final NoneType Any number Device Module NamedTuple Enum Interface ModuleInterface Future "
    "Await Layout Stream Generator Storage ScalarType Scalar AnyEnumType Self"
)
_CLASSES = frozenset({"quantized", "rnn", "sparse", "xnnpack"})
"""Namespaces of C++ classes that hold packed weights; others open files and sockets (`c10d.FileStore`)."""
_CLASS_METHODS = frozenset(
    {"unpack", "__getstate__", "__setstate__", "bias", "stride", "padding", "groups", "dilation"}
)
_LINE = re.compile(r"[\n\x20-\x7e]*")


def check_source(tree: ast.Module, own_names: frozenset[str], is_operator: Callable[[str], bool]) -> None:
    """Raise ValueError, with the line, where code could call more than the list's operators and the archive's own functions.

    Args:
        tree: one member of `code/`, parsed.
        own_names: every function and method that the archive defines, in any member.
        is_operator: whether torch has an operator of this name, in `aten` or `prim`.
    """
    assigned = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    _Checker(own_names | assigned, is_operator).visit(tree)


def defined(tree: ast.Module) -> frozenset[str]:
    """The functions, methods and classes that a member defines."""
    found = (node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef))
    return frozenset(found)


def parsed(text: str) -> ast.Module:
    """Python's syntax tree of a text that torch's parser reads in the same way. Raises ValueError."""
    if not _LINE.fullmatch(text):
        raise ValueError("a character that torch never writes there")
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            where = f"line {token.start[0]}"
            if token.type == tokenize.STRING and not (
                token.string[0] in "\"'" and token.string[:3] not in ('"""', "'''")
            ):
                raise ValueError(f"{where}: a string of several lines, or with a prefix")
            if token.type == tokenize.COMMENT and "type:" in token.string:
                raise ValueError(f"{where}: a type in a comment")
            if token.type != tokenize.STRING and "\\" in token.string:
                raise ValueError(f"{where}: a continued line")
        tree = ast.parse(text)
    except (SyntaxError, tokenize.TokenError, RecursionError, MemoryError) as error:
        raise ValueError(f"no TorchScript: {str(error)[:100]}") from error
    if any(line.rstrip().endswith("\\") for line in text.splitlines()):
        raise ValueError("a continued line")
    return tree


class _Checker(ast.NodeVisitor):
    """Visits every name and every attribute once, from the outside of a dotted path inwards."""

    def __init__(self, own: frozenset[str], is_operator: Callable[[str], bool]) -> None:
        self._own = own
        self._is_operator = is_operator

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """A dotted path: an operator, a class, or an attribute of a value."""
        path = _dotted(node)
        if path and path[0] in ("torch", "ops"):
            self._require_listed(path, node)
        elif path and path[0] == "__torch__":
            self._require_class(path, node)
        else:
            self._require_attribute(node.attr, node)
            self.visit(node.value)

    def visit_Name(self, node: ast.Name) -> None:
        """A name: `torch`, `ops` and `__torch__` by themselves would be a way around the list."""
        if node.id in ("torch", "ops", "__torch__"):
            raise ValueError(f"line {node.lineno}: {node.id} by itself")

    def visit_Call(self, node: ast.Call) -> None:
        """A plain name that is called is the language's, or holds a function that was looked at where it was named."""
        function = node.func
        if isinstance(function, ast.Name) and function.id not in _LANGUAGE | _TYPES | self._own:
            raise ValueError(f"line {node.lineno}: {function.id} is called")
        if isinstance(function, ast.Name) and function.id == "getattr" and len(node.args) == 2:
            attribute = node.args[1]
            if not (isinstance(attribute, ast.Constant) and isinstance(attribute.value, str)):
                raise ValueError(f"line {node.lineno}: an attribute whose name is computed")
            self._require_attribute(attribute.value, node)
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        """Never written by torch 1.1 or later."""
        raise ValueError(f"line {node.lineno}: an import")

    visit_ImportFrom = visit_Import  # type: ignore[assignment]

    def _require_listed(self, path: list[str], node: ast.expr) -> None:
        name = {2: f"aten::{path[-1]}", 3: "::".join(path[1:])}.get(len(path), "")
        if path[0] == "torch" and len(path) != 2:
            name = ""
        if name not in torch_operators():
            raise ValueError(f"line {node.lineno}: operator {'.'.join(path)} is not one that only computes")

    def _require_class(self, path: list[str], node: ast.expr) -> None:
        classes = path[1:3] == ["torch", "classes"]
        if classes and (len(path) < 5 or path[3] not in _CLASSES):
            raise ValueError(f"line {node.lineno}: class {'.'.join(path[1:])} is not one that holds weights")

    def _require_attribute(self, name: str, node: ast.expr) -> None:
        """An attribute of a value may be its own, a method of the archive's classes, or an operator of the list."""
        if f"aten::{name}" in torch_operators() or f"prim::{name}" in torch_operators() or name in _CLASS_METHODS:
            return
        if self._is_operator(name):
            raise ValueError(f"line {node.lineno}: operator {name} is not one that only computes")


def _dotted(node: ast.expr) -> list[str]:
    """The names of a path that begins with a name, or []."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return [node.id, *reversed(names)] if isinstance(node, ast.Name) else []

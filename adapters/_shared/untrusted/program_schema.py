"""The JSON of an ExportedProgram, field by field: what may stand there, and what is left out.

torch makes Python code of a program: node and argument names, the paths of weights and text constants stand in it as they are in the
file, and a node's target is looked up as an attribute of `torch`, `operator` or `math`. So every string is checked by what torch
does with it.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import re
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from torch._export.serde import schema

from .allowed import torch_operators
from .expressions import guard, is_symbol, symbolic_size
from .treespec import check_treespec
from .words import words

_PATH = re.compile(r"[\w.\-/:\[\]<>@ ]{0,1000}")
_TEXT = re.compile(r"[^\"'\\\x00-\x1f\x7f-\x9f\u2028\u2029]{0,10000}")
_UNQUOTED = str.maketrans({"'": "`", '"': "`"})
_SIMPLE = re.compile(r"[\w.+\-<=]{0,100}")
_KEPT_METADATA = ("stack_trace", "nn_module_stack", "torch_fn")
_SIZE_OPERATORS = frozenset(
    f"_operator.{name}"
    for name in words("abs add and_ eq floordiv ge getitem gt index invert le lshift lt mod mul ne neg not_ or_ pos pow rshift sub truediv xor")
) | {"math.ceil", "math.floor", "math.trunc"} | frozenset(
    f"torch.{name}" for name in words("sym_float sym_int sym_ite sym_max sym_min sym_not sym_sqrt sym_sum")
)  # fmt: skip


class Refused(ValueError):
    """What stands in a program that may not; the message names the place and the reason."""


def checked(cls: Any, data: Any, where: str) -> Any:
    """The data of one of torch's schema classes, with every string checked; what nothing needs is left out.

    Args:
        cls: a class of `torch._export.serde.schema`, or a type made of them.
        data: what `json.loads` gave.
        where: the place in the file, for the message.

    Raises:
        Refused: a field that the class does not have, a value of another type, or text that would be more than a name.
    """
    origin = typing.get_origin(cls)
    if origin is typing.Annotated:
        return checked(typing.get_args(cls)[0], data, where)
    if origin in (typing.Union, types.UnionType):
        return None if data is None else checked(typing.get_args(cls)[0], data, where)
    if origin is list:
        (item,) = typing.get_args(cls)
        return [checked(item, one, where) for one in _typed(data, list, where)]
    if origin is dict:
        _, item = typing.get_args(cls)
        return {_name(key, where): checked(item, one, where) for key, one in _typed(data, dict, where).items()}
    if isinstance(cls, type) and issubclass(cls, enum.IntEnum):
        return cls(_typed(data, int, where)).value
    if dataclasses.is_dataclass(cls):
        return _checked_class(cls, _typed(data, dict, where), where)
    if cls is str:
        return _name(data, where)
    if cls is float and isinstance(data, int | str):
        return float(data)
    return _typed(data, cls, where)


def _checked_class(cls: Any, data: Mapping[str, Any], where: str) -> dict[str, Any]:
    fields = _fields(cls)
    made = {}
    for key, value in data.items():
        if key not in fields:
            raise Refused(f"{where}: {cls.__name__} has a field {_shown(key)} that this torch does not know")
        rule = _RULES.get((cls.__name__, key))
        try:
            made[key] = rule(value, where) if rule else checked(fields[key], value, f"{where}.{key}"[-120:])
        except (ValueError, KeyError, OverflowError) as error:
            raise error if isinstance(error, Refused) else Refused(f"{where}.{key}: {error}") from error
    return made


@functools.cache
def _fields(cls: Any) -> dict[str, Any]:
    hints: dict[str, Any] = typing.get_type_hints(cls, globalns=vars(schema), include_extras=True)
    return {key: hint for key, hint in hints.items() if not key.startswith("_")}


def _typed(data: Any, cls: type, where: str) -> Any:
    if not isinstance(data, cls) or (isinstance(data, bool) and cls is not bool):
        raise Refused(f"{where}: a {type(data).__name__} stands where torch writes a {cls.__name__}")
    return data


def _name(data: Any, where: str) -> str:
    """A name that becomes one in generated code."""
    if not isinstance(data, str) or not (data == "" or data.isidentifier()) or len(data) > 1000:
        raise Refused(f"{where}: {_shown(data)} is no identifier")
    return data


def _matching(pattern: re.Pattern[str]) -> Callable[[Any, str], str]:
    def check(data: Any, where: str) -> str:
        if not isinstance(data, str) or not pattern.fullmatch(data):
            raise Refused(f"{where}: {_shown(data)} is not plain text")
        return data

    return check


def _message(data: Any, where: str) -> str:
    """Text that is an argument of a node. torch quotes names in the messages of assertions ("… on node 'ge'"), which stand in generated code as others
    do: a backtick, which ends no text and is in no option of an operator, stands for each quotation mark."""
    return _text(data.translate(_UNQUOTED) if isinstance(data, str) else data, where)


def _operator(data: Any, where: str) -> str:
    """The target of a node: an operator of the list, or arithmetic on sizes."""
    if not isinstance(data, str):
        raise Refused(f"{where}: {_shown(data)} is no operator")
    parts = data.split(".")
    allowed = data in _SIZE_OPERATORS
    if parts[:2] == ["torch", "ops"] and len(parts) in (4, 5) and all(part.isidentifier() for part in parts):
        allowed = f"{parts[2]}::{parts[3]}" in torch_operators()
    if not allowed:
        raise Refused(f"{where}: operator {_shown(data)} is not one that only computes")
    return data


def _treespec(data: Any, where: str) -> str:
    check_treespec(_typed(data, str, where))
    return str(data)


def _metadata(data: Any, where: str) -> dict[str, str]:
    """Where a node comes from; what torch looks up by name (`source_fn_stack`, `from_node`) is left out."""
    return {key: data[key] for key in _KEPT_METADATA if isinstance(_typed(data, dict, where).get(key), str)}


def _refused_object(data: Any, where: str) -> Any:
    raise Refused(f"{where}: a custom object, which is made by code of its own")


def _keyed(check: Callable[[str], object], item: Any) -> Callable[[Any, str], Any]:
    """A mapping whose keys are no identifiers."""

    def run(data: Any, where: str) -> Any:
        for key in _typed(data, dict, where):
            if not check(key):
                raise Refused(f"{where}: {_shown(key)} is not plain text")
        return {key: checked(item, value, where) for key, value in data.items()}

    return run


def _shown(data: Any) -> str:
    return repr(data)[:80]


_path, _text, _simple = _matching(_PATH), _matching(_TEXT), _matching(_SIMPLE)
_RULES: dict[tuple[str, str], Callable[[Any, str], Any]] = {
    ("SymExpr", "expr_str"): lambda data, where: symbolic_size(_typed(data, str, where)),
    ("ExportedProgram", "guards_code"): lambda data, where: [guard(one) for one in _typed(data, list, where)],
    ("ExportedProgram", "range_constraints"): _keyed(is_symbol, schema.RangeConstraint),
    ("ExportedProgram", "opset_version"): _keyed(_SIMPLE.fullmatch, int),
    ("ExportedProgram", "torch_version"): _simple,
    ("ExportedProgram", "verifiers"): lambda data, where: [_simple(one, where) for one in _typed(data, list, where)],
    ("GraphModule", "metadata"): lambda data, where: {},
    ("GraphModule", "treespec_namedtuple_fields"): lambda data, where: {},
    ("ModuleCallEntry", "fqn"): _path,
    ("ModuleCallSignature", "in_spec"): _treespec,
    ("ModuleCallSignature", "out_spec"): _treespec,
    ("InputToParameterSpec", "parameter_name"): _path,
    ("InputToBufferSpec", "buffer_name"): _path,
    ("InputToTensorConstantSpec", "tensor_constant_name"): _path,
    ("BufferMutationSpec", "buffer_name"): _path,
    ("ParameterMutationSpec", "parameter_name"): _path,
    ("GradientToParameterSpec", "parameter_name"): _path,
    ("ConstantValue", "as_string"): _text,
    ("Argument", "as_string"): _message,
    ("Argument", "as_strings"): lambda data, where: [_text(one, where) for one in _typed(data, list, where)],
    ("Argument", "as_operator"): _operator,
    ("Argument", "as_custom_obj"): _refused_object,
    ("Graph", "custom_obj_values"): lambda data, where: _refused_object(data, where) if data else {},
    ("InputSpec", "custom_obj"): _refused_object,
    ("InputSpec", "token"): _refused_object,
    ("OutputSpec", "token"): _refused_object,
    ("Node", "target"): _operator,
    ("Node", "metadata"): _metadata,
    ("PayloadConfig", "config"): _keyed(_PATH.fullmatch, schema.PayloadMeta),
    ("PayloadMeta", "path_name"): _simple,
}

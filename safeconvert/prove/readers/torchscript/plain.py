"""Operators of TorchScript on numbers, truths, words and lists."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.torchscript.values import Size
from safeconvert.prove.readers.writer import Writer

_LARGEST = 1 << 16
"""Of what is repeated, entries."""


def _repeated(one: Any, two: Any) -> Any:
    count, held = (one, two) if isinstance(one, int) else (two, one)
    if isinstance(held, list | str) and isinstance(count, int) and count * len(held) > _LARGEST:
        raise Refused("a list that is too long")
    return one * two


def _appended(held: list[Any], one: Any) -> list[Any]:
    held.append(one)
    return held


def _set(held: Any, place: Any, one: Any) -> None:
    held[place] = one


def _power(base: Any, exponent: Any) -> Any:
    if abs(exponent) > 64:
        raise Refused("a power that is too large")
    return base**exponent


PLAIN: Mapping[str, Callable[..., Any]] = {
    "__is__": operator.is_, "__isnot__": operator.is_not, "__not__": operator.not_, "len": len, "eq": operator.eq, "ne": operator.ne,
    "lt": operator.lt, "gt": operator.gt, "le": operator.le, "ge": operator.ge, "add": lambda a, b, alpha=1: a + alpha * b if alpha != 1 else a + b,
    "sub": lambda a, b, alpha=1: a - alpha * b, "rsub": lambda a, b, alpha=1: b - alpha * a, "mul": _repeated, "floordiv": operator.floordiv,
    "floor_divide": operator.floordiv, "remainder": operator.mod, "neg": operator.neg, "div": operator.truediv, "pow": _power,
    "__contains__": lambda held, one: one in held, "append": _appended, "_set_item": _set, "format": str.format, "warn": lambda *_: None,
    "list": list, "sum": sum, "min": min, "max": max, "Int": int, "Float": float, "Bool": bool, "sqrt": lambda a: a**0.5, "__and__": operator.and_, "__or__": operator.or_,
    "is_grad_enabled": lambda: False, "is_autocast_enabled": lambda: False, "device": str, "__getitem__": lambda held, place: held[place],
    "keys": lambda held: list(held), "values": lambda held: list(held.values()), "items": lambda held: list(held.items()),
    "copy": lambda held: held.copy(), "abs": abs, "_has_torch_function": lambda *_: False, "slice": lambda held, *ends: held[slice(*ends)],
    "is_scripting": lambda: True, "isinstance": lambda *_: _unknown(), "__range_length": lambda *ends: len(range(*ends)),
}  # fmt: skip
"""By name; those that change a list do so in place, as TorchScript does."""
_SIZES = {"add": "Add", "sub": "Sub", "mul": "Mul", "floordiv": "Div", "floor_divide": "Div"}


def _unknown() -> Any:
    raise Refused("a question for a type")


def plain(write: Writer, name: str, args: list[Any], keywords: Mapping[str, Any]) -> Any:
    """An operator on what is no tensor. Raises Refused for one that is not known, and for one that computes with free sizes."""
    if any(isinstance(one, Size) for one in args):
        return _sized(write, name, args, keywords)
    if name not in PLAIN:
        raise Refused(f"the operator {name}")
    return PLAIN[name](*args, **keywords)


def _sized(write: Writer, name: str, args: list[Any], keywords: Mapping[str, Any]) -> Any:
    if name in ("__is__", "__isnot__"):
        return PLAIN[name](*args)
    if name == "append":
        return _appended(args[0], args[1])
    if name == "format":
        return ""
    if name in ("eq", "ne") and args[0] == args[1]:
        return name == "eq"
    if name == "rsub" and not keywords:
        name, args = "sub", args[::-1]
    if name not in _SIZES or keywords.get("alpha", 1) != 1 or not all(isinstance(one, int | Size) for one in args):
        raise Refused(f"{name} of a size that is free")
    return Size(write(_SIZES[name], *(one.name if isinstance(one, Size) else write.integers(one) for one in args)))

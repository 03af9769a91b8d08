"""What a layer or operation is called on, as a Functional model's configuration has it, in the words of Keras 2 and 3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from safeconvert.prove.kernel.terms import Refused

Place = tuple[str, int, int]
"""A tensor: the layer that makes it, which call of it, and which of its outputs."""


@dataclass(frozen=True)
class Reference:
    """A tensor among the arguments of a call."""

    place: Place


@dataclass(frozen=True)
class Call:
    """One call: its arguments in order and by name, where tensors are references, and lists may hold them."""

    arguments: tuple[Any, ...]
    settings: Mapping[str, Any]

    def references(self) -> list[Place]:
        """All tensors that it is called on, in order."""
        return [one.place for one in _flat([*self.arguments, *self.settings.values()]) if isinstance(one, Reference)]

    def tensors(self) -> tuple[list[Place], Mapping[str, Any]]:
        """The tensors of a layer's call, and what is given beside them. Raises Refused for arguments in order that are no tensors."""
        settings = dict(self.settings)
        given = [*self.arguments, *(settings.pop(name) for name in ("value", "key") if name in settings)]
        found = list(_flat(given))
        for one in found:
            if not isinstance(one, Reference):
                raise Refused(f"a call on {str(one)[:40]}, which is no tensor")
        return [one.place for one in found], settings


def calls_of(layer: Mapping[str, Any]) -> list[Call]:
    """All calls of a layer. Raises Refused for arguments that are not known."""
    return [_keras_3(node) if isinstance(node, dict) else _keras_2(node) for node in layer["inbound_nodes"]]


def places(given: Any) -> list[Place]:
    """The model's inputs or outputs: one place, or a list of them. Raises Refused for other structures."""
    if _is_place(given):
        return [_place(given)]
    if isinstance(given, list) and all(_is_place(one) for one in given):
        return [_place(one) for one in given]
    raise Refused("inputs or outputs that are no list")


def _keras_3(node: Mapping[str, Any]) -> Call:
    settings = {name: _read(value) for name, value in node["kwargs"].items()}
    kept = {n: v for n, v in settings.items() if v is not None and not (n == "training" and v is False)}
    return Call(tuple(_read(value) for value in node["args"]), kept)


def _keras_2(node: Sequence[Any]) -> Call:
    entries = [node] if node and isinstance(node[0], str) else node
    if any(value is not None for entry in entries if len(entry) > 3 for value in entry[3].values()):
        raise Refused("a call with arguments beside its tensors")
    return Call(tuple(Reference(_place(entry)) for entry in entries), {})


def _read(value: Any) -> Any:
    """An argument: a reference, a number, text, truth, None, a slice, an array, or a list of these."""
    if isinstance(value, list):
        return [_read(one) for one in value]
    if value is None or isinstance(value, int | float | str):
        return value
    config = value.get("config", {})
    match value.get("class_name"):
        case "__keras_tensor__":
            return Reference(_place(config["keras_history"]))
        case "__tuple__":
            return [_read(one) for one in config["items"]]
        case "__slice__":
            return slice(*(_read(config[name]) for name in ("start", "stop", "step")))
        case "__ellipsis__":
            return Ellipsis
        case "__tensor__" | "__numpy__":
            return np.asarray(config["value"], config["dtype"])
    raise Refused(f"an argument {value.get('class_name')}")


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _flat(value)
        else:
            yield value


def _is_place(value: Any) -> bool:
    return isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str)


def _place(value: Sequence[Any]) -> Place:
    return str(value[0]), int(value[1]), int(value[2])

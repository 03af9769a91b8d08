"""Which tensors a layer is called on, as a Functional model's configuration has it, in the words of Keras 2 and 3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safeconvert.prove.kernel.terms import Refused

Place = tuple[str, int, int]
"""A tensor: the layer that makes it, which call of it, and which of its outputs."""


@dataclass(frozen=True)
class Call:
    """One call: its tensors in order, and what it is given beside them."""

    inputs: tuple[Place, ...]
    settings: Mapping[str, Any]


def calls_of(layer: Mapping[str, Any]) -> list[Call]:
    """All calls of a layer. Raises Refused for arguments that are neither tensors nor plain."""
    return [_keras_3(node) if isinstance(node, dict) else _keras_2(node) for node in layer["inbound_nodes"]]


def places(given: Any) -> list[Place]:
    """The model's inputs or outputs: one place, or a list of them. Raises Refused for other structures."""
    if _is_place(given):
        return [_place(given)]
    if isinstance(given, list) and all(_is_place(one) for one in given):
        return [_place(one) for one in given]
    raise Refused("inputs or outputs that are no list")


def _keras_3(node: Mapping[str, Any]) -> Call:
    found = list(_tensors(node["args"]))
    settings = {}
    for name, value in node["kwargs"].items():
        if value is None or (name == "training" and value is False):
            continue
        if name not in ("value", "key"):
            settings[name] = value
            continue
        found += list(_tensors([value]))
    return Call(tuple(found), settings)


def _keras_2(node: Sequence[Any]) -> Call:
    entries = [node] if node and isinstance(node[0], str) else node
    if any(value is not None for entry in entries if len(entry) > 3 for value in entry[3].values()):
        raise Refused("a call with arguments beside its tensors")
    return Call(tuple(_place(entry) for entry in entries), {})


def _tensors(value: Any) -> Iterator[Place]:
    if isinstance(value, list):
        for one in value:
            yield from _tensors(one)
    elif isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        yield _place(value["config"]["keras_history"])
    else:
        raise Refused(f"a call on {str(value)[:40]}, which is no tensor")


def _is_place(value: Any) -> bool:
    return isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str)


def _place(value: Sequence[Any]) -> Place:
    return str(value[0]), int(value[1]), int(value[2])

"""Operators that write into what they read. Read as if they made a new tensor, which is right where nothing else sees the old one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from safeconvert.prove.kernel.terms import Refused

FRESH = (
    "aten.conv", "aten.batch_norm.", "aten._native_batch_norm", "aten.linear.", "aten.matmul.", "aten.add.", "aten.mul.", "aten.sub.", "aten.div.",
    "aten.layer_norm.", "aten.max_pool", "aten.avg_pool", "aten.cat.", "aten.relu.", "aten._convolution.", "aten.adaptive_avg_pool", "aten.mean.",
    "aten.bmm.", "aten.mm.", "aten.addmm.", "aten.stack.", "aten.sigmoid.", "aten.tanh.", "aten.gelu.", "aten.silu.", "aten.softmax.",
    "aten.hardswish.", "aten.hardsigmoid.", "aten.hardtanh.", "aten.clamp.", "aten._native_multi_head_attention.", "aten.embedding.", "aten.exp.",
)  # fmt: skip
"""Operators that make a tensor of their own."""
_IDLE = ("aten.detach_.default", "aten.dropout_.default")
"""Operators that write nothing at inference, whatever their names say."""


def require_unshared(graph: Mapping[str, Any]) -> None:
    """Raises Refused where an operator writes into a tensor that anything else reads, or that may share its numbers with another."""
    reads = Counter(name for node in graph["nodes"] for name in _read(node))
    reads.update(name for output in graph["outputs"] for name in _tensors(output))
    own: set[str] = set()
    for node in graph["nodes"]:
        target = node["target"].removeprefix("torch.ops.")
        name = target.split(".")[1] if target.startswith("aten.") else ""
        writes = (
            name.endswith("_") and not name.endswith("__") and target not in _IDLE
        )  # `__and__` makes a tensor of its own
        if writes:
            written = next(iter(_tensors(node["inputs"][0]["arg"])), "")
            if written not in own or reads[written] != 1:
                raise Refused(f"{target} writes into {written}, which may be read elsewhere")
        if writes or target.startswith(FRESH):
            own.update(name for output in node["outputs"] for name in _tensors(output))


def needed(graph: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The nodes that outputs depend on, in order; what only a dead node makes need not be known."""
    wanted = {name for output in graph["outputs"] for name in _tensors(output)}
    found = []
    for node in reversed(graph["nodes"]):
        if wanted.intersection(name for output in node["outputs"] for name in _tensors(output)):
            wanted.update(_read(node))
            found.append(node)
    return found[::-1]


def _read(node: Mapping[str, Any]) -> Iterator[str]:
    for one in node["inputs"]:
        yield from _tensors(one["arg"])


def _tensors(argument: Mapping[str, Any]) -> Iterator[str]:
    """Names of the tensors in an argument. Raises Refused for those that hold them otherwise."""
    for kind, found in argument.items():
        if kind == "as_tensor":
            yield str(found["name"])
        elif kind == "as_tensors":
            yield from (str(one["name"]) for one in found)
        elif kind == "as_sym_int" and "as_name" in found:
            yield str(found["as_name"])
        elif kind == "as_sym_ints":
            yield from (str(one["as_name"]) for one in found if "as_name" in one)
        elif kind == "as_optional_tensors":
            yield from (str(one["as_tensor"]["name"]) for one in found if "as_tensor" in one)
        elif kind in (
            "as_optional_tensor",
            "as_nested_tensors",
            "as_graph",
            "as_string_to_argument",
        ):
            raise Refused(f"an argument {kind}")

"""The shapes of outputs that neither a file nor ONNX Runtime tells, or tells wrong: seen by running.

Shape inference multiplies a Resize's scales in float64, and ONNX Runtime in float32: 1.3 times 30 is declared as 38 and comes out as 39.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from safeconvert.core.signature import TensorSpec
from safeconvert.graph.stored import light_graph

_MISJUDGED = ("Resize", "Upsample")


def doubtful(path: str) -> frozenset[str]:
    """Names of a file's outputs that declare no shape, not even one of no dimensions; all where an operator's size is misjudged.

    It is not where it is an input of the model, and then what is declared says more than a run on zeros.
    """
    graph = light_graph(path).graph
    given = {value.name for value in graph.input} - {tensor.name for tensor in graph.initializer}
    misjudged = any(node.op_type in _MISJUDGED and not given.intersection(node.input[1:]) for node in graph.node)
    return frozenset(value.name for value in graph.output if misjudged or not value.type.tensor_type.HasField("shape"))


def with_seen_shapes(
    session: Any, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], unknown: Collection[str]
) -> tuple[TensorSpec, ...]:
    """The outputs; those of unknown shape have that of a run on zeros, or on ones, their batch free where that of the inputs is.

    They stay as they are where the model runs on neither.
    """
    names = [spec.name for spec in outputs if spec.name in unknown]
    if not names:
        return tuple(outputs)
    seen: dict[str, tuple[int | None, ...]] = {}
    for count in (1, 2):
        found = _run(session, inputs, names, count)
        for name, array in zip(names, found, strict=False):
            before = seen.get(name)
            changed = before is not None and bool(before) and before[:1] != array.shape[:1]
            seen[name] = (None, *array.shape[1:]) if changed else array.shape
    return tuple(replace(spec, shape=_settled(spec.shape, seen.get(spec.name))) for spec in outputs)


def _settled(declared: tuple[int | None, ...], seen: tuple[int | None, ...] | None) -> tuple[int | None, ...]:
    """What is declared, but for sizes that a run refutes; what was seen where nothing is declared."""
    if seen is None or len(declared) != len(seen):
        return declared if seen is None or declared else seen
    return tuple(
        own if own is None or axis == 0 else other for axis, (own, other) in enumerate(zip(declared, seen, strict=True))
    )


def _run(session: Any, inputs: Sequence[TensorSpec], names: Sequence[str], count: int) -> list[np.ndarray]:
    for value in (0, 1):
        feeds = {
            spec.name: np.full(
                [(count if axis == 0 else 1) if size is None else size for axis, size in enumerate(spec.shape)],
                value,
                spec.dtype,
            )
            for spec in inputs
        }
        try:
            return list(session.run(list(names), feeds))
        except Exception:  # noqa: BLE001 - ONNX Runtime's errors have no common base; ones are next
            continue
    return []

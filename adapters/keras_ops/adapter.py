"""ONNX → Keras without a converter: every operator expressed in keras.ops and Keras' own layers, saved as a `.keras` without code.

The last resort: for graphs that onnx2keras refuses. What Keras cannot express is refused by name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from safeconvert.adapter_api.layouts import moved_ends
from safeconvert.adapter_api.protocol import ConvertReply, ConvertRequest, Permutation, channels_last
from safeconvert.core.signature import TensorSpec
from safeconvert.graph.boundary_transposes import channels_second_ends

from .._operators.given import obligations
from .._operators.read import inputs, plain
from .model import build


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert and save; images become channels last, as by any other way to Keras."""
    step = ConvertRequest.from_json(request)
    specs = step.signature.inputs if step.signature else ()
    shapes = {spec.name: tuple(spec.shape) for spec in specs}
    legal = plain(step.model.path, __file__)
    model = legal.model
    taken, given = [name for name, _, _ in inputs(model)], [value.name for value in model.graph.output]
    ends = moved_ends(channels_second_ends(model), taken, given, step)

    def built(sizes: Mapping[str, tuple[int | None, ...]]) -> tuple[Any, ConvertReply]:
        told: dict[str, str] = {}
        made = build(model, sizes, ends, told)
        moves = _moved(taken, made.inputs, ends), _moved(given, made.outputs, ends)
        return made, ConvertReply(*moves, legal.notes(), obligations(told))

    def tried() -> tuple[Any, ConvertReply]:
        """With the sizes free that the source leaves free, where the graph does without them."""
        if step.keep_open and any(spec.open for spec in specs):
            with suppress(Exception):  # whatever Keras raises of an operator that needs its sizes
                return built({spec.name: _open(spec) for spec in specs})
        return built(shapes)

    made, reply = tried()
    made.save(step.target)
    return reply.to_json()


def _open(spec: TensorSpec) -> tuple[int | None, ...]:
    """A shape without the sizes that are this run's only."""
    return tuple(None if axis in spec.open else size for axis, size in enumerate(spec.shape))


def _moved(names: Sequence[str], tensors: Sequence[Any], ends: Collection[str]) -> tuple[Permutation | None, ...]:
    return tuple(
        channels_last(len(tensor.shape)) if name in ends else None for name, tensor in zip(names, tensors, strict=True)
    )

"""ONNX → Keras without a converter: every operator said in keras.ops and Keras' own layers, saved as a `.keras` without code.

The last resort: for graphs that onnx2keras refuses. What Keras cannot express is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.adapter_api.protocol import ConvertReply, ConvertRequest, Permutation
from safeconvert.graph.boundary_transposes import channels_second_ends

from .._operators.read import inputs, plain
from .model import build


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert and save; images become channels last, as by any other way to Keras."""
    step = ConvertRequest.from_json(request)
    shapes = {spec.name: tuple(spec.shape) for spec in step.signature.inputs} if step.signature else {}
    model = plain(step.model.path)
    ends = channels_second_ends(model)
    made = build(model, shapes, ends)
    made.save(step.target)
    names = [name for name, _, _ in inputs(model)]
    return ConvertReply(
        tuple(_moved(name in ends, tensor) for name, tensor in zip(names, made.inputs, strict=True)),
        tuple(
            _moved(value.name in ends, tensor) for value, tensor in zip(model.graph.output, made.outputs, strict=True)
        ),
    ).to_json()


def _moved(moved: bool, tensor: Any) -> Permutation | None:
    rank = len(tensor.shape)
    return (0, *range(2, rank), 1) if moved else None

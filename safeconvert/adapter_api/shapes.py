"""Shapes that a user gives or a framework leaves open, applied to a signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.signature import TensorSpec
from safeconvert.errors import UnusableInput


def with_given_shapes(specs: Sequence[TensorSpec], request: ModelRequest) -> tuple[TensorSpec, ...]:
    """Declared specs whose free dimensions (but the batch) are those that the user gave, or that fit a candidate: of several inputs the other model's
    of the same name, or at the same place where no name is the same.

    Raises:
        UnusableInput: a shape given contradicts the declared one, or names no input.
    """
    names = [spec.name for spec in specs]
    given = {name or next(iter(names), ""): shape for name, shape in request.input_shapes.items()}
    for name in given:
        if name not in names:
            raise UnusableInput(
                f"{request.path}: --input-shape {name}: no such input", f"its inputs are {', '.join(names)}"
            )
    others = {name: shape for name, shape, _ in request.candidate_inputs}
    if others.keys().isdisjoint(names) and len(others) == len(names):
        others = dict(zip(names, others.values(), strict=True))
    return tuple(_with_shape(spec, given.get(spec.name), others.get(spec.name), request) for spec in specs)


def _with_shape(
    spec: TensorSpec, given: tuple[int, ...] | None, other_shape: tuple[int, ...] | None, request: ModelRequest
) -> TensorSpec:
    likely = [other_shape] if other_shape is not None else []
    for shape in [given] if given is not None else [*likely, *request.candidate_shapes]:
        pairs = list(zip(spec.shape[1:], shape[1:], strict=False))
        if len(shape) == len(spec.shape) and all(own is None or not other or own == other for own, other in pairs):
            fixed = tuple(axis for axis, (own, other) in enumerate(pairs, start=1) if own is None and other)
            sizes = (*spec.shape[:1], *(own or other or None for own, other in pairs))
            return replace(spec, shape=sizes, open=fixed)
        if given is not None:
            raise UnusableInput(f"{request.path}: --input-shape {given} does not fit input {spec.name} {spec.shape}")
    return spec


def natural_order(name: str) -> tuple[str, int]:
    """Sort key that puts `output_10` after `output_2`."""
    stem, _, number = name.rpartition("_")
    return (stem, int(number)) if number.isdecimal() else (name, -1)

"""Which target input and output corresponds to which source one, and what that requires of whoever uses the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from safeconvert.compare.half_precision import UNITS
from safeconvert.compare.layout import LayoutAmbiguous, Override, TensorContract, align_dimensions, fits, override_order
from safeconvert.compare.pairing import Declared, pair, require_dtype
from safeconvert.compare.quantized import is_quantized, same_storage
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput


@dataclass(frozen=True)
class Contract:
    """How the tensors of two models correspond.

    Attributes:
        inputs: in the source's order.
        outputs: in the source's order.
        obligations: what a user of the target must do or know that the source did not ask for, one line each.
    """

    inputs: tuple[TensorContract, ...]
    outputs: tuple[TensorContract, ...]
    obligations: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form for the certificate."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Contract:
        """The inverse of `to_json`."""

        def tensors(items: Sequence[Mapping[str, Any]]) -> tuple[TensorContract, ...]:
            found = []
            for item in items:
                source, target = Signature.from_json({"inputs": [item["source"], item["target"]], "outputs": []}).inputs
                order = item["permutation"]
                found.append(TensorContract(source, target, None if order is None else tuple(order), item["reason"]))
            return tuple(found)

        return Contract(tensors(data["inputs"]), tensors(data["outputs"]), tuple(data["obligations"]))


def make_contract(
    source: Signature,
    target: Signature,
    declared_inputs: Declared | None = None,
    declared_outputs: Declared | None = None,
    overrides: Mapping[str, Override] | None = None,
) -> Contract:
    """Pair the tensors of two models and determine the order of dimensions of each.

    Tensors are paired by name where all names are the same on both sides, else in order. Where shapes or dtypes do not
    fit in order, but fit in exactly one other assignment, that one is taken.

    Args:
        source: the source model's inputs and outputs.
        target: the target model's.
        declared_inputs: by source input name, the permutation that the converter declares (None = unchanged); inputs
            that are absent here are determined from their shapes.
        declared_outputs: the same for outputs.
        overrides: by source tensor name, the order that the user requests. Under "": for every input that it fits, and
            for those outputs that nothing else decides.

    Raises:
        LayoutMismatch: other numbers of tensors, or shapes or dtypes that cannot be the same.
        LayoutAmbiguous: several orders of dimensions are possible.
        UnusableInput: an override that names no tensor, or that does not fit.
    """
    overrides = overrides or {}
    known = {"", *(spec.name for spec in source.inputs + source.outputs)}
    for name in overrides.keys() - known:
        raise UnusableInput(f"--target-layout names {name!r}, which the source does not have")
    declared = {"input": declared_inputs or {}, "output": declared_outputs or {}}
    aligned: dict[str, list[TensorContract]] = {"input": [], "output": []}
    sides = {"input": (source.inputs, target.inputs), "output": (source.outputs, target.outputs)}
    for role, (ours, theirs) in sides.items():
        theirs = _as_stored(ours, theirs)
        for one, two, how in pair(role, ours, theirs, declared[role]):
            tensor = _settle(role, one, two, declared[role], overrides)
            require_dtype(role, one, two)
            reason = f"{how}; {tensor.reason}"
            aligned[role].append(TensorContract(one, two, tensor.permutation, reason))
    inputs, outputs = tuple(aligned["input"]), tuple(aligned["output"])
    obligations = [line for tensor in inputs for line in _obligations("input", tensor)]
    obligations += [line for tensor in outputs for line in _obligations("output", tensor)]
    obligations += _moved("input", inputs, source.inputs, target.inputs)
    obligations += _moved("output", outputs, source.outputs, target.outputs)
    return Contract(inputs, outputs, tuple(obligations))


def _as_stored(source: Sequence[TensorSpec], target: Sequence[TensorSpec]) -> tuple[TensorSpec, ...]:
    """Plain integers of a target represent reals as the source's of the same type do.

    ONNX has no field for the scale of an input or output, so that the int8 input of a TFLite model is a plain one there.
    """
    if len(source) != len(target):
        return tuple(target)
    named = {spec.name: spec for spec in source}
    by_name = named.keys() == {spec.name for spec in target}
    adopted = []
    for position, spec in enumerate(target):
        other = named[spec.name] if by_name else source[position]
        same = is_quantized(other) and spec.quantization is None and spec.dtype == other.dtype
        adopted.append(replace(spec, quantization=other.quantization) if same else spec)
    return tuple(adopted)


def _settle(
    role: str, source: TensorSpec, target: TensorSpec, declared: Declared, overrides: Mapping[str, Override]
) -> TensorContract:
    facts = (declared.get(source.name), source.name in declared)
    if source.name in overrides:
        return align_dimensions(source, target, *facts, overrides[source.name])
    general = overrides.get("")
    order = override_order(general, len(source.shape)) if general else None
    if order is None or not fits(source, target, order):
        return align_dimensions(source, target, *facts)
    if role == "input":
        return align_dimensions(source, target, *facts, general)
    try:
        return align_dimensions(source, target, *facts)
    except LayoutAmbiguous:
        return align_dimensions(source, target, *facts, general)


def _moved(
    role: str, tensors: Sequence[TensorContract], source: Sequence[TensorSpec], target: Sequence[TensorSpec]
) -> list[str]:
    """A line for each tensor that callers who count find at another place of the target."""

    def indices(specs: Sequence[TensorSpec]) -> dict[str, int]:
        return {spec.name: index if spec.position is None else spec.position for index, spec in enumerate(specs)}

    ours, theirs = indices(source), indices(target)
    found = [(tensor, ours[tensor.source.name], theirs[tensor.target.name]) for tensor in tensors]
    return [
        f"{role} {tensor.source.name}: is number {after} of the target's {role}s, and {before} of the source's"
        for tensor, before, after in found
        if before != after and min(before, after) >= 0
    ]


def _called(spec: TensorSpec, axis: int) -> str:
    """What people call an axis of images, in brackets; "" where it is not known to be one."""
    if len(spec.shape) != 4:
        return ""
    first = spec.layout == "NCHW" or (spec.layout is None and spec.shape[1] in (1, 3, 4))
    known = first or spec.layout == "NHWC"
    return f" ({('height', 'width')[axis - 1 - first]})" if known and 0 <= axis - 1 - first < 2 else ""


def _obligations(role: str, tensor: TensorContract) -> list[str]:
    source, target = tensor.source, tensor.target
    verb = "takes" if role == "input" else "gives"
    lines = []
    if tensor.permutation is not None:
        lines.append(f"target {verb} the source's dimensions in the order {list(tensor.permutation)}")
    order = tensor.permutation or tuple(range(len(source.shape)))
    for j, axis in enumerate(order if role == "input" else ()):
        size = None if axis in source.open else source.shape[axis]
        wanted = None if j in target.open else target.shape[j]
        if wanted is not None and size != wanted:
            what = f"batch {wanted}" if j == 0 else f"size {wanted} in dimension {j}{_called(source, axis)}"
            lines.append(f"target takes {what} only; source takes {'any' if size is None else size}")
    if source.computed and role == "output":
        unit = UNITS[source.computed]
        lines.append(f"source computes in {source.computed}; compared within its precision, {unit:.1e} of the scale")
    if source.dtype != target.dtype:
        lines.append(f"target {verb} {target.dtype}; source {verb} {source.dtype}")
    if not same_storage(source, target):
        for side, spec in (("target", target), ("source", source)):
            if spec.quantization is not None and is_quantized(spec):
                scale, zero = spec.quantization.scale, spec.quantization.zero_point
                lines.append(f"{side} stores real values as {spec.dtype}: real = {scale:g} * (stored - {zero})")
    return [f"{role} {source.name}: {line}" for line in lines]

"""Arrays across a contract: the source's inputs for the target, the target's outputs for comparison."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import LayoutMismatch, TensorContract, apply_permutation, show, undo_permutation
from safeconvert.compare.quantized import Array, from_real, same_storage, to_real
from safeconvert.errors import UnusableInput


def target_feeds(contract: Contract, feeds: Mapping[str, Array]) -> dict[str, Array]:
    """The source's inputs as the target takes them: its names, order of dimensions, dtype and quantisation.

    Args:
        contract: of the two models.
        feeds: by source input name, samples along axis 0.

    Raises:
        UnusableInput: an integer that the target's dtype cannot hold, or NaN for a quantised input.
    """
    return {tensor.target.name: _as_target(tensor, feeds[tensor.source.name]) for tensor in contract.inputs}


def comparable_outputs(
    contract: Contract, source: Mapping[str, Array], target: Mapping[str, Array]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Both models' outputs by source output name, in the source's order of dimensions, as real values.

    Quantised integers become the reals that they represent, so that labels and tolerances mean the same as elsewhere.

    Raises:
        LayoutMismatch: an output is missing, or has another number of dimensions than its permutation.
    """
    ours, theirs = {}, {}
    fixed = any(tensor.target.batch is not None for tensor in contract.inputs)
    for tensor in contract.outputs:
        name = tensor.source.name
        for side, outputs, wanted in (("source", source, name), ("target", target, tensor.target.name)):
            if wanted not in outputs:
                raise LayoutMismatch(f"the {side} gave no output {wanted!r} (it gave: {', '.join(outputs) or 'none'})")
        array = target[tensor.target.name]
        if tensor.permutation is not None and array.ndim != len(tensor.permutation):
            raise LayoutMismatch(f"target output {show(tensor.target)} came with shape {list(array.shape)}")
        array = undo_permutation(array, tensor.permutation)
        array = _of_one_call(tensor, source[name], array) if fixed else array
        ours[name], theirs[name] = to_real(source[name], tensor.source), to_real(array, tensor.target)
    return ours, theirs


def _of_one_call(tensor: TensorContract, source: Array, target: Array) -> Array:
    """An output that does not depend on the batch (anchors), of a target that was called once for each few samples.

    Where all calls gave the same, that is what one call gives; else the outputs stay as they are, and their shapes differ.
    """
    declared = tensor.source.shape[:1]
    if declared != source.shape[:1] or declared != tensor.target.shape[:1] or source.shape[1:] != target.shape[1:]:
        return target
    if not source.size or not source.ndim or len(target) <= len(source) or len(target) % len(source):
        return target
    calls = target.reshape(-1, *source.shape)
    return calls[0] if all(one.tobytes() == calls[0].tobytes() for one in calls[1:]) else target


def _as_target(tensor: TensorContract, array: Array) -> Array:
    array = apply_permutation(array, tensor.permutation)
    if not same_storage(tensor.source, tensor.target):
        array = from_real(to_real(array, tensor.source), tensor.target)
    if array.dtype.kind in "iu" and tensor.target.dtype.startswith(("int", "uint")) and array.size:
        limits = np.iinfo(tensor.target.dtype)
        if int(array.min()) < limits.min or int(array.max()) > limits.max:
            raise UnusableInput(
                f"input {tensor.source.name}: {array.min()}..{array.max()} does not fit the target's {limits.dtype}",
                "leave out the inputs with such values",
            )
    return array if str(array.dtype) == tensor.target.dtype else array.astype(tensor.target.dtype)

"""What a target's inputs are expected to be, from the source's signature and from what the source is really fed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from safeconvert.adapter_api.protocol import CandidateInput, ConvertReply, ModelRequest
from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import LayoutMismatch, show
from safeconvert.core.signature import Signature
from safeconvert.verification.source import Source


def suggested_shapes(signature: Signature) -> tuple[tuple[int, ...], ...]:
    """Shapes for a target that declares none: the source's, and the same with its channels moved."""
    shapes = []
    for spec in signature.inputs:
        shape = tuple(size or 0 for size in spec.shape)
        shapes.append(shape)
        if 3 <= len(shape) <= 5:
            shapes += [(shape[0], *shape[2:], shape[1]), (shape[0], shape[-1], *shape[1:-1])]
    return tuple(shapes)


def suggested_inputs(signature: Signature) -> tuple[CandidateInput, ...]:
    """All inputs of a target that declares none, where there are several: the source's."""
    if len(signature.inputs) < 2:
        return ()
    return tuple((spec.name, tuple(size or 0 for size in spec.shape), spec.dtype) for spec in signature.inputs)


def request_like(path: Path | str, source: Signature, trust_pickle: bool = False) -> ModelRequest:
    """What a worker needs to open the target of a source, which its inputs are read from where the format declares none."""
    return ModelRequest(
        str(path),
        candidate_shapes=suggested_shapes(source),
        candidate_inputs=suggested_inputs(source),
        trust_pickle=trust_pickle,
    )


def moved(contract: Contract) -> ConvertReply:
    """The orders of dimensions of a contract, as a converter would declare them."""
    return ConvertReply(
        tuple(tensor.permutation for tensor in contract.inputs),
        tuple(tensor.permutation for tensor in contract.outputs),
    )


def require_sizes(source: Source, contract: Contract) -> None:
    """Raise LayoutMismatch where a target takes other sizes than the source, whose own are free, is really fed."""
    for tensor in contract.inputs:
        fed = np.load(source.data.chunks[0].arrays[tensor.source.name], mmap_mode="r", allow_pickle=False).shape
        order = tensor.permutation or tuple(range(len(fed)))
        moved = [fed[axis] for axis in order]
        if any(size not in (None, own) for size, own in zip(tensor.target.shape[1:], moved[1:], strict=True)):
            raise LayoutMismatch(
                f"the source is fed {list(fed[1:])} a sample for {tensor.source.name}, which target "
                f"{show(tensor.target)} does not take",
                "convert again with the source's own input shape (--input-shape)",
            )

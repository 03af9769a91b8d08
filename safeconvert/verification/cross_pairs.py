"""Four models, six pairs: both native models and both ONNX forms, each held against each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import TensorContract
from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.conversion.models import Evaluated
from safeconvert.errors import SafeconvertError
from safeconvert.inputs.store import Chunk
from safeconvert.verification.native import compare, unchanged_contract
from safeconvert.verification.types import ExporterCheck


def across(agreed: Contract, left: Contract, right: Contract) -> Contract:
    """The contract of two models, said of two others that stand for them.

    Args:
        agreed: of the two models.
        left: of the first and what stands for it.
        right: of the second and what stands for it.
    """

    def tensors(role: str) -> tuple[TensorContract, ...]:
        ours = {tensor.source.name: tensor.target for tensor in getattr(left, role)}
        theirs = {tensor.source.name: tensor.target for tensor in getattr(right, role)}
        return tuple(
            TensorContract(ours[t.source.name], theirs[t.target.name], t.permutation, t.reason)
            for t in getattr(agreed, role)
        )

    return Contract(tensors("inputs"), tensors("outputs"), agreed.obligations)


def renamed_tolerances(settings: VerifySettings, left: Contract) -> dict[str, Tolerance]:
    """Tolerances of single outputs, by the names that these have in what stands for the source."""
    names = {tensor.source.name: tensor.target.name for tensor in left.outputs}
    return {names.get(name, name): tolerance for name, tolerance in settings.tolerances.items()}


def cross_pairs(
    agreed: Contract,
    source: Evaluated,
    target: Evaluated,
    source_onnx: ExporterCheck,
    target_onnx: ExporterCheck,
    chunks: Sequence[Chunk],
    settings: VerifySettings,
    counted: np.ndarray,
) -> Mapping[str, Comparison]:
    """The three pairs that cross sides and forms, those of them whose models ran.

    Args:
        agreed: contract of the native models.
        source, target: the native models' outputs.
        source_onnx, target_onnx: their ONNX forms.
        chunks: the inputs.
        settings: how outputs are compared.
        counted: numbers of the samples that count.
    """
    sides = {}
    for name, native, check in (("source", source, source_onnx), ("target", target, target_onnx)):
        sides[f"{name} native"] = (native, unchanged_contract(native.signature, native.signature))
        if check.outputs is not None and check.contract is not None:
            sides[f"{name} ONNX"] = (check.outputs, check.contract)
    found = {}
    for one, two in (
        ("source ONNX", "target ONNX"), ("source native", "target ONNX"), ("source ONNX", "target native"),
    ):  # fmt: skip
        if one in sides and two in sides:
            (ours, left), (theirs, right) = sides[one], sides[two]
            own = replace(settings, tolerances=renamed_tolerances(settings, left))
            try:
                figures = compare(across(agreed, left, right), ours, theirs, chunks, own)
            except SafeconvertError:
                continue  # a form whose outputs are not comparable as asked; no verdict rests on these pairs
            found[f"{one} vs {two}"] = figures.result(counted)
    return found

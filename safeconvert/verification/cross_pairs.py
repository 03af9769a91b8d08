"""Four models, six pairs: both native models and both ONNX forms, each compared with each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import TensorContract
from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.errors import SafeconvertError
from safeconvert.verification.native import compare, unchanged_contract
from safeconvert.verification.source import Source
from safeconvert.verification.types import ExporterCheck, Verification


def across(contract: Contract, left: Contract, right: Contract) -> Contract:
    """The contract of two models, as it holds for two others that stand for them.

    Args:
        contract: of the two models.
        left: of the first and what stands for it.
        right: of the second and what stands for it.
    """

    def tensors(role: str) -> tuple[TensorContract, ...]:
        ours = {tensor.source.name: tensor.target for tensor in getattr(left, role)}
        theirs = {tensor.source.name: tensor.target for tensor in getattr(right, role)}
        return tuple(
            TensorContract(ours[t.source.name], theirs[t.target.name], t.permutation, t.reason)
            for t in getattr(contract, role)
        )

    return Contract(tensors("inputs"), tensors("outputs"), contract.obligations)


def renamed_tolerances(settings: VerifySettings, left: Contract) -> dict[str, Tolerance]:
    """Tolerances of single outputs, by the names that these have in what stands for the source."""
    names = {tensor.source.name: tensor.target.name for tensor in left.outputs}
    return {names.get(name, name): tolerance for name, tolerance in settings.tolerances.items()}


def cross_pairs(
    source: Source, verification: Verification, source_onnx: ExporterCheck, settings: VerifySettings
) -> Mapping[str, Comparison]:
    """The three pairs that cross sides and forms, those of them whose models ran, by name.

    Args:
        source: evaluated.
        verification: of the target.
        source_onnx: the source's ONNX form.
        settings: how outputs are compared.
    """
    natives = (("source", source.outputs, source_onnx), ("target", verification.outputs, verification.exporter))
    sides = {}
    for name, native, check in natives:
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
            both = min(len(ours.outputs), len(theirs.outputs))  # a form may have been run on the first inputs alone
            ours, theirs = (replace(side, outputs=side.outputs[:both]) for side in (ours, theirs))
            contract = across(verification.contract, left, right)
            try:
                figures = compare(contract, ours, theirs, source.data.chunks[:both], own)
            except SafeconvertError:
                continue  # a form whose outputs are not comparable as requested; no verdict rests on these pairs
            seen = source.data.chunks[both - 1].stop if both else 0
            found[f"{one} vs {two}"] = figures.result(source.held_out[source.held_out < seen])
    return found

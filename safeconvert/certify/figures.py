"""The part of a certificate on how two models were compared, and how far apart they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.layout import TensorContract
from safeconvert.compare.settings import VerifySettings
from safeconvert.core.faults import ExporterVerdict
from safeconvert.verification.source import Source
from safeconvert.verification.types import ExporterCheck, Verification


def contract(source: Source, verification: Verification | None) -> dict[str, Any]:
    """Which tensors correspond, and what the source's inputs were preprocessed with."""
    preprocessing = source.data.inputs.preprocessing
    described: dict[str, Any] = {"preprocessing": asdict(preprocessing) if preprocessing is not None else None}
    if verification is None:
        return described | {"inputs": [], "outputs": []}
    tensors = verification.contract
    return described | {"inputs": list(map(_tensor, tensors.inputs)), "outputs": list(map(_tensor, tensors.outputs))}


def comparator(settings: VerifySettings, verification: Verification | None) -> dict[str, Any]:
    """What counted as equal: the comparator, or the metric that decided in its place."""
    drop = verification.drop if verification is not None else None
    return {
        "name": drop.metric if drop is not None else settings.comparator or "by output",
        **({"max_drop": drop.allowed} if drop is not None else {}),
        "tolerances": asdict(settings.tolerance),
        "per_output": {name: asdict(tolerance) for name, tolerance in settings.tolerances.items()},
        "top_k": settings.top_k,
        "cosine_threshold": settings.cosine_threshold,
        "max_discrepancy": settings.max_discrepancy,
    }


def pairs(
    native: Comparison | None, source: ExporterCheck, target: ExporterCheck | None, crossing: Mapping[str, Comparison]
) -> dict[str, Any]:
    """Figures of the pairs of models that were compared, by name.

    Args:
        native: the native pair.
        source: the source and its ONNX form.
        target: the target and its ONNX form.
        crossing: the pairs that cross sides and forms.
    """
    compared: dict[str, Comparison | None] = {
        "source native vs target native": native,
        "source native vs source ONNX": source.figures,
        "target native vs target ONNX": target.figures if target is not None else None,
    }
    found = {name: figures.to_json() for name, figures in compared.items() if figures is not None}
    return found | {name: brief(figures) for name, figures in crossing.items()}


def brief(figures: Comparison) -> dict[str, Any]:
    """Figures without the list of samples, which is given where the verdict rests on them."""
    return {key: value for key, value in figures.to_json().items() if key != "disagreeing"}


def exporter(check: ExporterCheck | None) -> dict[str, Any]:
    """What became of one side's ONNX form, and where it leaves its model by the model's own layers."""
    if check is None:
        return {
            "adapter": "",
            "verdict": ExporterVerdict.NONE.value,
            "reason": "no target could be compared with the source",
        }
    found: dict[str, Any] = {"adapter": check.adapter, "verdict": check.verdict.value, "reason": check.reason}
    found |= {"faults": [fault.to_json() for fault in check.faults]} if check.faults else {}
    return found | ({"unlocalized": check.unlocalized} if check.unlocalized else {})


def _tensor(tensor: TensorContract) -> dict[str, Any]:
    return {
        "source": asdict(tensor.source),
        "target": asdict(tensor.target),
        "permutation": list(tensor.permutation) if tensor.permutation is not None else None,
        "reason": tensor.reason,
    }

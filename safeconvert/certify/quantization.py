"""The part of a certificate on a reduced target: how it was made and calibrated, and what a metric lost."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any

from safeconvert.certify.figures import brief
from safeconvert.compare.comparison import Comparison
from safeconvert.core.faults import finite
from safeconvert.pipeline.results import Attempt, Quantization
from safeconvert.repair.aimed import Aimed
from safeconvert.repair.aimed_layers import RestoredProposal
from safeconvert.repair.fewest import score
from safeconvert.repair.means import Means
from safeconvert.repair.quantization import OperatorRepair, QuantizedProposal
from safeconvert.repair.stored_repair import StoredProposal
from safeconvert.verification.source import Source
from safeconvert.verification.types import Verification


def quantization(record: Quantization | None, decisive: Attempt) -> dict[str, Any]:
    """How the target was reduced, from what float target; {} where it was not, or converters did it on their way."""
    if record is None:
        return {}
    twin = record.twin
    found: dict[str, Any] = {
        "optimize": str(record.optimize),
        "io": str(record.io),
        "float_target": {
            "reason": twin.reason,
            "figures": brief(twin.verification.native) if twin.verification is not None else None,
        },
    }
    if record.inputs:
        found["calibration"] = {"origin": record.origin, "inputs": record.inputs, "part": "steering"}
    if record.float_bytes and record.bytes:
        found |= {"float_bytes": record.float_bytes, "bytes": record.bytes}
    if record.latency is not None:
        found["latency"] = asdict(record.latency) | {"runtime": "LiteRT with XNNPACK on this machine"}
    origin = decisive.origin
    if isinstance(origin, StoredProposal):
        found |= {"bytes": origin.bytes, "minimal": True} | {
            "stored_anew": [
                {"tensor": one.tensor, "was": one.what, "without": _figures(one.without)} for one in origin.tensors
            ]
        }
    if isinstance(origin, RestoredProposal):
        found |= _restored(origin)
    if isinstance(origin, QuantizedProposal) and origin.file is not None:
        file = origin.file
        found |= {
            "operators": file.operators,
            "in_float": list(file.in_float),
            "bytes": file.bytes,
            "float_bytes": file.float_bytes,
            **({"raw_bytes": origin.raw_bytes} if origin.raw_bytes else {}),
            "biases_corrected": file.corrected,
            "in_sixteen": list(file.sixteen),
        }
        found |= _repairs(origin)
    return {"quantization": found}


def _restored(origin: RestoredProposal) -> dict[str, Any]:
    """Which layers have their weights in float32 again, of how many that were reduced, and what for."""
    raw = {"raw_bytes": origin.plain.stat().st_size} if origin.plain is not None else {}
    return {
        "layers": len(origin.ranking.layers) if origin.ranking is not None else 0,
        "in_float": [one.name for one in origin.restored],
        "repairs": [
            {"operator": one.name, "kind": one.stored, "means": str(Means.FLOAT), "without": None}
            for one in origin.restored
        ],
        **raw,
        **_aimed(origin.aimed),
    }


def _aimed(own: Aimed | None) -> dict[str, Any]:
    if own is None:
        return {}
    figures = {name: finite(getattr(own, name)) for name in ("before", "after", "nearer")}
    return {"aimed": {"aim": own.aim, **figures, "work": own.work}}


def _repairs(origin: QuantizedProposal) -> dict[str, Any]:
    """What was done about which operators, and what each is needed for; {} where nothing was."""
    found: dict[str, Any] = {}
    if origin.lacking:
        found["not_tried"] = [str(means) for means in Means if means.by_recipe]
    if not origin.repairs:
        return found
    found["repairs"] = [
        {"operator": one.operator, "kind": one.kind, "means": str(one.means), "without": _without(one)}
        for one in origin.repairs
    ]
    found["minimal"] = origin.minimal
    found |= _aimed(origin.aimed)
    if origin.version:
        found["written_by"] = {"ai-edge-quantizer": origin.version}
    return found


def _without(repair: OperatorRepair) -> dict[str, Any] | None:
    """Figures on the steering inputs with one repair undone and all others kept; None where that was not tried."""
    if repair.without is None:
        return None
    return {"fall": finite(repair.without.fall), **_figures(repair.without.figures)}


def _figures(figures: Comparison) -> dict[str, Any]:
    return {"equal": figures.equal, **score(figures).to_json()}


def metric(source: Source, verification: Verification | None) -> dict[str, Any]:
    """What decided in place of the comparator, and how far quantised outputs lie from the source's; {} where neither is known."""
    found: dict[str, Any] = {}
    if verification is not None and verification.drop is not None:
        labels = json.dumps(source.data.inputs.labels).encode()
        found["metric"] = verification.drop.to_json() | {"labels_sha256": hashlib.sha256(labels).hexdigest()}
    if verification is not None and verification.fidelity:
        found["fidelity"] = [one.to_json() for one in verification.fidelity]
    return found

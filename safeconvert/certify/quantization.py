"""The part of a certificate on a reduced target: how it was made and calibrated, and what a metric lost."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from safeconvert.certify.figures import brief
from safeconvert.pipeline.results import Attempt, Quantization
from safeconvert.repair.quantization import QuantizedProposal
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
    origin = decisive.origin
    if isinstance(origin, QuantizedProposal) and origin.file is not None:
        file = origin.file
        found |= {
            "operators": file.operators,
            "in_float": list(file.in_float),
            "bytes": file.bytes,
            "float_bytes": file.float_bytes,
            "biases_corrected": file.corrected,
        }
    return {"quantization": found}


def metric(source: Source, verification: Verification | None) -> dict[str, Any]:
    """What decided in place of the comparator, and how far quantised outputs lie from the source's; {} where neither is known."""
    found: dict[str, Any] = {}
    if verification is not None and verification.drop is not None:
        labels = json.dumps(source.data.inputs.labels).encode()
        found["metric"] = verification.drop.to_json() | {"labels_sha256": hashlib.sha256(labels).hexdigest()}
    if verification is not None and verification.fidelity:
        found["fidelity"] = [one.to_json() for one in verification.fidelity]
    return found

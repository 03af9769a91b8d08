"""How a target was reduced, in one line, as a certificate has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.certificate.untrusted_json import mapping, mappings, number, sequence, text


def quantization_line(predicate: Mapping[str, Any]) -> str:
    """Scheme, calibration, what computes in float, and sizes; "" where nothing was reduced."""
    found = mapping(predicate.get("quantization"))
    if not found:
        return ""
    parts = [text(found.get("optimize"))]
    if found.get("io") not in (None, "float32"):
        parts[0] += f" with {text(found.get('io'))} at its ends"
    calibration = mapping(found.get("calibration"))
    if calibration:
        parts.append(
            f"calibrated on {text(calibration.get('inputs'))} steering inputs of {text(calibration.get('origin'))}"
        )
    corrected = number(found.get("biases_corrected"))
    if corrected:
        parts.append(f"biases of {corrected:.0f} layers corrected")
    operators = number(found.get("operators"))
    if operators is not None:
        parts.append(f"{len(sequence(found.get('in_float')))} of {operators:.0f} operators in float32")
    before, after = number(found.get("float_bytes")), number(found.get("bytes"))
    if before is not None and after is not None:
        parts.append(f"{before:.0f} bytes became {after:.0f}")
    return ", ".join(parts)


def fidelity_words(predicate: Mapping[str, Any]) -> str:
    """How far the farthest output lies from the source's, in the figures that people quantise by; "" where none were taken."""
    found = [(number(one.get("sqnr_db")), one) for one in mappings(predicate.get("fidelity"))]
    known = [(ratio, one) for ratio, one in found if ratio is not None]
    if not known:
        return ""
    ratio, worst = min(known, key=lambda each: each[0])
    cosine, steps = number(worst.get("cosine")), number(worst.get("steps"))
    words = f"SQNR {ratio:.1f} dB" + (f", cosine {cosine:.4f}" if cosine is not None else "")
    return words + (f", {steps:.3g} steps of its scale at most" if steps is not None else "")

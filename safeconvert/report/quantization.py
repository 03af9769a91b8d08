"""How a target was reduced, in one line, as a certificate has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.certificate.untrusted_json import mapping, mappings, number, sequence, text
from safeconvert.core.optimize import Optimize
from safeconvert.repair.means import Means


def quantization_line(predicate: Mapping[str, Any]) -> str:
    """Scheme, calibration, what computes in float, and sizes; "" where nothing was reduced."""
    found = mapping(predicate.get("quantization"))
    if not found:
        return ""
    parts = how_reduced(found)
    parts += operator_counts(found)
    before, raw, after = (number(found.get(key)) for key in ("float_bytes", "raw_bytes", "bytes"))
    if before is not None and after is not None:
        plain = f" ({raw:.0f} with nothing done)" if raw is not None and raw != after else ""
        parts.append(f"{before:.0f} bytes became {after:.0f}{plain}")
    return ", ".join([*filter(None, parts), *_latency(mapping(found.get("latency")))])


def how_reduced(found: Mapping[str, Any]) -> list[str]:
    """The scheme, on what its ranges were measured, and how many biases were corrected, as parts of a sentence.

    Args:
        found: under `quantization` of a certificate.
    """
    parts = [text(found.get("optimize"))]
    if found.get("io") not in (None, "float32"):
        parts[0] += f" with {text(found.get('io'))} at its ends"
    calibration = mapping(found.get("calibration"))
    if calibration:
        parts.append(
            f"calibrated on {text(calibration.get('inputs'))} steering inputs of {text(calibration.get('origin'))}"
        )
    corrected = number(found.get("biases_corrected"))
    return [*parts, f"biases of {corrected:.0f} layers corrected"] if corrected else parts


def repair_lines(predicate: Mapping[str, Any]) -> list[str]:
    """What was done about which operators of a quantised target, and that nothing of it can be left out; [] where nothing was."""
    found = mapping(predicate.get("quantization"))
    repairs = list(mappings(found.get("repairs")))
    lines = [
        f"{text(means)}: " + ", ".join(text(one.get("operator")) for one in repairs if one.get("means") == means)
        for means in dict.fromkeys(text(one.get("means")) for one in repairs)
    ]
    lines += [
        f"stored anew: {text(one.get('tensor')).partition(';')[0]}, which had {text(one.get('was'))}"
        for one in mappings(found.get("stored_anew"))
    ]
    return lines + repair_remarks(found)


def repair_remarks(found: Mapping[str, Any]) -> list[str]:
    """Whether anything of what was done can be left out, and what was not tried.

    Args:
        found: under `quantization` of a certificate.
    """
    lines = []
    if (sequence(found.get("repairs")) or sequence(found.get("stored_anew"))) and found.get("minimal"):
        lines.append("none of these can be left out: without any one of them the steering inputs lose too much")
    lines += _aimed(mapping(found.get("aimed")))
    if sequence(found.get("not_tried")):
        lines.append(
            f"not tried: {'; '.join(text(one) for one in sequence(found.get('not_tried')))} (pip install 'safeconvert[recipes]')"
        )
    return lines


def _aimed(found: Mapping[str, Any]) -> list[str]:
    """What was done for the aim of the settings, where that and not the bound asked for it."""
    aim, before, after, work = (number(found.get(key)) for key in ("aim", "before", "after", "work"))
    if aim is None or before is None or after is None or work is None:
        return []
    missed = "" if after <= aim else ", which nothing within [quantize] aimed_share was found to reach"
    nearer = number(found.get("nearer"))
    distance = f"outputs lie {100 * nearer:.0f} % nearer to the source's; " if nearer is not None else ""
    return [
        f"on the steering inputs: {distance}by estimate {100 * after:.2f} % is lost, with nothing done {100 * before:.2f} %; aimed at "
        f"{100 * aim:.2g} % or less{missed}",
        f"by estimate {100 * work:.0f} % of the work is not in integers; --no-repair leaves all of it there",
    ]


def operator_counts(found: Mapping[str, Any]) -> list[str]:
    """How many operators compute otherwise than in eight bits.

    Args:
        found: under `quantization` of a certificate.
    """
    operators, layers = number(found.get("operators")), number(found.get("layers"))
    if layers:
        return [f"{len(sequence(found.get('in_float')))} of {layers:.0f} layers with weights in float32"]
    if operators is None:
        return []
    repairs = list(mappings(found.get("repairs")))
    done = [one.get("means") for one in repairs]
    sixteen = len(sequence(found.get("in_sixteen"))) if found.get("optimize") == Optimize.INT8 else 0
    fewer = [done.count(means) for means in (Means.DYNAMIC, Means.WEIGHTS, Means.HALF)]
    counts = [
        (done.count(Means.RANGE), "with another range"),
        (fewer[0], "with weights in eight bits and results in float32"),
        (fewer[1], "with weights in eight bits and computed in float32"),
        (sixteen, "with 16-bit activations"),
        (fewer[2], "with weights in 16 bits and computed in float32"),
    ]
    told = [f"{count} of {operators:.0f} operators {words}" for count, words in counts if count]
    return [
        *told,
        f"{len(sequence(found.get('in_float'))) - sum(fewer)} of {operators:.0f} operators in float32",
    ]


def _latency(found: Mapping[str, Any]) -> list[str]:
    """How long a call takes, as it was measured."""
    own, raw, plain = (number(found.get(key)) for key in ("target_ms", "raw_ms", "float_ms"))
    calls, threads = number(found.get("calls")), number(found.get("threads"))
    if own is None or raw is None or plain is None or calls is None or threads is None:
        return []
    return [
        f"a call takes {own:.3g} ms (float {plain:.3g}, with nothing done {raw:.3g}: medians of {calls:.0f} calls in LiteRT here, "
        f"{threads:.0f} threads)"
    ]


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

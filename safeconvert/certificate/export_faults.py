"""The layers at which an exporter left its model, read from a certificate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.certificate.untrusted_json import mapping, mappings, number, sequence, text

_SHOWN = 4  # faults of one side


def export_fault_lines(check: Mapping[str, Any]) -> list[str]:
    """One line for each of the first faults of one side's ONNX form; why there are none where that was looked for.

    Args:
        check: under `exporters` the side's.
    """
    faults = list(mappings(mapping(check).get("faults")))
    lines = [_line(fault) for fault in faults[:_SHOWN]]
    if len(faults) > _SHOWN:
        lines.append(f"and {len(faults) - _SHOWN} more layers")
    why = text(mapping(check).get("unlocalized"))
    return [*lines, *([f"its layers could not be looked at: {why}"] if mapping(check).get("unlocalized") else [])]


def _line(fault: Mapping[str, Any]) -> str:
    layer, layers = text(fault.get("layer")), [text(name) for name in sequence(fault.get("layers"))]
    front = ", ".join(name for name in layers if name != layer)
    isolated = number(fault.get("isolated"))
    nodes = ", ".join(text(node) for node in sequence(fault.get("nodes")))
    return (
        f"at layer {layer} ({text(fault.get('operator'))})"
        + (f", or at {front} in front of it" if front else "")
        + (f": off by {isolated:.3g} of its size with right values going in" if isolated is not None else "")
        + (f"; in ONNX {nodes}" if nodes else "")
        + (f"; right by {text(fault.get('replaced'))}" if fault.get("replaced") else "")
    )

"""The four models of a verification, compared in pairs, and what exporters did wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.certificate.export_faults import export_fault_lines
from safeconvert.certificate.untrusted_json import mapping, number, text
from safeconvert.core.formats import TITLES
from safeconvert.core.proof import READER
from safeconvert.report.charts import models_chart
from safeconvert.report.sections.numbers import figure

_PAIRS = (
    "source native vs target native", "source native vs source ONNX", "target native vs target ONNX",
    "source ONNX vs target ONNX", "source native vs target ONNX", "source ONNX vs target native",
)  # fmt: skip


def models(predicate: Mapping[str, Any]) -> dict[str, Any]:
    """A row for each pair of models, their chart, and the exporters' faults."""
    found = mapping(predicate.get("verification"))
    pairs = {
        name: mapping(found[name])
        for name in [*(name for name in _PAIRS if name in found), *sorted(set(found) - set(_PAIRS))]
    }
    exporters = mapping(predicate.get("exporters"))
    names, exporter_lines = {}, []
    for role in ("source", "target"):
        side, exporter = mapping(predicate.get(role)), mapping(exporters.get(role))
        names[f"{role} native"] = TITLES.get(str(side.get("format")), text(side.get("format")))
        maker = "read from the file" if exporter.get("adapter") == READER else f"by {exporter.get('adapter')}"
        names[f"{role} ONNX"] = maker if exporter.get("adapter") else "the model itself"
        if exporter.get("verdict") in ("different", "failed"):
            where = "".join(f"; {line}" for line in export_fault_lines(exporter))
            exporter_lines.append(f"Exporter fault, {role} side only: {text(exporter.get('reason'))}{where}")
    rows = [
        {
            "name": name,
            "equal": figures.get("equal") is True,
            "differ": figure(
                max(number(figures.get(key)) or 0 for key in ("disagreements", "beyond_tolerance")), ".0f"
            ),
            "samples": figure(figures.get("samples"), ".0f"),
            **{key: figure(figures.get(key)) for key in ("max_abs", "mean_abs", "relative")},
        }
        for name, figures in pairs.items()
    ]
    held_out = number(mapping(predicate.get("inputs")).get("held_out"))
    return {
        "pairs": rows, "models_chart": models_chart(pairs, names) if rows else "", "exporters": exporter_lines,
        "held_out": f"{held_out:.0f}" if held_out is not None else "",
    }  # fmt: skip

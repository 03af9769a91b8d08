"""Errors along the layers, and the layers ranked by their rate of problematic elements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.certificate.faults import read_trials
from safeconvert.certificate.untrusted_json import mappings, number, sequence, text
from safeconvert.core.faults import TrialOutcome
from safeconvert.report.charts import Layer, layers_chart, read_layers
from safeconvert.report.sections.numbers import ROWS, figure, listed, share


def layers(predicate: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    """The layers that are farthest apart, in the order of the target's graph, and their chart."""
    read = read_layers(content.get("along"))
    repaired = any(trial.outcome == TrialOutcome.ACCEPTED for trial in read_trials(predicate))
    order = sorted(range(len(read)), key=lambda index: -_worst(read[index]))[:ROWS]
    clean = predicate.get("verdict") == "verified" and not sequence(predicate.get("faults"))
    why = "The models were equal at their outputs; the layers were not compared." if clean else (
        "Errors along the layers were not recorded: the graphs were not aligned, or the evidence is not at hand."
    )  # fmt: skip
    return {
        "layers_chart": layers_chart(read, repaired),
        "shows_repaired": repaired,
        "no_layers": why,
        "layers_left": len(read) - len(order),
        "layers": [
            {
                "place": index + 1, "target": read[index].target, "source": read[index].source,
                "operator": read[index].operator, "faults": listed(read[index].faults),
                **{key: figure(getattr(read[index], key)) for key in ("isolated", "propagated", "repaired")},
            }
            for index in sorted(order)
        ],
    }  # fmt: skip


def ranking(predicate: Mapping[str, Any]) -> dict[str, Any]:
    """The layers by their rate of problematic elements (paper, section 4)."""
    rows = []
    ranked = list(mappings(predicate.get("layers")))[:ROWS]
    rates = [rate for layer in ranked if (rate := number(layer.get("rate"))) is not None and 0 < rate <= 1]
    longest = max(rates, default=1.0)
    for layer in ranked:
        rate = number(layer.get("rate"))
        rows.append({"target": text(layer.get("target")), "source": text(layer.get("source")),
                     "elements": figure(layer.get("elements"), ".0f"), "problematic": figure(layer.get("problematic"), ".1f"),
                     "rate": share(rate), "width": f"{4 * min(max((rate or 0) / longest, 0), 1):.2f}"})  # fmt: skip
    return {"ranking": rows}


def _worst(layer: Layer) -> float:
    return max(
        (value for value in (layer.isolated, layer.propagated) if value is not None and value == value), default=-1
    )

"""What the report's page shows, made from a certificate's content and its evidence: words and numbers, ready to print."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safeconvert.certificate.archive import Evidence
from safeconvert.certificate.export_faults import export_fault_lines
from safeconvert.certificate.faults import read_faults, read_trials
from safeconvert.certificate.replay import steps
from safeconvert.certificate.untrusted_json import mapping, mappings, number, sequence, text
from safeconvert.core.faults import TrialOutcome, kind_name
from safeconvert.core.formats import TITLES
from safeconvert.report.charts import Layer, layers_chart, models_chart, read_layers, trajectory_chart
from safeconvert.report.containment import contained
from safeconvert.report.proof import proof_words
from safeconvert.report.thumbnails import sample_views

_VERDICTS = {
    "verified": ("Verified", "good"),
    "not_equivalent": ("Not equivalent", "bad"),
    "no_route": ("No route could convert", "bad"),
    "no_verdict": ("No verdict possible", "warn"),
    "unusable_input": ("Could not begin", "warn"),
    "unreadable": ("Cannot be read here", "warn"),
}
_PAIRS = (
    "source native vs target native", "source native vs source ONNX", "target native vs target ONNX",
    "source ONNX vs target ONNX", "source native vs target ONNX", "source ONNX vs target native",
)  # fmt: skip
_ROWS = 200  # of a table; what is left out is said


@dataclass(frozen=True)
class Shown:
    """A number: as it is printed, and as it is sorted."""

    said: str
    sort: str


def figure(value: object, style: str = ".3g") -> Shown:
    """A number of a certificate; "-" for none, which sorts last."""
    found = number(value)
    if found is None or math.isnan(found):
        return Shown("-", "inf")
    return Shown("∞" if math.isinf(found) else format(found, style), repr(found))


def sentence(said: str) -> str:
    """The text beginning with a capital letter."""
    return said[:1].upper() + said[1:]


def share(value: object) -> Shown:
    """A share as per cent."""
    found = number(value)
    return figure(value) if found is None or not math.isfinite(found) else Shown(f"{found:.1%}", repr(found))


def view(
    predicate: Mapping[str, Any], evidence: Evidence | None, notices: list[str], certificate: str
) -> dict[str, Any]:
    """Everything that the template prints.

    Args:
        predicate: the certificate's content; {} and parts of it are shown as far as they go.
        evidence: what lies beside it, or None.
        notices: what a reader has to know first.
        certificate: the certificate's file name; "" where none was written.
    """
    content = evidence.content if evidence is not None else {}
    return {
        **_head(predicate, certificate),
        "notices": notices,
        **_models(predicate),
        **_layers(predicate, content),
        **_repair(predicate),
        **_faults(predicate),
        **sample_views(evidence, predicate),
        **_ranking(predicate),
        **_obligations(predicate),
        **_made(predicate, evidence, certificate),
    }


def _head(predicate: Mapping[str, Any], certificate: str) -> dict[str, Any]:
    said = text(predicate.get("verdict"))
    verdict, tone = _VERDICTS.get(said, (f"Verdict: {said}", "warn"))
    sides = {role: mapping(predicate.get(role)) for role in ("source", "target")}
    files = {role: text(side.get("path")).rsplit("/", 1)[-1].removesuffix(".rejected") for role, side in sides.items()}
    formats = {
        f"{r}_format": TITLES.get(str(side.get("format")), text(side.get("format"))) for r, side in sides.items()
    }
    repair = mapping(predicate.get("repair"))
    before, after = mapping(repair.get("before")), mapping(repair.get("after"))
    repaired = ""
    if repair.get("lift"):
        repaired = (
            f"{share(before.get('discrepancy')).said} → {share(after.get('discrepancy')).said} of inputs differ; "
            f"{text(repair.get('lift'))}."
        )
    return {
        "verdict": verdict, "tone": tone, "reason": sentence(text(predicate.get("reason"))), "certificate": certificate,
        "repaired": repaired, "tiles": _tiles(predicate), **files, **formats,
    }  # fmt: skip


def _tiles(predicate: Mapping[str, Any]) -> list[dict[str, str]]:
    figures = mapping(mapping(predicate.get("verification")).get("source native vs target native"))
    tiles = []
    if figures:
        samples, labels = number(figures.get("samples")) or 0, number(figures.get("disagreements")) or 0
        beyond = number(figures.get("beyond_tolerance")) or 0
        tiles.append({"title": "Inputs that differ", "value": f"{max(labels, beyond):.0f} of {samples:.0f}",
                      "small": f"{labels:.0f} by label or value, {beyond:.0f} beyond tolerance"})  # fmt: skip
        bound = number(figures.get("upper_bound"))
        below = "-" if bound is None else f"< {bound:.2%}"
        sure = "with 95 % confidence, for inputs like these"
        tiles.append({"title": "Disagreement rate", "value": f"{labels / samples:.1%}" if labels and samples else below,
                      "small": f"{below} {sure}" if labels and samples and (bound or 0) < 1 else sure if not labels else
                      "of the inputs that were tried"})  # fmt: skip
        tiles.append({"title": "Largest distance", "value": figure(figures.get("max_abs")).said,
                      "small": f"{figure(figures.get('relative')).said} of the output's size"})  # fmt: skip
    words = proof_words(predicate.get("proof"))
    if words:
        tiles.append({"title": "Proof", "value": "proven", "small": words.removeprefix("proven ")})
    faults = read_faults(predicate)
    if faults:
        repaired = sum(fault.repaired for fault in faults)
        tiles.append({"title": "Faults", "value": str(len(faults)), "small": f"{repaired} repaired in the target"})
    return tiles


def _models(predicate: Mapping[str, Any]) -> dict[str, Any]:
    found = mapping(predicate.get("verification"))
    pairs = {
        name: mapping(found[name])
        for name in [*(name for name in _PAIRS if name in found), *sorted(set(found) - set(_PAIRS))]
    }
    exporters = mapping(predicate.get("exporters"))
    names, said = {}, []
    for role in ("source", "target"):
        side, exporter = mapping(predicate.get(role)), mapping(exporters.get(role))
        names[f"{role} native"] = TITLES.get(str(side.get("format")), text(side.get("format")))
        names[f"{role} ONNX"] = f"by {exporter['adapter']}" if exporter.get("adapter") else "the model itself"
        if exporter.get("verdict") in ("different", "failed"):
            where = "".join(f"; {line}" for line in export_fault_lines(exporter))
            said.append(f"Exporter fault, {role} side only: {text(exporter.get('reason'))}{where}")
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
        "pairs": rows, "models_chart": models_chart(pairs, names) if rows else "", "exporters": said,
        "held_out": f"{held_out:.0f}" if held_out is not None else "",
    }  # fmt: skip


def _layers(predicate: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    layers = read_layers(content.get("along"))
    repaired = any(trial.outcome == TrialOutcome.ACCEPTED for trial in read_trials(predicate))
    order = sorted(range(len(layers)), key=lambda place: -_worst(layers[place]))[:_ROWS]
    clean = predicate.get("verdict") == "verified" and not sequence(predicate.get("faults"))
    why = "The models were equal at their outputs; the layers were not compared." if clean else (
        "Errors along the layers were not recorded: the graphs were not aligned, or the evidence is not at hand."
    )  # fmt: skip
    return {
        "layers_chart": layers_chart(layers, repaired),
        "shows_repaired": repaired,
        "no_layers": why,
        "layers_left": len(layers) - len(order),
        "layers": [
            {
                "place": place + 1, "target": layers[place].target, "source": layers[place].source,
                "operator": layers[place].operator, "faults": _listed(layers[place].faults),
                **{key: figure(getattr(layers[place], key)) for key in ("isolated", "propagated", "repaired")},
            }
            for place in sorted(order)
        ],
    }  # fmt: skip


def _worst(layer: Layer) -> float:
    return max(
        (value for value in (layer.isolated, layer.propagated) if value is not None and value == value), default=-1
    )


def _repair(predicate: Mapping[str, Any]) -> dict[str, Any]:
    repair = mapping(predicate.get("repair"))
    trials = read_trials(predicate)
    accepted = sum(trial.outcome == TrialOutcome.ACCEPTED for trial in trials)
    order = sorted(trials, key=lambda trial: trial.outcome != TrialOutcome.ACCEPTED)[:_ROWS]
    return {
        "trajectory_chart": trajectory_chart(trials, repair, frozenset(trial.number for trial in order)),
        "trials_left": len(trials) - len(order),
        "trajectory": f"{len(trials)} tried, {accepted} accepted; it ended with: {text(repair.get('ended'))}. Single "
        "trials are judged on a few inputs, both ends on all steering ones.",
        "trials": [
            {
                "number": trial.number, "faults": _listed(trial.faults), "outcome": trial.outcome.replace("_", " "),
                "reason": trial.reason, "share_before": share(trial.share_before),
                "share_after": share(trial.share_after), "before": figure(trial.distance_before),
                "after": figure(trial.distance_after),
            }
            for trial in sorted(order, key=lambda trial: trial.number)
        ],
    }  # fmt: skip


def _faults(predicate: Mapping[str, Any]) -> dict[str, Any]:
    faults = read_faults(predicate)
    rows = [
        {
            "number": fault.position + 1, "kind": fault.kind, "kind_title": kind_name(fault.kind),
            "source": fault.source_place, "target": fault.target_place, "operator": fault.operator, "evidence": fault.evidence,
            "isolated": figure(fault.isolated), "propagated": figure(fault.propagated),
            "state": fault.state + ("" if fault.proven else " (suspicion)"),
            "tone": "good" if fault.repaired else "bad" if fault.proven else "",
        }
        for fault in faults[:_ROWS]
    ]  # fmt: skip
    verified = predicate.get("verdict") == "verified"
    why = "None: the target was equal as it was converted." if verified else (
        "None was localized: safeconvert localize names them." if predicate.get("verdict") == "not_equivalent"
        else "None was localized."
    )  # fmt: skip
    return {"faults": rows, "faults_left": len(faults) - len(rows), "no_faults": why}


def _ranking(predicate: Mapping[str, Any]) -> dict[str, Any]:
    rows = []
    layers = list(mappings(predicate.get("layers")))[:_ROWS]
    rates = [rate for layer in layers if (rate := number(layer.get("rate"))) is not None and 0 < rate <= 1]
    longest = max(rates, default=1.0)
    for layer in layers:
        rate = number(layer.get("rate"))
        rows.append({"target": text(layer.get("target")), "source": text(layer.get("source")),
                     "elements": figure(layer.get("elements"), ".0f"), "problematic": figure(layer.get("problematic"), ".1f"),
                     "rate": share(rate), "width": f"{4 * min(max((rate or 0) / longest, 0), 1):.2f}"})  # fmt: skip
    return {"ranking": rows}


def _obligations(predicate: Mapping[str, Any]) -> dict[str, Any]:
    contract = mapping(predicate.get("contract"))
    tensors = []
    for role in ("inputs", "outputs"):
        for tensor in mappings(contract.get(role)):
            source, target = mapping(tensor.get("source")), mapping(tensor.get("target"))
            tensors.append({"role": role[:-1], "source": _spec(source),
                            "target": _spec(target), "order": text(tensor.get("permutation") or "unchanged"),
                            "reason": text(tensor.get("reason"))})  # fmt: skip
    recipe = mapping(contract.get("preprocessing"))
    verified = predicate.get("verdict") == "verified"
    return {
        "obligations": [text(item) for item in sequence(predicate.get("obligations"))[:_ROWS]],
        "no_obligations": "Nothing: it takes and gives the same as the source."
        if verified
        else "Nothing was recorded.",
        "tensors": tensors,
        "preprocessing": [(str(key), text(value)) for key, value in recipe.items()],
    }


def _made(predicate: Mapping[str, Any], evidence: Evidence | None, certificate: str) -> dict[str, Any]:
    environment = mapping(predicate.get("environment"))
    inputs, comparator = mapping(predicate.get("inputs")), mapping(predicate.get("comparator"))
    said = [
        ("inputs", f"{text(inputs.get('origin'))}; {text(inputs.get('used'))} of {text(inputs.get('count'))} used, "
                   f"{text(inputs.get('held_out'))} held out, split seed {text(inputs.get('split_seed'))}"),
        ("compared", f"{text(comparator.get('name'))}; {_items(comparator.get('tolerances'))}"),
        ("containment", contained(predicate)),
        ("Python", text(environment.get("python"))),
        ("platform", f"{text(environment.get('platform'))}, {text(environment.get('cpus'))} processors"),
        ("packages", _items(environment.get("packages"))),
    ]  # fmt: skip
    if sequence(predicate.get("notes")):
        said.append(("notes", "; ".join(text(note) for note in sequence(predicate.get("notes")))))
    files = []
    for role in ("source", "target", "evidence"):
        entry = mapping(predicate.get(role))
        for part, name in [(entry, role), *((part, f"{role} data") for part in mappings(entry.get("files")))]:
            if part:
                files.append({"role": name, "path": text(part.get("path")), "sha256": text(part.get("sha256"))})
    attempts = [
        {
            "route": " → ".join(map(text, sequence(attempt.get("route")))) or text(attempt.get("lift") or "as given"),
            "outcome": text(attempt.get("outcome")).replace("_", " "), "reason": text(attempt.get("reason")),
        }
        for attempt in list(mappings(predicate.get("attempts")))[:_ROWS]
    ]  # fmt: skip
    return {
        "commands": steps(predicate, certificate), "attempts": attempts, "environment": said, "files": files,
        "seconds": [(str(name), text(value)) for name, value in mapping(predicate.get("seconds")).items()],
        "version": text(mapping(predicate.get("tool")).get("version")),
        "made_of": (certificate or "a run that wrote no certificate") + (" and its evidence" if evidence is not None else ""),
    }  # fmt: skip


def _spec(tensor: Mapping[str, Any]) -> str:
    sizes = ["?" if size is None else text(size) for size in sequence(tensor.get("shape"))]
    return f"{text(tensor.get('name'))} [{', '.join(sizes)}] {text(tensor.get('dtype'))}"


def _items(value: object) -> str:
    return ", ".join(f"{text(key)} {text(item)}" for key, item in sorted(mapping(value).items())) or "-"


def _listed(positions: tuple[int, ...]) -> str:
    return ", ".join(str(position + 1) for position in positions)

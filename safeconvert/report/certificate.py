"""Print a certificate for a person. Whatever is missing is shown as "-".

A certificate may come from anybody, so that all of it is printed as plain text: no markup, no emoji codes, no control
characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from safeconvert.certificate.export_faults import export_fault_lines
from safeconvert.certificate.untrusted_json import mapping, sequence, text
from safeconvert.report.containment import contained
from safeconvert.report.coverage import coverage_line
from safeconvert.report.proof import proof_line
from safeconvert.report.quantization import quantization_line, repair_lines

_CROSS = {"source ONNX vs target ONNX", "source native vs target ONNX", "source ONNX vs target native"}
_FIGURES = (
    "samples",
    "disagreements",
    "discrepancy",
    "upper_bound",
    "ties",
    "nonfinite",
    "max_abs",
    "mean_abs",
    "relative",
    "equal",
)


def render(predicate: Mapping[str, Any], console: Console) -> None:
    """Verdict first, then files, route, contract, figures, obligations, times."""
    colour = "green" if predicate.get("verdict") == "verified" else "red"
    verdict = Text(text(predicate.get("verdict")), f"bold {colour}")
    console.print(Text.assemble(verdict, "  ", text(predicate.get("reason"))))
    _files(predicate, console)
    _route(predicate, console)
    _contract(mapping(predicate.get("contract")), console)
    _figures(predicate, console)
    left_out = coverage_line(predicate)
    if left_out:
        console.print(Text(left_out))
    for side, check in mapping(predicate.get("exporters")).items():
        check = mapping(check)
        console.print(Text(f"{text(side)} ONNX export: {text(check.get('verdict'))} {text(check.get('reason'))}"))
        for line in export_fault_lines(check):
            console.print(Text(f"  {line}"))
    for obligation in sequence(predicate.get("obligations")):
        console.print(Text(f"obligation: {text(obligation)}"))
    faults, trials = (len(sequence(predicate.get(key))) for key in ("faults", "trials"))
    console.print(Text(f"faults: {faults}  trials: {trials}"))
    if predicate.get("structure") == "equivalent":
        console.print(
            Text("structurally equivalent: the ONNX forms are the same graph with equal weights, but for names")
        )
    proof = mapping(predicate.get("proof"))
    if proof:
        console.print(Text(f"proof: {proof_line(proof)}"))
    reduced = quantization_line(predicate)
    if reduced:
        console.print(Text(f"quantised: {reduced}"))
    for line in repair_lines(predicate):
        console.print(Text(f"  {line}"))
    if "metric" in predicate:
        console.print(Text(f"metric: {_listed(predicate.get('metric'))}"))
    comparator = mapping(predicate.get("comparator"))
    console.print(
        Text(f"comparator: {text(comparator.get('name'))}  tolerances: {_listed(comparator.get('tolerances'))}")
    )
    settings = mapping(predicate.get("settings"))
    if settings.get("file"):
        console.print(Text(f"settings: {text(settings.get('file'))}, sha256 {text(settings.get('sha256'))}"))
    for line in sequence(settings.get("loosened")):
        console.print(Text(f"loosened: {text(line)}", "yellow"))
    console.print(Text(f"inputs: {_listed(predicate.get('inputs'))}"))
    console.print(Text(f"containment: {contained(predicate)}"))
    console.print(Text(f"seconds: {_listed(predicate.get('seconds'))}"))


def _files(predicate: Mapping[str, Any], console: Console) -> None:
    table = _table("", "file", "format", "sha256")
    for role in ("source", "target"):
        entry = mapping(predicate.get(role))
        _row(table, role, text(entry.get("path")), text(entry.get("format")), text(entry.get("sha256")))
    console.print(table)
    cut = mapping(mapping(predicate.get("source")).get("cut"))
    if cut:
        ends = [text(", ".join(map(str, sequence(cut.get(end))))) or "its end" for end in ("from", "to_node")]
        first = ends[0] if cut.get("from") else "its beginning"
        console.print(Text(f"the part of the source from {first} to {ends[1]}, sha256 {text(cut.get('sha256'))}"))


def _route(predicate: Mapping[str, Any], console: Console) -> None:
    table = _table("step", "from", "to", "packages")
    for step in map(mapping, sequence(predicate.get("route"))):
        packages = _listed(step.get("packages"))
        _row(table, text(step.get("adapter")), text(step.get("from")), text(step.get("to")), packages)
    console.print(table)
    for attempt in map(mapping, sequence(predicate.get("attempts"))):
        route = " → ".join(map(str, sequence(attempt.get("route"))))
        told = attempt.get("reason") == predicate.get("reason")  # it is the first line
        why = "" if told else f": {text(attempt.get('reason'))}"
        console.print(Text(f"route {text(route)}: {text(attempt.get('outcome'))}{why}"))


def _contract(contract: Mapping[str, Any], console: Console) -> None:
    table = _table("tensor", "source", "target", "order of dimensions", "settled by")
    for role in ("inputs", "outputs"):
        for tensor in map(mapping, sequence(contract.get(role))):
            source, target = mapping(tensor.get("source")), mapping(tensor.get("target"))
            _row(
                table,
                f"{role[:-1]} {text(source.get('name'))}",
                f"{text(source.get('shape'))} {text(source.get('dtype'))}",
                f"{text(target.get('shape'))} {text(target.get('dtype'))}",
                text(tensor.get("permutation") or "unchanged"),
                text(tensor.get("reason")),
            )
    console.print(table)
    preprocessing = mapping(contract.get("preprocessing"))
    console.print(Text(f"preprocessing: {text(preprocessing.get('name') or 'none')}"))


def _figures(predicate: Mapping[str, Any], console: Console) -> None:
    """A line for each figure and a column for each pair of models that a verdict rests on, which fits 80 columns."""
    pairs = {name: one for name, one in mapping(predicate.get("verification")).items() if name not in _CROSS}
    made_up = mapping(predicate.get("inputs")).get("generated") is True
    table = _table("", *(text(name) for name in pairs))
    for key in _FIGURES:
        if made_up and key == "upper_bound":
            continue  # of inputs that come from nowhere it bounds nothing
        _row(table, key.replace("_", " "), *(text(mapping(figures).get(key)) for figures in pairs.values()))
    console.print(table)


def _table(*headers: str) -> Table:
    """A table that folds what is too wide and never cuts it: half a digest is none."""
    table = Table()
    for header in headers:
        table.add_column(Text(header), overflow="fold")
    return table


def _row(table: Table, *cells: str) -> None:
    table.add_row(*map(Text, cells))


def _listed(value: object) -> str:
    """The items of a mapping in one line."""
    return ", ".join(f"{text(key)} {text(item)}" for key, item in sorted(mapping(value).items())) or "-"

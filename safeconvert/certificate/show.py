"""Print a certificate for a person. Whatever is missing is shown as "-".

A certificate may come from anybody, so that all of it is printed as plain text: no markup, no emoji codes, no control
characters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from safeconvert.report.plain import printable

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
    verdict = Text(_text(predicate.get("verdict")), f"bold {colour}")
    console.print(Text.assemble(verdict, "  ", _text(predicate.get("reason"))))
    _files(predicate, console)
    _route(predicate, console)
    _contract(_mapping(predicate.get("contract")), console)
    _figures(_mapping(predicate.get("verification")), console)
    for side, check in _mapping(predicate.get("exporters")).items():
        check = _mapping(check)
        console.print(Text(f"{_text(side)} ONNX export: {_text(check.get('verdict'))} {_text(check.get('reason'))}"))
    for obligation in _sequence(predicate.get("obligations")):
        console.print(Text(f"obligation: {_text(obligation)}"))
    faults, trials = (len(_sequence(predicate.get(key))) for key in ("faults", "trials"))
    console.print(Text(f"faults: {faults}  trials: {trials}"))
    if predicate.get("structure") == "equivalent":
        console.print(Text("structurally equivalent: the same graph with equal weights, but for names"))
    comparator = _mapping(predicate.get("comparator"))
    console.print(
        Text(f"comparator: {_text(comparator.get('name'))}  tolerances: {_listed(comparator.get('tolerances'))}")
    )
    console.print(Text(f"inputs: {_listed(predicate.get('inputs'))}"))
    console.print(Text(f"seconds: {_listed(predicate.get('seconds'))}"))


def _files(predicate: Mapping[str, Any], console: Console) -> None:
    table = _table("", "file", "format", "sha256")
    for role in ("source", "target"):
        entry = _mapping(predicate.get(role))
        _row(table, role, _text(entry.get("path")), _text(entry.get("format")), _text(entry.get("sha256")))
    console.print(table)


def _route(predicate: Mapping[str, Any], console: Console) -> None:
    table = _table("step", "from", "to", "packages")
    for step in map(_mapping, _sequence(predicate.get("route"))):
        packages = _listed(step.get("packages"))
        _row(table, _text(step.get("adapter")), _text(step.get("from")), _text(step.get("to")), packages)
    console.print(table)
    for attempt in map(_mapping, _sequence(predicate.get("attempts"))):
        route = " → ".join(map(str, _sequence(attempt.get("route"))))
        console.print(Text(f"route {_text(route)}: {_text(attempt.get('outcome'))}: {_text(attempt.get('reason'))}"))


def _contract(contract: Mapping[str, Any], console: Console) -> None:
    table = _table("tensor", "source", "target", "order of dimensions", "settled by")
    for role in ("inputs", "outputs"):
        for tensor in map(_mapping, _sequence(contract.get(role))):
            source, target = _mapping(tensor.get("source")), _mapping(tensor.get("target"))
            _row(
                table,
                f"{role[:-1]} {_text(source.get('name'))}",
                f"{_text(source.get('shape'))} {_text(source.get('dtype'))}",
                f"{_text(target.get('shape'))} {_text(target.get('dtype'))}",
                _text(tensor.get("permutation") or "unchanged"),
                _text(tensor.get("reason")),
            )
    console.print(table)
    preprocessing = _mapping(contract.get("preprocessing"))
    console.print(Text(f"preprocessing: {_text(preprocessing.get('name') or 'none')}"))


def _figures(pairs: Mapping[str, Any], console: Console) -> None:
    """A line for each figure and a column for each pair of models, which fits 80 columns with three pairs."""
    table = _table("", *(_text(name) for name in pairs))
    for key in _FIGURES:
        _row(table, key.replace("_", " "), *(_text(_mapping(figures).get(key)) for figures in pairs.values()))
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
    return ", ".join(f"{_text(key)} {_text(item)}" for key, item in sorted(_mapping(value).items())) or "-"


def _text(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    return printable(str(value))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()

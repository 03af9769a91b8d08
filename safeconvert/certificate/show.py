"""Print a certificate for a person. Whatever is missing is shown as "-"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

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
    console.print(f"[bold {colour}]{_text(predicate.get('verdict'))}[/]  {_text(predicate.get('reason'))}")
    _files(predicate, console)
    _route(predicate, console)
    _contract(_mapping(predicate.get("contract")), console)
    _figures(_mapping(predicate.get("verification")), console)
    for side, check in _mapping(predicate.get("exporters")).items():
        check = _mapping(check)
        console.print(f"{_text(side)} ONNX export: {_text(check.get('verdict'))} {_text(check.get('reason'))}")
    for obligation in _sequence(predicate.get("obligations")):
        console.print(f"obligation: {_text(obligation)}")
    console.print(
        f"faults: {len(_sequence(predicate.get('faults')))}  trials: {len(_sequence(predicate.get('trials')))}"
    )
    comparator = _mapping(predicate.get("comparator"))
    console.print(f"comparator: {_text(comparator.get('name'))}  tolerances: {_listed(comparator.get('tolerances'))}")
    console.print(f"inputs: {_listed(predicate.get('inputs'))}")
    console.print(f"seconds: {_listed(predicate.get('seconds'))}")


def _files(predicate: Mapping[str, Any], console: Console) -> None:
    table = _table("", "file", "format", "sha256")
    for role in ("source", "target"):
        entry = _mapping(predicate.get(role))
        table.add_row(role, _text(entry.get("path")), _text(entry.get("format")), _text(entry.get("sha256")))
    console.print(table)


def _route(predicate: Mapping[str, Any], console: Console) -> None:
    table = _table("step", "from", "to", "packages")
    for step in map(_mapping, _sequence(predicate.get("route"))):
        packages = _listed(step.get("packages"))
        table.add_row(_text(step.get("adapter")), _text(step.get("from")), _text(step.get("to")), packages)
    console.print(table)
    for attempt in map(_mapping, _sequence(predicate.get("attempts"))):
        route = " → ".join(map(str, _sequence(attempt.get("route"))))
        console.print(f"route {_text(route)}: {_text(attempt.get('outcome'))}: {_text(attempt.get('reason'))}")


def _contract(contract: Mapping[str, Any], console: Console) -> None:
    table = _table("tensor", "source", "target", "order of dimensions", "settled by")
    for role in ("inputs", "outputs"):
        for tensor in map(_mapping, _sequence(contract.get(role))):
            source, target = _mapping(tensor.get("source")), _mapping(tensor.get("target"))
            table.add_row(
                f"{role[:-1]} {_text(source.get('name'))}",
                f"{_text(source.get('shape'))} {_text(source.get('dtype'))}",
                f"{_text(target.get('shape'))} {_text(target.get('dtype'))}",
                _text(tensor.get("permutation") or "unchanged"),
                _text(tensor.get("reason")),
            )
    console.print(table)
    preprocessing = _mapping(contract.get("preprocessing"))
    console.print(f"preprocessing: {_text(preprocessing.get('name') or 'none')}")


def _figures(pairs: Mapping[str, Any], console: Console) -> None:
    """A line for each figure and a column for each pair of models, which fits 80 columns with three pairs."""
    table = _table("", *(_text(name) for name in pairs))
    for key in _FIGURES:
        table.add_row(key.replace("_", " "), *(_text(_mapping(figures).get(key)) for figures in pairs.values()))
    console.print(table)


def _table(*headers: str) -> Table:
    """A table that folds what is too wide and never cuts it: half a digest is none."""
    table = Table()
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def _listed(value: object) -> str:
    """The items of a mapping in one line."""
    return ", ".join(f"{_text(key)} {_text(item)}" for key, item in sorted(_mapping(value).items())) or "-"


def _text(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    return escape(printable(str(value)))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()

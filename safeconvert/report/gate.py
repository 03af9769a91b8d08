"""What a gate found, for a person and for a program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from safeconvert.certificate.signature import Signed
from safeconvert.core.text import printable, shown
from safeconvert.gate.judge import Gate, Judged


def print_gate(gate: Gate, quiet: bool = False, policy: Path | None = None) -> None:
    """One table, the models that must not pass among it in red, and the sum; with `quiet` only those."""
    console = Console(highlight=False, emoji=False)
    table = Table("model", "passes", "why")
    for column in table.columns:
        column.overflow = "fold"
    for judged in gate.models:
        if not (quiet and judged.ok):
            mark = Text("yes", "green") if judged.ok else Text("NO", "bold red")
            table.add_row(Text(printable(shown(judged.model))), mark, Text("\n".join(map(printable, _why(judged)))))
    if table.row_count:
        console.print(table)
    for entry in gate.unused:
        line = f"accepted, but of no model here: {printable(entry.model)}: {printable(entry.obligation)}"
        console.print(Text(line), soft_wrap=True)
    if policy is not None and not quiet:
        console.print(Text(f"policy: {printable(shown(policy))} [gate]"), soft_wrap=True)
    unsigned = sum(judged.signed is Signed.UNSIGNED for judged in gate.models)
    if unsigned:
        line = f"UNSIGNED: {unsigned} of {len(gate.models)}; anyone could have written these certificates"
        console.print(Text(line, "bold yellow"))
    wrong = sum(not judged.ok for judged in gate.models)
    if wrong:
        console.print(Text(f"{wrong} of {len(gate.models)} must not pass", "bold red"))
    elif not quiet:
        console.print(Text(f"all {len(gate.models)} pass", "bold green"))


def gate_json(gate: Gate) -> dict[str, Any]:
    """The JSON object of `gate --json`."""
    return {
        "ok": gate.ok,
        "models": [
            {
                "model": str(judged.model),
                "certificate": str(judged.certificate) if judged.certificate else None,
                "ok": judged.ok,
                "problems": [{"kind": problem.kind, "detail": problem.detail} for problem in judged.problems],
                "notes": list(judged.notes),
                "obligations": [{"obligation": wording, "accepted": met} for wording, met in judged.obligations],
                "signature": judged.signed.value if judged.signed else None,
                "source_of": str(judged.source_of) if judged.source_of else None,
            }
            for judged in gate.models
        ],
        "unused": [{"model": entry.model, "obligation": entry.obligation} for entry in gate.unused],
    }


def _why(judged: Judged) -> list[str]:
    if judged.source_of is not None:
        return [f"source of {judged.source_of.name}"]
    if judged.problems:
        return [f"{problem.kind}: {problem.detail}" for problem in judged.problems]
    met = sum(accepted for _, accepted in judged.obligations)
    unsigned = ["UNSIGNED"] if judged.signed is Signed.UNSIGNED else []
    return ["as certified" + (f", obligations accepted: {met}" if met else ""), *unsigned, *judged.notes]

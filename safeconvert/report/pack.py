"""What was packed, for a person and for a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from safeconvert.core.text import printable, shown
from safeconvert.reproduce.types import Packed


def print_pack(packed: Sequence[Packed], every: bool) -> None:
    """Two lines a folder: where it is, and on what the raw converter goes wrong."""
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    if not packed:
        console.print("no fault in this certificate" if every else "no unrepaired fault; --all packs repaired ones")
    for each in packed:
        console.print(Text(printable(shown(each.folder))))
        if each.wrong is not None:
            operators = " → ".join(each.wrong.operators)
            console.print(
                Text(f"  {each.wrong.subject} goes wrong on {printable(operators)}: {printable(each.wrong.message)}")
            )
        else:
            console.print(Text("  no raw converter goes wrong on it alone; see issue.md"))


def pack_json(packed: Sequence[Packed]) -> dict[str, Any]:
    """The JSON object of `pack --json`."""
    return {
        "issues": [
            {
                "folder": str(each.folder),
                "title": each.title,
                "faults": list(each.faults),
                "reproduces": each.wrong is not None,
                "converter": each.wrong.subject if each.wrong is not None else None,
                "tried": [asdict(run) for run in each.tried],
            }
            for each in packed
        ]
    }

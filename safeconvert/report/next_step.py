"""What to type next after a run that was not clean."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from safeconvert.core.text import shown
from safeconvert.errors import ExitCode
from safeconvert.report.outcome import Outcome

_FOLLOWS = {"verify": "localize", "localize": "repair"}
_DROPPED = ("--certificate", "--key", "--junit", "--model-explorer", "--report")
"""Options of the command before that name its own files: the next one has them not, or would write over them."""


def next_step(outcome: Outcome, words: Sequence[str] = ()) -> str:
    """A command; "" where all was clean, or where none helps.

    Args:
        outcome: of the run.
        words: its command line, without the program's name; () where there was none.
    """
    differed = bool(outcome.predicate.get("faults")) or outcome.exit_code is ExitCode.NOT_EQUIVALENT
    if not differed or outcome.exit_code not in (ExitCode.VERIFIED, ExitCode.NOT_EQUIVALENT):
        return ""
    follows = _FOLLOWS.get(words[0], "") if words else ""
    if follows and outcome.exit_code is ExitCode.NOT_EQUIVALENT:
        return shlex.join(["safeconvert", follows, *_without(words[1:])])
    if outcome.report is not None:
        return ""
    if outcome.certificate is not None:
        return f"safeconvert report {shlex.quote(shown(outcome.certificate))}"
    if words:  # no certificate was written of it, and so no report can be made later
        return shlex.join(["safeconvert", *words, "--report"])
    return ""


def _without(words: Sequence[str]) -> list[str]:
    """The words less the options that are dropped, with their values."""
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in _DROPPED:
            skip = True
        elif not word.startswith(tuple(f"{name}=" for name in _DROPPED)):
            kept.append(word)
    return kept

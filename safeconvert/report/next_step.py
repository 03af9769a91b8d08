"""What to type next after a run that was not clean."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from safeconvert.certificate.untrusted_json import mapping
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
    return _converted_anew(outcome, words)


def _converted_anew(outcome: Outcome, words: Sequence[str]) -> str:
    """A conversion of the source along all routes, where a repair of an existing target did not help; "" where there is none.

    No certificate was written of the repair, and the same command again would come to the same.
    """
    formats = [str(mapping(outcome.predicate.get(side)).get("format", "")) for side in ("source", "target")]
    if words[:1] != ["repair"] or len(words) < 3 or words[1].startswith("-") or words[2].startswith("-"):
        return ""
    if not all(formats) or formats[0] == formats[1]:
        return ""
    rest = _without(words[3:], (*_DROPPED, "-o", "--output", "--layer-analysis"))
    return shlex.join(["safeconvert", "convert", words[1], "--to", formats[1], "--routes", "all", *rest])


def _without(words: Sequence[str], dropped: Sequence[str] = _DROPPED) -> list[str]:
    """The words less the options that are dropped, with their values."""
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in dropped:
            skip = True
        elif not word.startswith(tuple(f"{name}=" for name in dropped)):
            kept.append(word)
    return kept

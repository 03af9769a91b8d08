"""`--report [FILE.html]`: the page of a run, written whatever its verdict, also where it ended with an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from safeconvert.core import paths
from safeconvert.core.paths import PAGE_MARK, make_way
from safeconvert.errors import SafeconvertError, UnusableInput

if TYPE_CHECKING:
    from safeconvert.report.outcome import Outcome

BESIDE = Path("beside the target")
"""Stands for the value of --report where none was given."""

_FLAG = "--report"
_ENDINGS = (".html", ".htm")


def with_value(words: Sequence[str]) -> list[str]:
    """A command line in which --report has a value: the word after it where that ends in .html, else `BESIDE`."""
    found: list[str] = []
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        found += [word, str(BESIDE)] if word == _FLAG and not following.endswith(_ENDINGS) else [word]
    return found


@dataclass(frozen=True)
class RequestedPage:
    """Where the page goes, as `reporting` takes it, and whether the run makes the target."""

    requested: Path | None
    makes: bool

    def written(self, outcome: Outcome) -> Outcome:
        """Write the page of a run, where one was requested; the outcome, which says where it lies.

        Raises:
            UnusableInput: it cannot be written; then nothing is at the output path, as after any such error.
        """
        if self.requested is None:
            return outcome
        from safeconvert.report.write import write_page

        path = self.requested if self.requested != BESIDE else paths.report_path(outcome.certificate or outcome.target)
        predicate = outcome.predicate or {
            "verdict": outcome.exit_code.name.lower(),
            "reason": outcome.reason,
            "attempts": [{"route": [a.route], "outcome": a.outcome, "reason": a.reason} for a in outcome.attempts],
            "target": {"path": outcome.target.name},
        }
        name = outcome.certificate.name if outcome.certificate is not None else ""
        try:
            return replace(outcome, report=write_page(path, predicate, outcome.evidence, [], name))
        except UnusableInput:
            if self.makes:
                from safeconvert.pipeline.publication import withdraw

                withdraw(outcome.target)
            raise


@contextmanager
def reporting(path: Path | None, source: Path, makes: bool) -> Iterator[RequestedPage]:
    """Take away an earlier run's page; a run that ends with an error gets a page that says so.

    Args:
        path: `BESIDE`, a file that ends in .html, or None for no page.
        source: the model; the page of a run that has no target yet lies beside it.
        makes: whether the run makes the target.

    Raises:
        UnusableInput: a name with another ending, so that no model is overwritten by a slip; a file there that is no page; no place to write.
    """
    if path is not None and path != BESIDE:
        make_way(_FLAG, path, _ENDINGS, PAGE_MARK)
    try:
        yield RequestedPage(path, makes)
    except SafeconvertError as error:
        if path is not None:
            from safeconvert.report.write import write_page

            predicate = {
                "verdict": error.exit_code.name.lower(),
                "reason": error.message,
                "source": {"path": source.name},
                "notes": [f"try: {error.advice}"] if error.advice else [],
            }
            with suppress(UnusableInput):  # the first error is the one to be said
                write_page(path if path != BESIDE else paths.report_path(source), predicate, None, [], "")
        raise

"""Files for other tools beside a command's own: JUnit XML, and node data for Model Explorer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safeconvert.certificate.archive import NoEvidence, read
from safeconvert.certificate.check import Status, check
from safeconvert.certificate.untrusted_json import mapping
from safeconvert.core.paths import make_way, require_own
from safeconvert.errors import SafeconvertError, UnusableInput
from safeconvert.pipeline.publication import withdraw
from safeconvert.report import explorer, junit

if TYPE_CHECKING:
    from safeconvert.gate.judge import Gate
    from safeconvert.report.outcome import Outcome


@dataclass(frozen=True)
class SideFiles:
    """The requested files, None where one was not, and whether the run makes the target."""

    junit: Path | None = None
    model_explorer: Path | None = None
    makes: bool = False

    def outcome(self, outcome: Outcome, source: Path) -> list[str]:
        """Write both of a conversion; why one could not be written is returned, to be said.

        Raises:
            UnusableInput: the disk is full; then nothing is at the output path, as after any such error.
        """
        try:
            if self.junit is not None:
                junit.write(self.junit, [junit.of_outcome(outcome)])
            if self.model_explorer is None:
                return []
            return explorer.write(self.model_explorer, outcome.evidence, source, outcome.rejected or outcome.target)
        except UnusableInput:
            if self.makes:
                withdraw(outcome.target)
            raise

    def gate(self, gate: Gate) -> None:
        """Write the JUnit file of a gate."""
        if self.junit is not None:
            junit.write(self.junit, junit.of_gate(gate))


def write_from(
    certificate: Path, content: Mapping[str, Any], junit_file: Path | None, model_explorer: Path | None
) -> None:
    """Write both from a certificate and the evidence beside it.

    Args:
        certificate: its path.
        content: what it holds.
        junit_file, model_explorer: as for `side_files`.

    Raises:
        UnusableInput: a file cannot be written, or the evidence does not hold the errors along the layers.
    """
    target = mapping(content.get("target")).get("path")
    with side_files(certificate.name, None, model_explorer):
        if junit_file is not None:
            make_way("--junit", junit_file, (".xml",), junit.MARK)
            name = Path(target).name if isinstance(target, str) else certificate.name
            junit.write(junit_file, [junit.of_certificate(content, name)])
        if model_explorer is None:
            return
        try:
            evidence = read(certificate, content.get("evidence"))
        except NoEvidence as error:
            raise UnusableInput(f"{certificate}: {error}", "convert again with --model-explorer") from error
        for why in explorer.write(model_explorer, evidence, *_unchanged(certificate)):
            raise UnusableInput(why, "convert again with --model-explorer")


def _unchanged(certificate: Path) -> tuple[Path | None, Path | None]:
    """The source and target that a certificate names, those of them that are here and as certified."""
    found = {item.name: item.path for item in check(certificate).items if item.status is Status.UNCHANGED}
    return found.get("source"), found.get("target")


@contextmanager
def side_files(
    name: str, junit_file: Path | None = None, model_explorer: Path | None = None, makes: bool = False
) -> Iterator[SideFiles]:
    """Take away what an earlier run left there; an error in the body is written to the JUnit file as well.

    Args:
        name: of the suite, where an error ends the command before it has a better one.
        junit_file: ends in .xml, so that no model is overwritten by a slip.
        model_explorer: ends in .json, likewise.
        makes: whether the run makes the target.

    Raises:
        UnusableInput: a name with another ending, a file there that is no such one of an earlier run, or one that cannot be written.
    """
    more = explorer.beside(model_explorer) if model_explorer is not None else ()
    for beside in more:
        require_own("--model-explorer", beside, explorer.MARK)
    for path, suffix, flag, mark in (
        (junit_file, ".xml", "--junit", junit.MARK),
        (model_explorer, ".json", "--model-explorer", explorer.MARK),
    ):
        if path is not None:
            make_way(flag, path, (suffix,), mark)
    for beside in more:
        beside.unlink(missing_ok=True)
    try:
        yield SideFiles(junit_file, model_explorer, makes)
    except SafeconvertError as error:
        if junit_file is not None:
            junit.write(junit_file, [junit.of_error(error, name)])
        raise

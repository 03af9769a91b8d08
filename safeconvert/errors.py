"""What can go wrong, as seen by a person: one line that says what and where, and one that says what to try next.

Every error carries its exit code, so that the CLI has no mapping of its own:

0 verified · 1 not equivalent · 2 usage or unusable input · 3 no route could convert · 4 no verdict possible
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any


class ExitCode(IntEnum):
    """The process exit codes of every safeconvert command."""

    VERIFIED = 0
    NOT_EQUIVALENT = 1
    UNUSABLE_INPUT = 2
    NO_ROUTE = 3
    NO_VERDICT = 4


class SafeconvertError(Exception):
    """Base of all errors meant for a person.

    Args:
        message: one line, naming the file, node, operator or adapter at fault.
        advice: the next thing to try, as one line; empty where there is none.
        log: path of the full log, where one was kept.

    Attributes:
        cause: why, without what it was that failed; the message where the two are one.
    """

    exit_code: ExitCode = ExitCode.UNUSABLE_INPUT

    def __init__(self, message: str, advice: str = "", log: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cause = message
        self.advice = advice
        self.log = log


class UnusableInput(SafeconvertError):
    """A file, folder, option or input that cannot be used (exit 2)."""

    exit_code = ExitCode.UNUSABLE_INPUT


class NotEquivalent(SafeconvertError):
    """The target is not the same function as the source (exit 1).

    Args:
        message, advice, log: as for every error.
        certificate: what the certificate of the rejected target says: figures, faults, trials; {} where none was made.
        rejected: where the rejected target was kept, or None.
    """

    exit_code = ExitCode.NOT_EQUIVALENT

    def __init__(
        self,
        message: str,
        advice: str = "",
        log: str = "",
        certificate: Mapping[str, Any] | None = None,
        rejected: Path | None = None,
    ) -> None:
        super().__init__(message, advice, log)
        self.certificate = certificate or {}
        self.rejected = rejected


class NoRoute(SafeconvertError):
    """No converter could make the target (exit 3).

    Args:
        message, advice, log: as for every error.
        attempts: `route`, `outcome` and `reason` of every route tried.
        obstacles: `operator` and `node` of each operator that is in the way, where that is known.
        offers: what adapters that are not installed would have offered; see `safeconvert.environments.Offer`.
    """

    exit_code = ExitCode.NO_ROUTE

    def __init__(
        self,
        message: str,
        advice: str = "",
        log: str = "",
        attempts: Sequence[Mapping[str, Any]] = (),
        obstacles: Sequence[Mapping[str, Any]] = (),
        offers: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(message, advice, log)
        self.attempts = tuple(attempts)
        self.obstacles = tuple(obstacles)
        self.offers = tuple(offers)


class NoVerdict(SafeconvertError):
    """The question "is it the same function?" could not be answered (exit 4)."""

    exit_code = ExitCode.NO_VERDICT


class AdapterFailure(SafeconvertError):
    """An adapter did not do what was requested: it raised, died, hung, or grew past its limit (exit 4).

    Where the failure decides more than that no verdict is possible, its caller says so with another error.

    Args:
        adapter: name of the adapter.
        doing: what it was doing, as a phrase ("converting model.onnx").
        cause: the exception with its first line, or the signal, or the limit.
        log: path of the worker's log.
        died: True where the process is gone (signal, limit), False where it raised.
        remote_traceback: the traceback on the other side, where there was one.
    """

    exit_code = ExitCode.NO_VERDICT

    def __init__(
        self, adapter: str, doing: str, cause: str, log: Path, died: bool = False, remote_traceback: str = ""
    ) -> None:
        super().__init__(f"{adapter} failed while {doing}: {cause}", log=str(log))
        self.adapter = adapter
        self.doing = doing
        self.cause = cause
        self.died = died
        self.remote_traceback = remote_traceback

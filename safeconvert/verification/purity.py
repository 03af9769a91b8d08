"""Whether a target is a function of its inputs: one that draws random numbers, or writes state, is equal in the calls that were made alone."""

from __future__ import annotations

from dataclasses import replace

from safeconvert.verification.types import Verification
from safeconvert.workers.session import Session

_SHOWN = 3


def unless_impure(session: Session, found: Verification) -> Verification:
    """A verification of an equal target, refused where its outputs depend on more than its inputs.

    Raises:
        AdapterFailure: the target's worker died.
    """
    lines = session.impurities() if found.native.equal else ()
    if not lines:
        return found
    return replace(
        found,
        native=replace(found.native, equal=False),
        reason=f"the target is no function of its inputs: it {_shown(lines)}; that it gave the same in the calls made says nothing of others",
    )


def impure(session: Session) -> tuple[str, ...]:
    """A remark on a source whose outputs depend on more than its inputs, though it gave the same twice; none on a function.

    Raises:
        AdapterFailure: the source's worker died.
    """
    lines = session.impurities()
    return (f"the source {_shown(lines)}; it gave the same outputs on the same inputs twice",) if lines else ()


def _shown(lines: tuple[str, ...]) -> str:
    """The first of the lines, and how many more there are."""
    return " and ".join(lines[:_SHOWN]) + (f", and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else "")

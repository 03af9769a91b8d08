"""The libraries of the standards are extras: what is missing is reported in a sentence with the command that brings it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from safeconvert.errors import UnusableInput


@contextmanager
def needs_library(distribution: str) -> Iterator[None]:
    """Around the late imports of a library. Raises UnusableInput where they fail."""
    try:
        yield
    except ImportError as error:
        raise UnusableInput(
            f"{distribution} is not installed ({error}); this attestation is made with it",
            "pip install 'safeconvert[attest]'",
        ) from error

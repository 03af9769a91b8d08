"""Which cases of a long list `make test` runs; `make test-all` and continuous integration run all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest


def first_of_every(count: int, cases: Iterable[Any]) -> list[Any]:
    """The cases as parameters; of every `count` the first is always run, the others are slow ones."""
    return [_case(one, index % count > 0) for index, one in enumerate(cases)]


def _case(one: Any, slow: bool) -> Any:
    values: Sequence[Any] = one if isinstance(one, tuple) else (one,)
    return pytest.param(*values, marks=[pytest.mark.slow] if slow else [])

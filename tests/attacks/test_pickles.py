"""Pickles are refused under whatever name they come."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .registry import PICKLES, Attack

pytestmark = pytest.mark.converters


@pytest.mark.parametrize("attack", PICKLES, ids=lambda attack: attack.id)
def test_an_attack_is_refused(attack: Attack, require_stopped: Callable[[Attack], None]) -> None:
    require_stopped(attack)

"""TFLite files run TFLite's operators, and TensorFlow's by list."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .registry import TFLITE, Attack

pytestmark = pytest.mark.converters


@pytest.mark.parametrize("attack", TFLITE, ids=lambda attack: attack.id)
def test_an_attack_is_refused(attack: Attack, require_stopped: Callable[[Attack], None]) -> None:
    require_stopped(attack)

"""How sure each target is that is shown to the held-out inputs: together they stay within one probability of error."""

from __future__ import annotations

import pytest

from safeconvert.compare.settings import DropSettings, VerifySettings
from safeconvert.pipeline.quantize_checks import with_looks


def test_all_looks_together_spend_what_one_may() -> None:
    settings = VerifySettings(drop=DropSettings(allowed=0.1))
    spent = [1 - drop.confidence for look in range(50) if (drop := with_looks(settings, look).drop) is not None]
    assert spent[0] == pytest.approx(0.04) and spent[1] == pytest.approx(0.005)
    assert sum(spent) <= 0.05 and spent == sorted(spent, reverse=True)


def test_without_a_metric_there_is_nothing_to_spend() -> None:
    assert with_looks(VerifySettings(), 3) == VerifySettings()

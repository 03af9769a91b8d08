"""How sure a quantised target has to be: as the first one, as long as the held-out inputs have judged no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from safeconvert.compare.settings import DropSettings, VerifySettings
from safeconvert.config.options import ConvertOptions
from safeconvert.core.optimize import Optimize
from safeconvert.pipeline import quantize_stage
from safeconvert.pipeline.quantize_stage import quantize_target


@dataclass(frozen=True)
class Shown:
    """An attempt: verified, refused by the held-out inputs or by the steering ones, or a file that does not run."""

    what: str
    candidate: None = None
    diagnosis: str = "known"

    @property
    def verified(self) -> bool:
        return self.what == "verified"

    @property
    def verification(self) -> Any:
        return None if self.what == "crashed" else SimpleNamespace(unseen=self.what == "refuted")


@pytest.mark.parametrize(
    ("outcomes", "doubts"),
    [
        (["verified"], [0.04]),
        (["held out", "verified"], [0.04, 0.005]),
        (["refuted", "verified"], [0.04, 0.04]),
        (["crashed", "refuted", "held out", "refuted", "verified"], [0.04, 0.04, 0.04, 0.005, 0.005]),
    ],
)
def test_only_what_the_held_out_inputs_judged_makes_it_harder(
    outcomes: list[str], doubts: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def verified(run: Any, proposals: list[str], route: Any, options: ConvertOptions) -> Iterator[Shown]:
        assert options.verify.drop is not None
        asked.append(1 - options.verify.drop.confidence)
        yield Shown(proposals[0])

    inputs = SimpleNamespace(origin="inputs.npy")
    source: Any = SimpleNamespace(data=SimpleNamespace(inputs=inputs))
    target = SimpleNamespace(calibration=SimpleNamespace(inputs=200))
    for name, stand_in in {
        "given_only": lambda one: one, "require_evidence": lambda *_: None, "float_target": lambda *_: target,
        "_integers": lambda *_: iter(outcomes), "verify_proposals": verified, "latency_of": lambda *_: None,
    }.items():  # fmt: skip
        monkeypatch.setattr(quantize_stage, name, stand_in)
    settings = VerifySettings(drop=DropSettings(allowed=0.1))
    options = ConvertOptions(Path("m.keras"), "tflite", optimize=str(Optimize.INT8), verify=settings)
    twin: Any = SimpleNamespace(obligation="", route=None)
    done = quantize_target(SimpleNamespace(), twin, SimpleNamespace(candidate=None), source, options)  # type: ignore[arg-type]
    assert asked == pytest.approx(doubts) and [one.what for one in done.attempts] == outcomes  # type: ignore[attr-defined]
    assert done.settings.drop is not None and 1 - done.settings.drop.confidence == pytest.approx(doubts[-1])

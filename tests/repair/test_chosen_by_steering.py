"""Which quantised file the held-out inputs judge first: steering inputs choose it, and more bits stand in for none only where they surely lose less."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from safeconvert.adapter_api.protocol import UNCHANGED
from safeconvert.compare.comparison import Comparison
from safeconvert.compare.settings import DropSettings, VerifySettings
from safeconvert.config.settings import load_settings
from safeconvert.conversion.route import Candidate
from safeconvert.core.optimize import Io, Optimize
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.repair import quantization, quantized_search
from safeconvert.repair.judging import Judged
from safeconvert.repair.means import NOTHING, Means, Plan
from safeconvert.repair.quantization import quantized_targets
from safeconvert.repair.quantized_file import ByOperator, Operator, QuantizedFile
from safeconvert.repair.quantized_search import Search
from safeconvert.verification.subset import Subset

ORDER = (2, 0, 1, 3, 4, 5, 6, 7)
SETTINGS = VerifySettings(drop=DropSettings(allowed=0.1))


def judged(lost: float, spread: float = 0.0, equal: bool = True) -> Judged:
    """A file that loses so much on the steering inputs, where each says something else."""
    apart = np.tile([spread, -spread], 100)
    figures = Comparison(200, 0, 0.0, 0.02, 0, 0, 0, lost, lost, lost, equal, (), ())
    return Judged(figures, lost, lost + apart, 1000)


@dataclass(frozen=True)
class Ranked(Search):
    """A search that knows its answers."""

    nothing: Judged = field(default_factory=lambda: judged(0.0))
    more: Judged = field(default_factory=lambda: judged(0.0))

    def _judge(self, plan: Plan, on: Subset) -> Judged:
        """The same of all plans that do anything."""
        return self.more if plan.entries else self.nothing


class Files:
    """A quantizer that writes nothing, and knows what it was asked for."""

    def __init__(self, folder: Path) -> None:
        twin = folder / "m.tflite"
        twin.write_bytes(bytes(4000))
        source = SimpleNamespace(data=SimpleNamespace(inputs=SimpleNamespace(whole=False)))
        self.target: Any = SimpleNamespace(
            candidate=SimpleNamespace(path=twin), source=source, io=Io.FLOAT32, optimize=Optimize.INT8,
            calibration=SimpleNamespace(inputs=200),
        )  # fmt: skip
        self.operators = tuple(Operator(f"op{number}", "CONV_2D", 1, 10) for number in ORDER)
        self.by_operator = ByOperator({Means.FLOAT: tuple(range(len(ORDER)))})
        self.plans: dict[Path, Plan] = {}
        self.corrected = 0
        self.refuses = False  # to write anything but with nothing done

    def write(self, plan: Plan = NOTHING, io: Io | None = None) -> QuantizedFile:
        if plan.entries and self.refuses:
            raise UnusableInput("no kernel gives that")
        path = Path(f"{len(self.plans)}.tflite")
        self.plans[path] = plan
        kept = tuple(self.operators[index].name for index in plan.indices)
        return QuantizedFile(Candidate(path, UNCHANGED), kept, len(ORDER), 1000, 4000)


@pytest.fixture
def proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The plans of what is proposed where each file is refused."""

    def of(nothing: Judged, more: Judged, refuses: bool = False) -> list[Plan]:
        files, run = Files(tmp_path), SimpleNamespace(settings=load_settings())
        files.refuses = refuses
        harm = {index: float(len(ORDER) - place) for place, index in enumerate(ORDER)}
        begun = Ranked(run, files, SETTINGS, SimpleNamespace(), None, harm, {}, nothing, more)  # type: ignore[arg-type]
        monkeypatch.setattr(quantization, "search", lambda *_: begun)
        monkeypatch.setattr(quantization, "with_best_biases", lambda one, _: one)
        monkeypatch.setattr(quantization, "_ready", lambda one: one)
        found = list(quantized_targets(run, files, SETTINGS, repair=True))  # type: ignore[arg-type]
        made = [one.made for one in found]
        return [files.plans[one.path] for one in made if isinstance(one, Candidate)]

    return of


def test_what_may_lose_less_by_luck_goes_behind_what_nothing_was_done_about(proposed: Any) -> None:
    """The first that the held-out inputs judge has to be the least sure: a right file in eight bits would be refused behind another."""
    found = proposed(judged(0.02, 0.1), judged(0.01))
    assert found[:2] == [NOTHING, Plan.of([2], Means.FLOAT)]


def test_what_surely_loses_less_is_shown_in_its_place(proposed: Any) -> None:
    found = proposed(judged(0.02, 0.05), judged(0.01))
    assert found[0] == Plan.of([2], Means.FLOAT) and NOTHING not in found


@pytest.mark.parametrize("spread", [0.05, 0.1])
def test_each_file_behind_the_first_has_more_bits_than_those_before(proposed: Any, spread: float) -> None:
    """What the held-out inputs refuse although the steering ones allow it, fewer operators in float do not put right."""
    sizes = [len(plan.entries) for plan in proposed(judged(0.02, spread), judged(0.01))]
    assert sizes == sorted(set(sizes)) and sizes[-1] > 4


def test_where_the_aim_is_reached_nothing_is_done_for_it(proposed: Any) -> None:
    assert proposed(judged(0.005), judged(0.0))[:2] == [NOTHING, Plan.of([2], Means.FLOAT)]


def test_what_the_steering_inputs_refute_is_first_since_the_held_out_ones_will_not_be_asked(proposed: Any) -> None:
    found = proposed(judged(0.2, equal=False), judged(0.01))
    assert found[:2] == [NOTHING, Plan.of([2], Means.FLOAT)]


def test_where_nothing_done_is_not_shown_to_be_enough_the_least_that_is_comes_in_its_place(proposed: Any) -> None:
    """It falls by no more than allowed, but too few inputs say so; another look would ask of what is enough what so few cannot show."""
    found = proposed(judged(0.05, equal=False), judged(0.01))
    assert found[0] == Plan.of([2], Means.FLOAT) and NOTHING not in found


def test_where_nothing_is_enough_nothing_done_is_first(proposed: Any) -> None:
    assert proposed(judged(0.05, equal=False), judged(0.04, equal=False))[0] == NOTHING


@pytest.mark.parametrize("nothing", [judged(0.02, 0.05), judged(0.02, 0.1), judged(0.05, equal=False)])
def test_what_cannot_be_written_as_asked_takes_the_place_of_nothing(proposed: Any, nothing: Judged) -> None:
    assert proposed(nothing, judged(0.01), refuses=True) == [NOTHING]


def test_of_two_files_one_is_surely_better_where_it_alone_is_enough_or_loses_less_by_more_than_luck() -> None:
    one, other = judged(0.01), judged(0.02, 0.05)
    assert one.surely_better(other) and not other.surely_better(one)
    assert not judged(0.01).surely_better(judged(0.02, 0.1))
    assert judged(0.02).surely_better(judged(0.01, equal=False)) and not judged(0.01, equal=False).surely_better(other)


@pytest.mark.parametrize(
    ("without", "corrected"), [(judged(0.02), True), (judged(0.01), True), (judged(0.005, 0.02), False)]
)
def test_biases_are_corrected_unless_that_is_surely_worse(
    without: Judged, corrected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, other = Files(tmp_path), Files(tmp_path)
    other.corrected = 3
    begun = Ranked(SimpleNamespace(), plain, SETTINGS, SimpleNamespace(), None, {}, {}, without)  # type: ignore[arg-type]
    monkeypatch.setattr(quantized_search, "with_corrected_biases", lambda *_: other)
    judgements = {plain: without, other: judged(0.015, 0.1)}
    monkeypatch.setattr(Ranked, "_judge", lambda self, plan, on: judgements[self.quantizer])
    chosen = quantized_search.with_best_biases(begun, tmp_path / "m.tflite")
    assert (chosen.quantizer is other) == corrected


def failing(files: Files, error: Exception) -> Search:
    """A search whose files cannot be written."""

    def write(*_: Any) -> QuantizedFile:
        raise error

    files.write = write  # type: ignore[method-assign, assignment]
    on: Any = SimpleNamespace(chunks=[SimpleNamespace(stop=200)])
    on.first = lambda count: on
    return Search(SimpleNamespace(), files, SETTINGS, on, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "error", [UnusableInput("ai-edge-quantizer fails"), AdapterFailure("tflite", "running", "no kernel", Path("log"))]
)
def test_a_file_that_does_not_run_is_as_bad_as_can_be_and_ends_no_search(tmp_path: Path, error: Exception) -> None:
    made = failing(Files(tmp_path), error)
    found = made.judge(Plan.of([2], Means.SIXTEEN))
    assert not found.figures.equal and found.lost == 1 and not found.surely_better(judged(0.5))
    assert all(np.isinf(harm) for harm in made.ranked().harm.values())
    with pytest.raises(type(error)):
        made.judge(NOTHING)

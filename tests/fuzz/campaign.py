"""A number of mutants of one kind, judged one after another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import seeds
from .kinds import Kind
from .seeds import Files
from .verdicts import State, Verdict

Judge = Callable[[str, Files], Verdict]


@dataclass(frozen=True)
class Fault:
    """A mutant of which something came that must not be."""

    kind: str
    seed: int
    number: int
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}, seed {self.seed}, mutant {self.number}: {self.detail}"


@dataclass
class Tally:
    """What became of the mutants so far."""

    kind: str
    states: Counter[State] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)

    def __str__(self) -> str:
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        return f"{self.kind}: {self.states.total()} mutants: {states}"


def loaded(kind: Kind, folder: Path) -> dict[str, Files]:
    """The seeds of a kind, out of the folder in which they were made."""
    return {
        main: {name: content for part in (main, *others) for name, content in seeds.read(folder / part).items()}
        for main, others in kind.seeds.items()
    }


def fuzz(
    kind: Kind, folder: Path, judge: Judge, numbers: Iterable[int], seed: int, tally: Tally | None = None
) -> Tally:
    """Judge mutants.

    Args:
        kind: what is mutated.
        folder: holds the seeds.
        judge: says what became of one.
        numbers: which mutants.
        seed: of all of them.
        tally: counts on where it is given.
    """
    tally = tally or Tally(kind.name)
    originals = loaded(kind, folder)
    for number in numbers:
        verdict = judge(*kind.mutant(originals, number, seed))
        tally.states[verdict.state] += 1
        if verdict.state is State.FAULT:
            tally.faults.append(Fault(kind.name, seed, number, verdict.detail))
    return tally


def originals_run(kind: Kind, folder: Path, judge: Judge) -> Mapping[str, Verdict]:
    """What becomes of the seeds themselves, which are right."""
    return {main: judge(main, files) for main, files in loaded(kind, folder).items()}

"""Precision repair: the fewest layers of a reduced TFLite file that must be float again for source and target to agree.

A file converted with `--optimize` stores weights in fewer bits. Each reduced constant is first judged alone (everything else
float): how far it moves the outputs. Then the worst are restored until the steering inputs agree, found by bisection over
the ranking, and those that turn out superfluous are reduced again. Source: FetaFix (Louloudakis et al., EASE 2025), cases
2, 5, 8 and 15, where weights are replaced layer by layer in the order of suspicion until labels agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import evaluate, open_model
from safeconvert.registry.manifest import framework
from safeconvert.repair.types import Diagnosis
from safeconvert.verification.interface import suggested_shapes
from safeconvert.verification.native import compare, feed_across
from safeconvert.verification.source import Source
from safeconvert.verification.subset import Subset, subset
from safeconvert.workers.run import Context


@dataclass(frozen=True)
class Reduced:
    """A layer whose constants are stored in fewer bits.

    Attributes:
        number: its place in the file.
        name: output of the operator that reads it.
        stored: `int8` or `float16`.
        saved: bytes that storing it so saves.
    """

    number: int
    name: str
    stored: str
    saved: int


@dataclass(frozen=True)
class Restoration:
    """A file with some layers restored.

    Attributes:
        path: the file.
        restored: how many layers are float again.
        diagnosis: faults (the reduced layers) and trials, as for any repair.
        cost: in words: layers, and bytes before and after.
    """

    path: Path
    restored: int
    diagnosis: Diagnosis
    cost: str


@dataclass(frozen=True)
class _Bench:
    """What a candidate is judged on: the steering inputs, as the target is fed them, and the source's outputs."""

    context: Context
    source: Source
    agreed: Contract
    settings: VerifySettings
    reduced: Path
    twin: Path
    steering: Subset

    def judge(self, which: Sequence[int], on: Subset) -> Comparison:
        """Figures of the file with these layers restored."""
        path = self.write(which)
        request = ModelRequest(str(path), candidate_shapes=suggested_shapes(self.source.session.signature))
        session = open_model(self.context, "target", "tflite", request)
        feeds = feed_across(self.agreed, on.chunks, self.context.folder("feed"))
        outputs = evaluate(self.context, session, feeds, "trying precisions")
        session.worker.call("tflite", "closing a trial", {"op": "close", "handle": session.handle})
        path.unlink()
        return compare(self.agreed, on.expected, outputs, on.chunks, self.settings).result()

    def write(self, which: Sequence[int]) -> Path:
        """The file with these layers restored."""
        path = self.context.folder("precision") / self.reduced.name
        _ask(self.context, "restore", self.reduced, twin=str(self.twin), which=sorted(which), target=str(path))
        return path


def has_reduced(context: Context, path: Path) -> bool:
    """Whether a TFLite file holds constants in fewer bits that its operators take for float32."""
    return bool(_ask(context, "has_reduced", path))


def reduced_constants(context: Context, path: Path, twin: Path) -> list[Reduced]:
    """What a file stores in fewer bits than its float twin. Raises UnusableInput where the two do not belong together."""
    found = _ask(context, "reduced", path, twin=str(twin))
    return [Reduced(number, one["name"], one["stored"], one["bytes"]) for number, one in enumerate(found)]


def restorations(
    context: Context,
    source: Source,
    agreed: Contract,
    settings: VerifySettings,
    path: Path,
    twin: Path,
    keep: bool,
) -> Iterator[Restoration]:
    """Files with ever more layers restored: first the fewest that satisfy the steering inputs, last all of them.

    The held-out inputs have the word after each. `keep` only localizes: one restoration, of nothing.

    Raises:
        UnusableInput: the two files do not have the same operators.
        AdapterFailure: a candidate does not run.
    """
    constants = reduced_constants(context, path, twin)
    if not constants:
        return
    numbers = [int(number) for number in (source.steering if len(source.steering) else source.held_out)]
    bench = _Bench(context, source, agreed, settings, path, twin, subset(context, source, numbers, first=8))
    everything = [one.number for one in constants]
    probes = bench.steering.first(1)  # the ranking needs an order, not a verdict
    harm = {one.number: _distance(bench.judge([n for n in everything if n != one.number], probes)) for one in constants}
    ranked = sorted(everything, key=lambda number: -harm[number])
    trials: list[tuple[list[int], Comparison]] = [([], bench.judge([], bench.steering))]
    if keep:
        yield _restoration(bench, constants, harm, [], trials, path)
        return

    def enough(which: list[int]) -> bool:
        figures = bench.judge(which, bench.steering)
        trials.append((which, figures))
        return figures.equal

    chosen = ranked[: _bisect(lambda count: enough(ranked[:count]), len(ranked))]
    for number in list(reversed(chosen))[: context.settings.repair.precision_trials]:
        fewer = [other for other in chosen if other != number]
        if fewer and enough(fewer):
            chosen = fewer
    while True:
        yield _restoration(bench, constants, harm, chosen, trials, bench.write(chosen))
        if len(chosen) == len(ranked):
            return
        more = min(len(ranked), max(len(chosen) + 1, math.ceil(1.25 * len(chosen))))
        chosen = chosen + [number for number in ranked if number not in chosen][: more - len(chosen)]


def _bisect(enough: Callable[[int], bool], most: int) -> int:
    """The smallest count that is enough, where more never hurts; `most` is taken to be enough."""
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _restoration(
    bench: _Bench,
    constants: Sequence[Reduced],
    harm: dict[int, float],
    chosen: Sequence[int],
    trials: Sequence[tuple[list[int], Comparison]],
    path: Path,
) -> Restoration:
    """The state of the search as a diagnosis: every reduced layer is a WB fault."""
    first, last = trials[0][1], next((figures for which, figures in reversed(trials) if which == chosen), trials[-1][1])
    listed = sorted(constants, key=lambda one: -harm[one.number])
    place = {one.number: position for position, one in enumerate(listed)}
    faults = tuple(
        {
            "kind": "WB",
            "source": "",
            "target": one.name,
            "operator": one.stored,
            "change": "precision",
            "evidence": f"stored as {one.stored}, which saves {one.saved} bytes and moves the outputs by "
            f"{harm[one.number]:.3g} on average" + ("; restored" if one.number in chosen else "; kept"),
            "isolated": harm[one.number],
            "propagated": harm[one.number],
            "proven": one.number in chosen,
        }
        for one in listed
    )
    kept = tuple(
        {
            "faults": sorted(place[number] for number in which),
            "outcome": "accepted" if figures.equal else "no_gain",
            "reason": "",
            "before": _score(first),
            "after": _score(figures),
        }
        for which, figures in trials[1:]
    )
    diagnosis = Diagnosis(
        faults=faults,
        trials=kept,
        before=_score(first) | {"unequal": list(first.disagreeing)},
        after=_score(last) | {"unequal": list(last.disagreeing)},
        rounds=1,
        ended="equal" if last.equal else "localized only",
        layers=(),
        repaired=None,
        changes=None,
    )
    sizes = [file.stat().st_size for file in (bench.reduced, path, bench.twin)]
    cost = (
        f"{len(chosen)} of {len(constants)} reduced layers are float32 again: {sizes[0]} bytes became {sizes[1]} "
        f"(all float32: {sizes[2]})"
    )
    return Restoration(path, len(chosen), diagnosis, cost)


def _score(figures: Comparison) -> dict[str, Any]:
    share = max(figures.disagreements, figures.beyond_tolerance) / max(figures.samples, 1)
    values = {
        "discrepancy": share,
        "distance": figures.relative,
        "labels": figures.discrepancy,
        "max_abs": figures.max_abs,
    }
    return {name: value if math.isfinite(value) else repr(value) for name, value in values.items()}


def _distance(figures: Comparison) -> float:
    return figures.mean_abs if math.isfinite(figures.mean_abs) else math.inf


def _ask(context: Context, function: str, path: Path, **arguments: Any) -> Any:
    adapter = framework("tflite", context.adapters)
    request = {
        "op": "call",
        "adapter": str(adapter.folder),
        "function": function,
        "arguments": {"request": ModelRequest(str(path)).to_json(), **arguments},
    }
    return context.pool.worker("convert", adapter.python).call(
        adapter.name, f"reading the precision of {path.name}", request
    )

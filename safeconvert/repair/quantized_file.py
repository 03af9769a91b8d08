"""Quantised files of a float target that was verified, made by the quantizer of its format in a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from safeconvert.conversion.route import Candidate
from safeconvert.core.optimize import Io, Optimize
from safeconvert.errors import AdapterFailure
from safeconvert.repair.float_target import FloatTarget, call_quantizer, feeds_of
from safeconvert.repair.means import NOTHING, Means, Plan
from safeconvert.repair.tflite_file import call_tflite
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class Operator:
    """An operator of the float target: the name by which its quantizer knows it, its kind, and estimates of what it costs.

    Attributes:
        work: multiplications by the shapes, or values that it gives.
        weights: constants among them.
    """

    name: str
    kind: str
    work: int
    weights: int


@dataclass(frozen=True)
class QuantizedFile:
    """A quantised file.

    Attributes:
        candidate: the file, with what its converters declared of the float one.
        in_float: operators that compute in float.
        operators: how many there are.
        bytes: its size.
        float_bytes: the float file's.
        corrected: layers whose biases were corrected for the rounding of their weights.
        sixteen: operators that give 16-bit integers.
    """

    candidate: Candidate
    in_float: tuple[str, ...]
    operators: int
    bytes: int
    float_bytes: int
    corrected: int = 0
    sixteen: tuple[str, ...] = ()

    @property
    def in_few_bits(self) -> bool:
        """Whether any of it is; else it is the float target again."""
        return len(self.in_float) < self.operators


@dataclass(frozen=True)
class ByOperator:
    """What can be done about the operators of a calibrated target.

    Attributes:
        usable: by means, the cheapest first, the places of the operators that it can be used for.
        ranges: by name of an operator, the range of its result that loses least.
        version: of ai-edge-quantizer, which writes what TensorFlow's quantizer cannot; "" where it was not asked.
        lacking: it was asked for and is not there.
    """

    usable: Mapping[Means, tuple[int, ...]]
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    version: str = ""
    lacking: bool = False


@dataclass(frozen=True)
class Quantizer:
    """A calibrated float target, ready to be quantised as often as needed.

    Attributes:
        target: the float one.
        calibrated: the file that holds its ranges; the float file itself where they are measured each time.
        operators: those that something can be done about; () where the quantizer takes no list of them.
        corrected: layers whose biases were corrected for the rounding of their weights.
        uncorrected: the calibrated file before that; None where nothing was corrected.
        by_operator: what can be done about each; known after `with_means`.
    """

    run: Run
    target: FloatTarget
    calibrated: Path
    operators: tuple[Operator, ...]
    corrected: int = 0
    uncorrected: Path | None = None
    by_operator: ByOperator | None = None

    def write(self, plan: Plan = NOTHING, io: Io | None = None) -> QuantizedFile:
        """The quantised file with this done about its operators; its ends as asked for, unless it is said otherwise.

        Raises:
            AdapterFailure, UnusableInput: the quantizer fails.
        """
        made = self.target.candidate
        path = self.run.folder("quantized") / made.path.name
        ends = str(io or self.target.io)
        names = {means: [self.operators[index].name for index in plan.by(means)] for means in Means}
        if self.target.optimize is Optimize.INT16X8:
            answer = self._sixteen_throughout(path)
        elif any(plan.by(means) for means in Means if means.by_recipe):
            recipe = {means.name.lower(): names[means] for means in Means if means is not Means.RANGE}
            answer = call_tflite(self.run, "quantize", self._prepared(plan), recipe=recipe, io=ends, target=path)
        else:
            keep = names[Means.FLOAT]
            answer = call_quantizer(
                self.run, self.target, "quantize", self._prepared(plan), keep=keep, io=ends, target=path
            )
        obligations = (*made.reply.obligations, *_computed_in_float(answer, self.target.target_format))
        candidate = Candidate(path, replace(made.reply, obligations=obligations))
        sizes = path.stat().st_size, made.path.stat().st_size
        sixteen = tuple(answer.get("sixteen", ()))
        return QuantizedFile(candidate, tuple(answer["float"]), answer["operators"], *sizes, self.corrected, sixteen)

    def _sixteen_throughout(self, path: Path) -> dict[str, Any]:
        """The int16x8 file by TensorFlow's quantizer; where that fails, by a recipe of each operator, in float where LiteRT has no 16-bit kernel.

        Raises:
            AdapterFailure: TensorFlow's fails, and ai-edge-quantizer is not there.
            UnusableInput: that fails too.
        """
        run, target = self.run, self.target
        feeds = feeds_of(run, target)
        try:
            made: dict[str, Any] = call_quantizer(
                run, target, "quantize_int16x8", self.calibrated, **feeds, target=path
            )
        except AdapterFailure:
            listed = [one["name"] for one in call_quantizer(run, target, "operators", self.calibrated)]
            taken = call_tflite(run, "means_by_operator", self.calibrated)
            if not taken["version"]:
                raise
            sixteen = [name for name in listed if name in set(taken["sixteen"])]
            recipe = {"sixteen": sixteen, "float": [name for name in listed if name not in set(sixteen)]}
            ranged = run.folder("calibrated") / target.candidate.path.name
            call_quantizer(run, target, "calibrate", self._uncorrected_at(recipe["float"]), **feeds, target=ranged)
            made = call_tflite(run, "quantize", ranged, recipe=recipe, io=str(Io.FLOAT32), target=path)
        return made

    def _prepared(self, plan: Plan) -> Path:
        """The calibrated file with the ranges of least error where the plan says so, and no bias corrected for weights that are not rounded."""
        path = self._uncorrected_at(
            [self.operators[index].name for index, means in plan.entries if not means.rounds_weights]
        )
        narrowed = [self.operators[index].name for index in plan.by(Means.RANGE)]
        if narrowed and self.by_operator is not None:
            kept = [self.operators[index].name for index in plan.by(Means.FLOAT)]  # whose results may be rounded again
            narrowed += [name for name in kept if name in self.by_operator.ranges]
            before, path = path, self.run.folder("ranges") / self.target.candidate.path.name
            ranges = {name: list(self.by_operator.ranges[name]) for name in narrowed}
            call_quantizer(self.run, self.target, "with_ranges", before, ranges=ranges, target=path)
        return path

    def _uncorrected_at(self, names: Sequence[str]) -> Path:
        """The calibrated file without corrections at operators whose weights are not rounded, for which they would be errors."""
        if not names or self.uncorrected is None:
            return self.calibrated
        path = self.run.folder("biases") / self.target.candidate.path.name
        told: dict[str, Any] = {"original": self.uncorrected, "names": names, "target": path}
        if self.target.target_format == "tflite":
            call_tflite(self.run, "with_own_biases", self.calibrated, **told)
        else:
            call_quantizer(self.run, self.target, "with_own_biases", self.calibrated, **told)
        return path


def with_means(quantizer: Quantizer) -> Quantizer:
    """The same with what can be done about each operator; leaving it in float is all that there is where nothing else is known.

    Raises:
        AdapterFailure, UnusableInput: a worker fails.
    """
    target, operators = quantizer.target, quantizer.operators
    every = tuple(range(len(operators)))
    if target.target_format != "tflite" or target.optimize is not Optimize.INT8 or not operators:
        return replace(quantizer, by_operator=ByOperator({Means.FLOAT: every}))
    run, feeds = quantizer.run, feeds_of(quantizer.run, target)
    ranges = call_quantizer(run, target, "narrower_ranges", quantizer.calibrated, **feeds)
    taken = call_tflite(run, "means_by_operator", quantizer.calibrated)
    known = {Means.RANGE: ranges} | {means: taken[means.name.lower()] for means in Means if means.by_recipe}
    usable = {
        means: tuple(index for index in every if operators[index].name in names) for means, names in known.items()
    }
    bounds = {name: (float(low), float(high)) for name, (low, high) in ranges.items()}
    return replace(
        quantizer,
        by_operator=ByOperator({**usable, Means.FLOAT: every}, bounds, taken["version"], not taken["version"]),
    )


def quantizer(run: Run, target: FloatTarget) -> Quantizer:
    """Calibrate a float target.

    Raises:
        AdapterFailure, UnusableInput: its quantizer cannot.
    """
    if target.optimize is Optimize.INT16X8:
        return Quantizer(run, target, target.candidate.path, ())
    made = run.folder("calibrated") / target.candidate.path.name
    call_quantizer(run, target, "calibrate", target.candidate.path, **feeds_of(run, target), target=made)
    listed = call_quantizer(run, target, "operators", made)
    operators = {one["name"]: Operator(one["name"], one["kind"], one["work"], one["weights"]) for one in listed}
    return Quantizer(run, target, made, tuple(operators.values()))


def with_corrected_biases(quantizer: Quantizer, rounded: Path) -> Quantizer:
    """The same with the biases of its layers corrected for what the rounding of their weights moves on average, calibrated anew.

    Args:
        quantizer: of the float target.
        rounded: what it wrote with nothing left in float.

    Raises:
        AdapterFailure, UnusableInput: the quantizer fails.
    """
    run, target = quantizer.run, quantizer.target
    made, feeds = run.folder("corrected") / target.candidate.path.name, feeds_of(run, target)
    if target.target_format != "tflite":
        count = call_quantizer(run, target, "correct", quantizer.calibrated, **feeds, target=made)
        return _corrected(quantizer, made, count)
    count = call_tflite(run, "correct", target.candidate.path, quantized=rounded, **feeds, target=made)
    if target.optimize is not Optimize.INT16X8:
        path, made = made, run.folder("calibrated") / target.candidate.path.name
        call_quantizer(run, target, "calibrate", path, **feeds, target=made)
    return _corrected(quantizer, made, count)


def _corrected(before: Quantizer, calibrated: Path, count: int) -> Quantizer:
    return replace(before, calibrated=calibrated, corrected=count, uncorrected=before.calibrated)


def _computed_in_float(answer: dict[str, Any], target_format: str) -> tuple[str, ...]:
    """The obligation of a file that is not integers throughout."""
    names = answer["float"]
    if not names or target_format != "tflite":
        return ()
    shown = ", ".join(name.partition(";")[0] for name in names[:8])
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return (
        f"target computes in float32 at {len(names)} of {answer['operators']} operators, which integer-only hardware cannot: {shown}{more}",
    )

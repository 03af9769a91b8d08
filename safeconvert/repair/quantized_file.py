"""Quantised files of a float target that was verified, made by the quantizer of its format in a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from safeconvert.compare.contract import Contract
from safeconvert.conversion.route import Candidate
from safeconvert.core.optimize import Io, Optimize
from safeconvert.core.signature import Signature
from safeconvert.errors import AdapterFailure
from safeconvert.inputs.store import Chunk, picked
from safeconvert.registry.manifest import Adapter, find
from safeconvert.repair.means import NOTHING, Means, Plan
from safeconvert.repair.tflite_file import call_tflite
from safeconvert.verification.native import feed_across
from safeconvert.verification.source import Source
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run

_QUANTIZERS = {"tflite": "tflite_converter", "onnx": "onnx"}
FORMATS = tuple(_QUANTIZERS)
"""Target formats that can be quantised."""


@dataclass(frozen=True)
class Calibration:
    """What the ranges of activations were measured on.

    Attributes:
        origin: of the inputs, for a person.
        inputs: how many, all of them steering inputs that were given.
        chunks: the files, as the source is fed them.
    """

    origin: str
    inputs: int
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True)
class FloatTarget:
    """The float target that quantised ones are made of, and how.

    Attributes:
        source: what it is compared with, with given inputs only.
        contract: of the two.
        signature: its own.
        candidate: the file.
        target_format: `tflite` or `onnx`.
        optimize: how it is quantised.
        io: what the quantised one takes and gives.
        calibration: what its ranges are measured on.
    """

    source: Source
    contract: Contract
    signature: Signature
    candidate: Candidate
    target_format: str
    optimize: Optimize
    io: Io
    calibration: Calibration


@dataclass(frozen=True)
class Operator:
    """An operator of the float target: the name by which its quantizer knows it, and its kind."""

    name: str
    kind: str


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
        by_operator: what can be done about each; known after `with_means`.
    """

    run: Run
    target: FloatTarget
    calibrated: Path
    operators: tuple[Operator, ...]
    corrected: int = 0
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
            ranged = self._with_ranges(names[Means.RANGE])
            answer = call_tflite(self.run, "quantize", ranged, recipe=recipe, io=ends, target=path)
        else:
            ranged, keep = self._with_ranges(names[Means.RANGE]), names[Means.FLOAT]
            answer = _call(self.run, self.target, "quantize", ranged, keep=keep, io=ends, target=path)
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
        feeds = _feeds(run, target)
        try:
            made: dict[str, Any] = _call(run, target, "quantize_int16x8", self.calibrated, **feeds, target=path)
        except AdapterFailure:
            ranged = run.folder("calibrated") / target.candidate.path.name
            _call(run, target, "calibrate", self.calibrated, **feeds, target=ranged)
            listed = [one["name"] for one in _call(run, target, "operators", ranged)]
            taken = call_tflite(run, "means_by_operator", ranged)
            if not taken["version"]:
                raise
            sixteen = [name for name in listed if name in set(taken["sixteen"])]
            recipe = {"sixteen": sixteen, "float": [name for name in listed if name not in set(sixteen)]}
            made = call_tflite(run, "quantize", ranged, recipe=recipe, io=str(Io.FLOAT32), target=path)
        return made

    def _with_ranges(self, names: Sequence[str]) -> Path:
        """The calibrated file with the ranges of least error for the results of these operators."""
        if not names or self.by_operator is None:
            return self.calibrated
        path = self.run.folder("ranges") / self.target.candidate.path.name
        ranges = {name: list(self.by_operator.ranges[name]) for name in names}
        _call(self.run, self.target, "with_ranges", self.calibrated, ranges=ranges, target=path)
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
    run, feeds = quantizer.run, _feeds(quantizer.run, target)
    ranges = _call(run, target, "narrower_ranges", quantizer.calibrated, **feeds)
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


def calibration_of(run: Run, source: Source) -> Calibration:
    """The steering inputs that were given, evenly taken where there are more than `[quantize] calibration`; none of those held out."""
    numbers = source.steering[source.steering < source.data.inputs.count]
    most = run.settings.quantize.calibration
    if len(numbers) > most:
        numbers = numbers[[index * len(numbers) // most for index in range(most)]]
    chunks = picked(source.data.given, numbers, run.folder("calibration")) if len(numbers) else []
    return Calibration(source.data.inputs.origin, len(numbers), tuple(chunks))


def quantizer(run: Run, target: FloatTarget) -> Quantizer:
    """Calibrate a float target.

    Raises:
        AdapterFailure, UnusableInput: its quantizer cannot.
    """
    if target.optimize is Optimize.INT16X8:
        return Quantizer(run, target, target.candidate.path, ())
    made = run.folder("calibrated") / target.candidate.path.name
    _call(run, target, "calibrate", target.candidate.path, **_feeds(run, target), target=made)
    listed = _call(run, target, "operators", made)
    operators = {one["name"]: Operator(one["name"], one["kind"]) for one in listed}
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
    made, feeds = run.folder("corrected") / target.candidate.path.name, _feeds(run, target)
    if target.target_format != "tflite":
        count = _call(run, target, "correct", quantizer.calibrated, **feeds, target=made)
        return replace(quantizer, calibrated=made, corrected=count)
    count = call_tflite(run, "correct", target.candidate.path, quantized=rounded, **feeds, target=made)
    if target.optimize is not Optimize.INT16X8:
        path, made = made, run.folder("calibrated") / target.candidate.path.name
        _call(run, target, "calibrate", path, **feeds, target=made)
    return replace(quantizer, calibrated=made, corrected=count)


def quantizing_adapter(run: Run, target_format: str) -> Adapter:
    """The adapter whose worker quantises files of a format."""
    return find(_QUANTIZERS[target_format], run.adapters)


def _feeds(run: Run, target: FloatTarget) -> dict[str, Any]:
    """The calibration inputs as the float target takes them, in the order of its graph's inputs."""
    chunks = target.calibration.chunks
    specs = enumerate(target.signature.inputs)
    indices = {spec.name: index if spec.position is None else spec.position for index, spec in specs}
    fed = feed_across(target.contract, chunks, run.folder("feed"))
    feeds = [[str(files[name]) for name in sorted(files, key=indices.__getitem__)] for files in fed]
    return {"feeds": feeds, "whole": any(chunk.whole for chunk in chunks)}


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


def _call(run: Run, made_of: FloatTarget, function: str, path: Path, **arguments: Any) -> Any:
    adapter = quantizing_adapter(run, made_of.target_format)
    request = CallFunction(adapter.folder, function, {"path": str(path), **arguments})
    with run.phases.phase(f"quantising ({adapter.name})"):
        return run.pool.worker("convert", adapter.python).call(
            adapter.name, f"quantising {made_of.candidate.path.name}", request
        )

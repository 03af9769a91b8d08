"""The float target that quantised ones are made of, what it is calibrated on, and calls of its format's quantizer in a worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeconvert.compare.contract import Contract
from safeconvert.conversion.route import Candidate
from safeconvert.core.optimize import Io, Optimize
from safeconvert.core.signature import Signature
from safeconvert.inputs.store import Chunk, picked
from safeconvert.registry.manifest import Adapter, find
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


def calibration_of(run: Run, source: Source) -> Calibration:
    """The steering inputs that were given, evenly taken where there are more than `[quantize] calibration`; none of those held out."""
    numbers = source.steering[source.steering < source.data.inputs.count]
    most = run.settings.quantize.calibration
    if len(numbers) > most:
        numbers = numbers[[index * len(numbers) // most for index in range(most)]]
    chunks = picked(source.data.given, numbers, run.folder("calibration")) if len(numbers) else []
    return Calibration(source.data.inputs.origin, len(numbers), tuple(chunks))


def quantizing_adapter(run: Run, target_format: str) -> Adapter:
    """The adapter whose worker quantises files of a format."""
    return find(_QUANTIZERS[target_format], run.adapters)


def feeds_of(run: Run, target: FloatTarget) -> dict[str, Any]:
    """The calibration inputs as the float target takes them, in the order of its graph's inputs."""
    chunks = target.calibration.chunks
    specs = enumerate(target.signature.inputs)
    indices = {spec.name: index if spec.position is None else spec.position for index, spec in specs}
    fed = feed_across(target.contract, chunks, run.folder("feed"))
    feeds = [[str(files[name]) for name in sorted(files, key=indices.__getitem__)] for files in fed]
    return {"feeds": feeds, "whole": any(chunk.whole for chunk in chunks)}


def call_quantizer(run: Run, made_of: FloatTarget, function: str, path: Path, **arguments: Any) -> Any:
    """Call a function of the quantizer of a float target on a file. Raises AdapterFailure, UnusableInput."""
    adapter = quantizing_adapter(run, made_of.target_format)
    request = CallFunction(adapter.folder, function, {"path": str(path), **arguments})
    with run.phases.phase(f"quantising ({adapter.name})"):
        return run.pool.worker("convert", adapter.python).call(
            adapter.name, f"quantising {made_of.candidate.path.name}", request
        )

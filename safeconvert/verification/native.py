"""Run the four models on the same inputs and compare them in pairs.

source-native vs target-native is the verdict. A native model against its own ONNX form tells whether an *exporter* is at
fault; such a fault is reported as the exporter's and never blamed on the converter.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.comparators import choose
from safeconvert.compare.contract import Contract, make_contract
from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.exchange import comparable_outputs, target_feeds
from safeconvert.compare.half_precision import within_half
from safeconvert.compare.quantized import same_storage, to_real
from safeconvert.compare.scale import fitted, output_scales
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated, Export, evaluate, open_model
from safeconvert.core.faults import ExporterVerdict
from safeconvert.core.signature import Signature
from safeconvert.core.text import first_line
from safeconvert.errors import SafeconvertError
from safeconvert.inputs.store import Chunk
from safeconvert.verification.types import ExporterCheck
from safeconvert.workers.run import Run
from safeconvert.workers.session import load_files


def feed_across(contract: Contract, chunks: Sequence[Chunk], folder: Path) -> list[dict[str, Path]]:
    """Chunk files for the other model of a contract: its names, order of dimensions and dtypes."""
    plain = all(
        t.permutation is None and t.source.dtype == t.target.dtype and same_storage(t.source, t.target)
        for t in contract.inputs
    )
    if plain:
        return [{t.target.name: chunk.arrays[t.source.name] for t in contract.inputs} for chunk in chunks]
    fed = []
    for number, chunk in enumerate(chunks):
        arrays = {name: np.load(path, allow_pickle=False) for name, path in chunk.arrays.items()}
        files = {}
        for position, (name, array) in enumerate(target_feeds(contract, arrays).items()):
            files[name] = folder / f"feed-{number:05d}-{position}.npy"
            np.save(files[name], array, allow_pickle=False)
        fed.append(files)
    return fed


def compare(
    contract: Contract, source: Evaluated, target: Evaluated, chunks: Sequence[Chunk], settings: VerifySettings
) -> Accumulator:
    """Accumulate the figures of two evaluated models, chunk by chunk; an output's range bounds its absolute tolerance."""
    settings = within_half(settings, [tensor.source for tensor in contract.outputs])
    figures = Accumulator(fitted(settings, real_scales(contract, source)), str(Path.cwd()))
    for chunk, ours, theirs in zip(chunks, source.outputs, target.outputs, strict=True):
        left, right = comparable_outputs(contract, load_files(ours), load_files(theirs))
        if chunk.whole:
            left, right = ({name: array[None] for name, array in side.items()} for side in (left, right))
        figures.add(left, right, np.arange(chunk.start, chunk.stop))
    return figures


def real_scales(contract: Contract, source: Evaluated) -> dict[str, float]:
    """By real-valued output of a contract, its largest value on any input."""
    specs = {tensor.source.name: tensor.source for tensor in contract.outputs}
    real = (
        {
            name: to_real(array, specs[name])
            for name, array in load_files(files).items()
            if name in specs and choose(specs[name]) != "exact"
        }
        for files in source.outputs
    )
    return output_scales(real)


def against_export(
    run: Run,
    native: Evaluated,
    exported: Export,
    chunks: Sequence[Chunk],
    settings: VerifySettings,
    counted: np.ndarray,
    side: str,
) -> ExporterCheck:
    """Run a model's ONNX form and compare it with the native model on the inputs that count."""
    if not exported.adapter and exported.path is not None:
        return ExporterCheck("", ExporterVerdict.NONE, "the model is ONNX itself")
    if exported.path is None:
        return ExporterCheck("", ExporterVerdict.FAILED, exported.failure)
    candidates = tuple(tuple(size or 0 for size in spec.shape) for spec in native.signature.inputs)
    request = ModelRequest(str(exported.path), candidate_shapes=candidates)
    try:
        session = open_model(run, "onnx", "onnx", request)
        contract = unchanged_contract(native.signature, session.signature)
        feeds = feed_across(contract, chunks, run.folder("feed"))
        outputs = evaluate(run, session, feeds, f"running the {side} (ONNX)")
        figures = compare(contract, native, outputs, chunks, settings).result(counted)
    except SafeconvertError as error:
        return ExporterCheck(exported.adapter, ExporterVerdict.FAILED, first_line(str(error)))
    if figures.equal:
        return ExporterCheck(exported.adapter, ExporterVerdict.EQUAL, "", figures, outputs, contract)
    reason = (
        f"{exported.adapter} changed the {side}: labels or values differ on {figures.disagreements} of {figures.samples} inputs, "
        f"max-abs {figures.max_abs:.3g}"
    )
    return ExporterCheck(exported.adapter, ExporterVerdict.DIFFERENT, reason, figures, outputs, contract)


def unchanged_contract(native: Signature, other: Signature) -> Contract:
    """A contract in which every tensor keeps its order of dimensions, as exporters do."""
    return make_contract(
        native, other, {spec.name: None for spec in native.inputs}, {spec.name: None for spec in native.outputs}
    )

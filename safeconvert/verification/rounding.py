"""Is a small distance beyond tolerance only rounding? Both models computed in float64 tell.

float32 runtimes sum in different orders. Where a network cancels (a BatchNorm of a channel that hardly varies, folded into its
convolution; an image of one colour), the order alone moves the outputs by more than the tolerance: EfficientNet-B0 on an
image of ones lies 1.6e-4 of its scale off its own graph in ONNX Runtime and TFLite, and 4e-6 in PyTorch. The
graphs of both sides in float64 have no such freedom. A target counts as equal there if

- no label disagrees, and no distance is larger than `[verify] rounding` of the scale: of the sample's, or on made-up samples, whose
  outputs may be next to nothing, of the output's range over all inputs;
- the source's graph in float64 gives what the native source gives, within the usual tolerance;
- the target's graph in float64 gives what the source's gives, within a tenth of the tolerance, on every input of each
  chunk that holds one beyond tolerance.

Where the source itself is further from its graph in float64, a proof may settle it (`proven_rounding`). What cannot be computed so stays refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated
from safeconvert.core.faults import ExporterVerdict
from safeconvert.core.signature import Signature
from safeconvert.errors import SafeconvertError
from safeconvert.inputs.store import Chunk
from safeconvert.registry.manifest import Adapter
from safeconvert.verification.cross_pairs import across, renamed_tolerances
from safeconvert.verification.double import agreeing, in_double, narrow, stricter, with_double
from safeconvert.verification.native import compare, feed_across, real_scales, unchanged_contract
from safeconvert.verification.pair import Pair
from safeconvert.verification.proven_rounding import PROVEN, settled_by_proof
from safeconvert.verification.source import Source
from safeconvert.verification.types import ExporterCheck, Verification
from safeconvert.workers.run import Run

_MOST = 256  # inputs beyond tolerance that are looked at; where more are, it is no exception any more


def accept_rounding(
    run: Run, pair: Pair, verification: Verification, figures: Accumulator, settings: VerifySettings
) -> Verification:
    """The verification, equal where all that was beyond tolerance is rounding.

    Args:
        run, pair, settings: of the run.
        verification: as the native models gave it.
        figures: of the native models on all inputs.
    """
    source = pair.source
    counted = np.union1d(source.steering, source.counted)
    limit = run.settings.verify.rounding
    scales = real_scales(verification.contract, source.outputs)
    looked_at = partial(_may_be_rounding, source, figures, counted, scales=scales)
    if verification.native.equal or not looked_at(PROVEN * limit):
        return verification
    beyond = np.intersect1d(figures.unequal(), counted)
    adapter = with_double(run)
    if adapter is None or len(beyond) > _MOST:
        return verification
    settled: tuple[int, ...] = ()
    try:
        exact = _exact(run, adapter, source, verification, beyond, settings) if looked_at(limit) else None
        if exact is None:
            exact = settled_by_proof(run, adapter, pair, verification, beyond, settings)
            settled = tuple(map(int, beyond))
    except SafeconvertError:
        return verification  # no proof, no change: it stays refused
    if exact is None:
        return verification
    joined = verification.joined and agreeing(verification.joined, len(beyond), exact.relative)
    native = agreeing(figures.result(source.held_out), len(beyond), exact.relative)
    return replace(verification, native=native, joined=joined, settled=settled)


def _may_be_rounding(
    source: Source, figures: Accumulator, counted: np.ndarray, limit: float, scales: Mapping[str, float]
) -> bool:
    """Whether all that is wrong are distances small enough to look at."""
    first = source.data.inputs.count if source.data.extra and not source.data.generated else np.inf
    given, made_up = figures.result(counted[counted < first]), figures.result(counted[counted >= first])
    small = narrow(given, limit) or (given.equal and limit > 0)
    return small and (not made_up.samples or made_up.equal or _narrow_in_range(made_up, limit, scales))


def _narrow_in_range(figures: Comparison, limit: float, scales: Mapping[str, float]) -> bool:
    """Whether all that is wrong are distances that are small in an output's range over all inputs."""
    near = all(output.max_abs <= limit * scales.get(output.name, 0.0) for output in figures.outputs)
    return near and narrow(figures, np.inf)


def _exact(
    run: Run,
    adapter: Adapter,
    source: Source,
    verification: Verification,
    beyond: np.ndarray,
    settings: VerifySettings,
) -> Comparison | None:
    """Source against target in float64 on the chunks that hold samples beyond tolerance; None where they differ."""
    indices = [
        index
        for index, chunk in enumerate(source.data.chunks)
        if np.any((beyond >= chunk.start) & (beyond < chunk.stop))
    ]
    chunks = [source.data.chunks[index] for index in indices]
    native = replace(source.outputs, outputs=tuple(source.outputs.outputs[index] for index in indices))
    compared = _in_both(run, adapter, (source, verification), chunks, native, settings)
    found = compared.result() if compared is not None else None
    return found if found is not None and found.equal else None


def apart_in_double(
    run: Run,
    source: Source,
    verification: Verification,
    settings: VerifySettings,
    chunks: Sequence[Chunk],
    native: Evaluated,
) -> np.ndarray:
    """Numbers of the samples of these chunks on which source and target differ in float64 too; none where that cannot be told.

    Args:
        run, source, settings: of the run.
        verification: of the target.
        chunks: inputs, as the source is fed them.
        native: the source's outputs on these.
    """
    adapter = with_double(run)
    if adapter is None:
        return np.empty(0, dtype=np.int64)
    compared = _in_both(run, adapter, (source, verification), chunks, native, settings)
    return compared.unequal() if compared is not None else np.empty(0, dtype=np.int64)


def only_rounding(
    run: Run,
    source: Source,
    verification: Verification,
    settings: VerifySettings,
    part: tuple[Chunk, Evaluated],
    figures: Comparison,
) -> float | None:
    """How far the models are apart in float64, relative, where all that is beyond tolerance in a chunk is rounding; None where it is not.

    Args:
        run, source, settings: of the run.
        verification: of the target.
        part: the chunk, as the source is fed it, and the source's outputs.
        figures: of the native models on those of its samples that count.
    """
    limit = run.settings.verify.rounding
    small = narrow(figures, limit)
    if source.data.generated:
        small = _narrow_in_range(figures, limit, real_scales(verification.contract, source.outputs))
    adapter = with_double(run)
    if not small or adapter is None:
        return None
    try:
        compared = _in_both(run, adapter, (source, verification), [part[0]], part[1], settings)
    except SafeconvertError:
        return None  # no proof, no change
    found = compared.result() if compared is not None else None
    return found.relative if found is not None and found.equal else None


def _in_both(
    run: Run,
    adapter: Adapter,
    models: tuple[Source, Verification],
    chunks: Sequence[Chunk],
    native: Evaluated,
    settings: VerifySettings,
) -> Accumulator | None:
    """Source against target in float64, by a tenth of the tolerance; None where the source's graph is not the native source there."""
    source, verification = models
    left = _to_graph(source.outputs.signature, source.exporter.result())
    right = _to_graph(verification.outputs.signature, verification.exporter)
    if left is None or right is None:
        return None
    ours = in_double(run, adapter, source.exported, left, chunks, "source")
    if not compare(left, native, ours, chunks, settings).result().equal:
        return None
    fed = feed_across(verification.contract, chunks, run.folder("feed"))
    as_target = [replace(chunk, arrays=feed) for chunk, feed in zip(chunks, fed, strict=True)]
    theirs = in_double(run, adapter, verification.exported, right, as_target, "target")
    strict = stricter(settings, renamed_tolerances(settings, left))
    return compare(across(verification.contract, left, right), ours, theirs, chunks, strict)


def _to_graph(native: Signature, check: ExporterCheck) -> Contract | None:
    """The contract of a native model and its ONNX form; the model itself where it is ONNX."""
    return unchanged_contract(native, native) if check.verdict is ExporterVerdict.NONE else check.contract


def accept_export_rounding(run: Run, check: ExporterCheck, verification: Verification | None) -> ExporterCheck:
    """The check of the source's exporter; equal where its distance, too, was found to be rounding."""
    if (
        verification is None
        or not verification.native.rounded
        or check.verdict is not ExporterVerdict.DIFFERENT
        or not check.all_figures
    ):
        return check
    limit = run.settings.verify.rounding
    unequal = [figures for figures in check.all_figures if figures.disagreements or figures.beyond_tolerance]
    if not all(narrow(figures, limit) for figures in unequal):
        return check
    return replace(check, verdict=ExporterVerdict.EQUAL, reason="")

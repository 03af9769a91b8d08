"""Made-up inputs on which the source itself rounds beyond the tolerance, beside a target that is proven to be the same function.

On an image of one colour, a net whose weights nearly cancel gives next to nothing, and each runtime rounds that otherwise: the source's own
graph in float64 is as far from it as the target, so that float64 beside the source settles nothing (`rounding`). A target counts as equal
there if all of this holds:

- all inputs beyond tolerance are made up, and no more than a quarter of all that count or steer: a user's own inputs never need this;
- the graphs read of both files, which share nothing with exporters and converters, are the models on all the other inputs;
- these graphs are proven to be one function, end to end;
- in float64 both agree within a tenth of the tolerance on the inputs in question, and the source's graph is there no further from the source
  than ten times `[verify] rounding` of an output's range over all inputs, nor the target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated, Export
from safeconvert.core.proof import ProofLevel
from safeconvert.inputs.store import Chunk
from safeconvert.registry.manifest import Adapter
from safeconvert.verification.cross_pairs import across, renamed_tolerances
from safeconvert.verification.double import in_double, stricter
from safeconvert.verification.native import compare, feed_across, real_scales
from safeconvert.verification.native_forms import NativeForm, Unread
from safeconvert.verification.pair import Pair
from safeconvert.verification.proof import native_forms, prove_between
from safeconvert.verification.source import Source
from safeconvert.verification.types import Verification
from safeconvert.workers.run import Run

PROVEN = 10.0
"""So many times as far may be rounding where a proof says that it is: what a runtime's sums lose where weights cancel."""
_SHARE = 4
"""At most one of so many inputs may be rounding alone."""


def settled_by_proof(
    run: Run, adapter: Adapter, pair: Pair, found: Verification, beyond: np.ndarray, settings: VerifySettings
) -> Comparison | None:
    """Source against target in float64 on the inputs beyond tolerance, where a proof says that this is rounding; None where it does not.

    Args:
        run, settings: of the run.
        adapter: the framework that computes ONNX graphs in float64.
        pair: source and target.
        found: how they were compared.
        beyond: numbers of the samples beyond tolerance.

    Raises:
        SafeconvertError: a graph does not run.
    """
    source = pair.source
    first = 0 if source.data.generated else source.data.inputs.count
    if np.any(beyond < first) or _SHARE * len(beyond) > len(source.numbers):
        return None
    target = (pair.target.candidate.path, pair.target.session.adapter.format)
    without = replace(found, settled=tuple(map(int, beyond)))
    forms = native_forms(run, source, (without, source.exporter.result()), target, settings)
    if isinstance(forms, Unread) or prove_between(run, found, forms).level is not ProofLevel.NATIVE:
        return None
    return _exact(run, adapter, (source, found), forms, beyond, settings)


def _exact(
    run: Run,
    adapter: Adapter,
    models: tuple[Source, Verification],
    forms: tuple[NativeForm, NativeForm],
    beyond: np.ndarray,
    settings: VerifySettings,
) -> Comparison | None:
    """The graphs of both files in float64, on the samples beyond tolerance alone; None where they differ, or the source's leaves the source."""
    source, found = models
    indices = [index for index, chunk in enumerate(source.data.chunks) if _within(chunk, beyond)]
    chunks = [source.data.chunks[index] for index in indices]
    native = replace(source.outputs, outputs=tuple(source.outputs.outputs[index] for index in indices))
    ours = _in_double(run, adapter, forms[0], chunks, "source")
    off = compare(forms[0].contract, native, ours, chunks, settings).result(beyond)
    scales, limit = real_scales(forms[0].contract, source.outputs), PROVEN * run.settings.verify.rounding
    if off.nonfinite or any(output.max_abs > limit * scales.get(output.name, 0.0) for output in off.outputs):
        return None
    fed = feed_across(found.contract, chunks, run.folder("feed"))
    as_target = [replace(chunk, arrays=feed) for chunk, feed in zip(chunks, fed, strict=True)]
    theirs = _in_double(run, adapter, forms[1], as_target, "target")
    strict = stricter(settings, renamed_tolerances(settings, forms[0].contract))
    contract = across(found.contract, forms[0].contract, forms[1].contract)
    exact = compare(contract, ours, theirs, chunks, strict).result(beyond)
    return exact if exact.equal else None


def _in_double(run: Run, adapter: Adapter, form: NativeForm, chunks: Sequence[Chunk], side: str) -> Evaluated:
    return in_double(run, adapter, Export(form.reader, form.path, ""), form.contract, chunks, side)


def _within(chunk: Chunk, numbers: np.ndarray) -> bool:
    return bool(np.any((numbers >= chunk.start) & (numbers < chunk.stop)))

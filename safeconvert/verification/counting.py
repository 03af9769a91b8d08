"""Which of a source's inputs count, and whether its calls may have another number of rows."""

from __future__ import annotations

import numpy as np

from safeconvert.adapter_api.feeding import fixed_batch
from safeconvert.compare.settings import VerifySettings
from safeconvert.config.options import DataOptions
from safeconvert.core.formats import ModelFile
from safeconvert.errors import AdapterFailure, NoVerdict
from safeconvert.verification import dataset
from safeconvert.verification.batching import Axis, Regrouped, axis_of, regrouped
from safeconvert.verification.dataset import Dataset
from safeconvert.verification.settling import Parts, Settling
from safeconvert.verification.source_inputs import Fed
from safeconvert.verification.types import Counted
from safeconvert.verification.usable_samples import finite_samples
from safeconvert.workers.run import Run
from safeconvert.workers.session import Session


def settle_inputs(
    run: Run, file: ModelFile, session: Session, options: tuple[DataOptions, VerifySettings], fed: Fed
) -> tuple[Settling, Axis]:
    """The inputs that count, and what axis 0 of them is; where samples seem to be mixed, by what is not rounding alone.

    Raises:
        NoVerdict: too few are left, or it does not run on calls of other sizes.
    """
    data_options, verify = options
    settling, whole = unsettled(run, file, data_options, fed), fed.data.inputs.whole
    if not whole and fixed_batch(session.signature) is not None and not _has_rows(fed):
        return settling, Axis.MIXED
    axis = _axis(run, session, settling.first.regroup, verify, whole)
    if axis is Axis.MIXED and settling.leaves_out():
        axis = _axis(run, session, settling.settle().regroup, verify, whole)
    return settling, axis


def _has_rows(fed: Fed) -> bool:
    """Whether each output has a row, or a number, for each sample: what a detector finds are rows of another number."""
    return all(
        np.load(path, mmap_mode="r", allow_pickle=False).shape[:1] == (chunk.stop - chunk.start,)
        for chunk, files in zip(fed.data.chunks, fed.outputs.outputs, strict=True)
        for path in files.values()
    )


def unsettled(run: Run, file: ModelFile, options: DataOptions, fed: Fed) -> Settling:
    """The inputs that count, before and after those are left out on which the source is rounding alone. Raises NoVerdict where too few are left."""

    def parts(usable: np.ndarray) -> Parts:
        data, extra = fed.data, fed.extra.split
        held_out, joined = dataset.indices(data.split.held_out, usable), dataset.indices(extra.held_out, usable)
        if data.generated:
            held_out, joined = np.union1d(held_out, joined), joined[:0]
        counting = np.union1d(held_out, joined)
        if options.nonfinite:
            counting = np.intersect1d(counting, finite_samples(fed.outputs, data.chunks))
        _require_enough(file, len(counting), data, least_held_out(run, options))
        rows = None if data.inputs.whole else regrouped(run, data.chunks, fed.outputs, usable, data.seed)
        return Parts(dataset.indices((*data.split.steer, *extra.steer), usable), Counted(held_out, joined), rows)

    return Settling(parts(fed.usable), lambda: parts(fed.stable()))


def _axis(run: Run, session: Session, regroup: Regrouped | None, settings: VerifySettings, whole: bool) -> Axis:
    try:
        return axis_of(run, session, regroup, settings, whole)
    except AdapterFailure as failure:
        raise NoVerdict(
            f"{run.pool.given(session.path)}: does not run on calls of other sizes: {failure.cause}",
            "say its fixed batch with --input-shape",
            str(failure.log),
        ) from failure


def least_held_out(run: Run, options: DataOptions) -> int:
    """How many distinct inputs have to be held out."""
    return run.settings.inputs.least_held_out if options.min_held_out is None else options.min_held_out


def _require_enough(file: ModelFile, held_out: int, data: Dataset, least: int) -> None:
    """Raise NoVerdict where too few distinct inputs are left for the verdict."""
    if not held_out:
        raise NoVerdict(f"{file.named}: gives NaN or Inf on every held-out input", "give other inputs with --inputs")
    if held_out < least:
        raise NoVerdict(
            f"{file.named}: {held_out} distinct inputs are held out of {data.inputs.count}, and a verdict needs {least}",
            f"give more inputs that differ, or accept fewer with --min-held-out {held_out}",
        )

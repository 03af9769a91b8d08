"""ONNX forms computed in float64, and which distances that may explain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.bounds import clopper_pearson_upper
from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.conversion.models import Evaluated, Export, evaluate
from safeconvert.inputs.store import Chunk
from safeconvert.registry.manifest import Adapter
from safeconvert.verification.native import feed_across
from safeconvert.workers.run import Run
from safeconvert.workers.session import open_session

_NUMERIC = {"label", "allclose"}
_WITH_DOUBLE = "torch_ops"
_STRICTER = 10.0


def with_double(run: Run) -> Adapter | None:
    """The adapter that runs ONNX in float64; None where it is not there."""
    return next((adapter for adapter in run.adapters if adapter.name == _WITH_DOUBLE), None)


def in_double(
    run: Run, adapter: Adapter, exported: Export, contract: Contract, chunks: Sequence[Chunk], side: str
) -> Evaluated:
    """An ONNX form run in float64. Raises SafeconvertError where it does not.

    Args:
        run: the surroundings.
        adapter: that runs it.
        exported: the form; it has a path.
        contract: of the native model and the form.
        chunks: inputs, as the native model is fed them.
        side: `source` or `target`.
    """
    assert exported.path is not None
    worker = run.pool.worker("double", adapter.python)
    session = open_session(worker, adapter, ModelRequest(str(exported.path)))
    feeds = feed_across(contract, chunks, run.folder("feed"))
    return evaluate(run, session, feeds, f"running the {side} (float64)")


def stricter(settings: VerifySettings, tolerances: Mapping[str, Tolerance]) -> VerifySettings:
    """Settings with a tenth of the tolerance; `tolerances` are those of single outputs, by the names that they have where it is applied."""
    return replace(
        settings,
        tolerance=_tenth(settings.tolerance),
        tolerances={name: _tenth(one) for name, one in tolerances.items()},
    )


def _tenth(tolerance: Tolerance) -> Tolerance:
    return Tolerance(tolerance.rtol / _STRICTER, tolerance.atol / _STRICTER)


def narrow(figures: Comparison, limit: float) -> bool:
    """Whether all that is wrong are distances of at most a limit, relative; `allclose` calls these disagreements, `label` does not."""
    kinds = {output.comparator for output in figures.outputs}
    labels = sum(output.disagreements for output in figures.outputs if output.comparator == "label")
    small = figures.beyond_tolerance > 0 and figures.relative <= limit
    return small and not labels and figures.nonfinite == 0 and kinds <= _NUMERIC


def agreeing(native: Comparison, rounded: int, exact: float) -> Comparison:
    """The figures with every sample in agreement; distances, and how many are beyond tolerance, stay as they are.

    Args:
        native: the figures.
        rounded: samples beyond tolerance by rounding alone.
        exact: how far the models are apart in float64 on these, relative.
    """
    return replace(
        native,
        disagreements=0,
        discrepancy=0.0,
        upper_bound=clopper_pearson_upper(0, native.samples),
        equal=True,
        outputs=tuple(replace(output, disagreements=0) for output in native.outputs),
        disagreeing=(),
        rounded=rounded,
        exact_relative=float(f"{exact:.3g}"),
    )

"""Where a proof ends at a constant or attribute that is another in the target: an input is searched on which the native models differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated, evaluate
from safeconvert.core.proof import ProofLevel, ProofRecord
from safeconvert.errors import AdapterFailure, SafeconvertError
from safeconvert.inputs.store import Chunk
from safeconvert.verification.native import compare, feed_across
from safeconvert.verification.pair import Pair
from safeconvert.verification.proof import forms_contract
from safeconvert.verification.types import ExporterCheck, Verification
from safeconvert.workers.engine import call_engine
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class Disproof:
    """A counterexample.

    Attributes:
        inputs: by input of the source, the numbers, shortened for a person.
        figures: of the native models on it.
    """

    inputs: Mapping[str, str]
    figures: Comparison


def disprove(
    run: Run,
    pair: Pair,
    verification: Verification,
    check: ExporterCheck,
    record: ProofRecord,
    settings: VerifySettings,
) -> Disproof | None:
    """Inputs on which source and target differ natively beyond tolerance, searched from where the proof ended; None where none is found.

    Args:
        run: the surroundings.
        pair: opened.
        verification: of the pair, equal so far.
        check: the source's ONNX form.
        record: the proof, which ended somewhere.
        settings: how outputs are compared.
    """
    source, chunk = pair.source, pair.source.data.chunks[0]
    known = [one for one in record.unproven if one.get("differs")]
    paths = (source.exported.path, verification.exported.path)
    if record.level is not ProofLevel.SAMPLED or not known or chunk.whole or None in paths:
        return None
    arguments = {
        "source": str(paths[0]), "target": str(paths[1]), "contract": forms_contract(source, verification, check).to_json(),
        "given": [str(chunk.arrays[tensor.source.name]) for tensor in verification.contract.inputs], "unproven": [dict(one) for one in known],
        "tolerances": [settings.tolerance.rtol, settings.tolerance.atol], "folder": str(run.folder("counterexample")),
    }  # fmt: skip
    try:
        with run.phases.phase("looking for a counterexample"):
            found = call_engine(run, "disprove", "looking for a counterexample", {"request": arguments})
        if not found:
            return None
        names = [tensor.source.name for tensor in verification.contract.inputs]
        made = Chunk(
            0, chunk.stop - chunk.start, {name: run.scratch / path for name, path in zip(names, found, strict=True)}
        )
        figures = _natively(run, pair, made, settings)
    except SafeconvertError:
        return None  # one of the models does not run on it: no counterexample
    return None if figures.equal else Disproof({name: _shown(made, name, figures) for name in names}, figures)


def _natively(run: Run, pair: Pair, chunk: Chunk, settings: VerifySettings) -> Comparison:
    source, target = pair.source.session, pair.target.session
    ours = evaluate(run, source, [dict(chunk.arrays)], "running the source on a counterexample")
    fed = feed_across(pair.contract, [chunk], run.folder("feed"))
    theirs: Evaluated = evaluate(run, target, fed, "running the target on a counterexample")
    if any(
        not np.isfinite(np.load(path)).all() for path in ours.outputs[0].values() if np.load(path).dtype.kind == "f"
    ):
        raise AdapterFailure(source.adapter.name, "running a counterexample", "no finite outputs", run.logs)
    return compare(pair.contract, ours, theirs, [chunk], settings).result()


def _shown(chunk: Chunk, name: str, figures: Comparison) -> str:
    """The first sample that differs, its first numbers."""
    rows: Any = np.load(chunk.arrays[name], allow_pickle=False)
    row = rows[figures.disagreeing[0] if figures.disagreeing else 0] if rows.ndim else rows
    numbers = [f"{value:.4g}" for value in np.asarray(row).reshape(-1)[:8].tolist()]
    return f"{list(np.shape(row))}: {', '.join(numbers)}{', …' if np.size(row) > 8 else ''}"

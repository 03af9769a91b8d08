"""What a quantised file stores otherwise than one that was quantised anew: the faults of its quantisation, tensor by tensor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from safeconvert.compare.comparison import Comparison
from safeconvert.core.faults import Change, EvaluationRecord, FaultKind, FaultRecord
from safeconvert.core.optimize import Io, Optimize
from safeconvert.core.signature import Signature
from safeconvert.repair.fewest import score
from safeconvert.repair.tflite_file import call_tflite
from safeconvert.repair.types import Diagnosis
from safeconvert.workers.run import Run

_SCHEMES = {"int8": Optimize.INT8, "int16": Optimize.INT16X8}


def scheme_of(run: Run, path: Path) -> Optimize:
    """How the activations of a TFLite file are stored; NONE where they are floats, or in a way that nothing here makes."""
    return _SCHEMES.get(call_tflite(run, "activations", path), Optimize.NONE)


def io_of(signature: Signature) -> Io | None:
    """What a file takes and gives, where its real-valued ends agree in that; None where they do not."""
    kinds = {spec.dtype for spec in (*signature.inputs, *signature.outputs) if spec.quantization is not None}
    kinds |= {spec.dtype for spec in (*signature.inputs, *signature.outputs) if spec.dtype.startswith("float")}
    return Io(kinds.pop()) if len(kinds) == 1 and kinds <= set(Io) else None


def quantization_faults(
    run: Run, wrong: Path, anew: Path, figures: tuple[Comparison, Comparison | None]
) -> Diagnosis | None:
    """The tensors that a wrong file stores otherwise than one quantised anew; None where none is.

    Args:
        run: the surroundings.
        wrong: the file.
        anew: the other.
        figures: of both, the second where it was compared.
    """
    found = call_tflite(run, "stored_otherwise", wrong, other=anew)
    if not found:
        return None
    before, after = figures
    proven = after is not None and after.equal
    last = after or before
    return Diagnosis(
        faults=tuple(replace(one, proven=proven) for one in stored_faults(found)),
        trials=(),
        before=EvaluationRecord(score(before), before.disagreeing),
        after=EvaluationRecord(score(last), last.disagreeing),
        rounds=1,
        ended="equal" if proven else "localized only",
    )


def stored_faults(found: Iterable[Mapping[str, Any]]) -> list[FaultRecord]:
    """A fault for each tensor that is stored otherwise, not proven yet."""
    return [_fault(one) for one in found]


def _fault(one: Mapping[str, Any]) -> FaultRecord:
    off = float(one["off"])
    return FaultRecord(
        FaultKind.WEIGHTS, "", one["operator"], "", Change.DIFFERENT, f"{one['name'].partition(';')[0]}: {one['what']}",
        isolated=off, propagated=off, proven=False,
    )  # fmt: skip

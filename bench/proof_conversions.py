"""Conversions of small nets in every format, and what the prover says of them: the rows of `proof.py`'s recurrent nets.

Each is kept under build/bench/proof/ with the files that it made, so that a run that was broken off goes on where it stood; what the prover says of them is asked again where
its code is another.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from cells import proof_seconds
from common import ROOT, WORK, table
from proof_nets import SUFFIX, ensure

from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import TensorContract
from safeconvert.config.options import ConvertOptions, DataOptions
from safeconvert.config.settings import Settings, load_settings
from safeconvert.core.formats import detect
from safeconvert.core.progress import Phases
from safeconvert.core.proof import ProofLevel
from safeconvert.core.signature import TensorSpec
from safeconvert.errors import ExitCode, SafeconvertError
from safeconvert.graph.view import tidy
from safeconvert.pipeline.convert import convert
from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.prover import prove
from safeconvert.prove.readers.read import read_native
from safeconvert.prove.structure import same_structure
from safeconvert.verification.proof import exporters_forms, forms_contract, prove_forms, prove_pair
from safeconvert.verification.source import Source
from safeconvert.verification.types import ExporterCheck, Verification
from safeconvert.workers.run import open_run

FOLDER = WORK / "proof"
PROVER = ("safeconvert/prove/", "verification/proof", "verification/native_forms")


def recurrent() -> str:
    """All pairs of the recurrent net, kept files proven again."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    cases = [("recurrent", source, target) for source in SUFFIX for target in SUFFIX if target != source]
    rows = _rows(cases)
    verified = [known for _, known in rows if known["exit"] == 0]
    lines = [(name, known.get("level", "-"), "yes" if known.get("onnx") else "no", known.get("steps", ""), known.get("apart", ""),
              known.get("proving", ""), known.get("missing") or known["reason"][:140]) for name, known in rows]  # fmt: skip
    return (
        f"## Recurrent nets\n\nAn LSTM below a GRU in each format, to each other format, with batches of free size: {len(verified)} of {len(rows)} conversions verified when they were made; "
        "what is said of proofs is of their files, asked again. "
        f"{sum(known['onnx'] for known in verified)} of these are proven between ONNX forms, and {sum(known['level'] == 'native' for known in verified)} end to end: operators, steps spelled out, "
        "and loops.\n\n" + table(("conversion", "level", "between ONNX forms", "steps", "constants apart", "s proving", "what is missing"), lines)
    )  # fmt: skip


def _rows(cases: Sequence[tuple[str, str, str]]) -> list[tuple[str, dict[str, Any]]]:
    """What is said of each conversion; those not run before are run."""
    prover = _digest()
    rows = []
    for name, source, target in cases:
        kept = FOLDER / f"{name}-{source}-{target}.json"
        known = json.loads(kept.read_text()) if kept.exists() else {}
        if not known:
            known = {"prover": prover, **_conversion(ensure(name, source), target)}
        elif known.get("prover") != prover and known["exit"] == 0:
            known |= {"prover": prover, **_again(ensure(name, source), target)}
        kept.write_text(json.dumps(known, indent=1))
        print(name, source, target, known["exit"], known.get("level", ""), known.get("reason", "")[:120], flush=True)
        rows.append((f"{name}, {source} → {target}", known))
    return rows


def _conversion(path: Path, target: str) -> dict[str, Any]:
    out = _out(path, target)
    options = ConvertOptions(path, target, out, data=DataOptions(limit=24))
    began = time.monotonic()
    try:
        with open_run(_settings(), Phases()) as run:
            found = convert(run, options)
            if found.exit_code is not ExitCode.VERIFIED:
                return {"exit": int(found.exit_code), "reason": found.reason}
            made = found.decisive.candidate.path
            file = (made, target)
            record = prove_pair(run, found.source, found.verification, found.exporter, file, options.verify).record
            proving = proof_seconds(run.phases.seconds)
            forms = record
            if record.level is ProofLevel.NATIVE:
                checked = (found.exporter, found.verification)
                check, verification = exporters_forms(run, found.source, checked, file, options.verify)
                forms = prove_forms(run, found.source, verification, check)
            _keep(found.source, found.verification, found.exporter, out, made)
    except SafeconvertError as error:
        return {"exit": int(error.exit_code), "reason": error.message}
    unproven = forms.unproven[:1]
    return {
        "exit": 0, "level": record.level.value, "onnx": forms.level is not ProofLevel.SAMPLED,
        "reason": record.reason if record.level is not ProofLevel.SAMPLED else forms.reason, "apart": record.apart,
        "steps": len(record.document.get("steps", ())), "proving": round(proving, 2), "seconds": round(time.monotonic() - began, 1),
        "missing": "".join(f"{one['operator']} {one['target']}: {one['missing']}" for one in unproven)[:200],
        "same": "one and the same ONNX graph" in forms.reason,
    }  # fmt: skip


def _again(path: Path, target: str) -> dict[str, Any]:
    """What the prover says now of a conversion that was run before, from its files. A graph that was read counts where it gives what the exporter's gives."""
    base = _out(path, target)
    contract = Contract.from_json(json.loads(Path(f"{base}.json").read_text()))
    forms = [onnx.load(f"{base}.{side}.onnx") for side in ("source", "target")]
    began = time.monotonic()
    found, level, reason = prove(forms[0], forms[1], contract), ProofLevel.SAMPLED, ""
    try:
        read = [
            onnx.load(file) if file.suffix == ".onnx" else read_native(file, detect(file).format)
            for file in (path, base)
        ]
        if all(_alike(one, two) for one, two in zip(read, forms, strict=True)):
            whole = prove(read[0], read[1], _renamed(contract, read[0], read[1]))
            level, reason = (ProofLevel.NATIVE, "") if whole.proven else (level, whole.reason)
    except Refused as error:
        reason = str(error)
    one_graph = found.proven and (found.same_file or same_structure(tidy(forms[0]), tidy(forms[1])))
    if level is ProofLevel.SAMPLED and found.proven and not one_graph:
        level, reason = ProofLevel.ONNX, f"not end to end: {reason}"
    shown = found if level is not ProofLevel.NATIVE else whole
    return {
        "level": level.value, "onnx": found.proven, "same": one_graph, "reason": reason, "apart": shown.apart,
        "steps": len(shown.document.get("steps", ())), "proving": round(time.monotonic() - began, 2),
        "missing": "".join(f"{one.operator} {one.target}: {one.missing}" for one in found.unproven[:1])[:200],
    }  # fmt: skip


def _alike(one: onnx.ModelProto, two: onnx.ModelProto) -> bool:
    """Whether two graphs give the same on a few random inputs."""
    draw, feeds = np.random.default_rng(0), []
    for value in one.graph.input:
        shape = [d.dim_value or 3 for d in value.type.tensor_type.shape.dim]
        feeds.append(draw.normal(size=shape).astype(np.float32))
    results = []
    for model in (one, two):
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        results.append(session.run(None, dict(zip([i.name for i in session.get_inputs()], feeds, strict=True))))
    return all(np.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in zip(*results, strict=True))


def _renamed(contract: Contract, source: onnx.ModelProto, target: onnx.ModelProto) -> Contract:
    """The contract of two other graphs, whose tensors are in the same order."""

    def tensors(known: Any, ours: Any, theirs: Any) -> tuple[TensorContract, ...]:
        return tuple(
            TensorContract(TensorSpec(a.name, (), ""), TensorSpec(b.name, (), ""), one.permutation, "in order")
            for one, a, b in zip(known, ours, theirs, strict=True)
        )

    return Contract(
        tensors(contract.inputs, source.graph.input, target.graph.input),
        tensors(contract.outputs, source.graph.output, target.graph.output), (),
    )  # fmt: skip


def _out(path: Path, target: str) -> Path:
    return FOLDER / f"{path.name}-to-{target}{SUFFIX[target]}"


def _settings() -> Settings:
    """The defaults, without a search for inputs on which both models differ: it costs time, and proves nothing."""
    found = load_settings()
    return replace(found, inputs=replace(found.inputs, search_rounds=0))


def _keep(source: Source, verification: Verification, check: ExporterCheck, target: Path, made: Path) -> None:
    """The target, both ONNX forms and their contract, so that the prover can be worked on without converting again."""
    if made.is_file():
        shutil.copy(made, target)
    else:
        shutil.copytree(made, target, dirs_exist_ok=True)
    for side, path in (("source", source.exported.path), ("target", verification.exported.path)):
        if path is not None:
            shutil.copy(path, f"{target}.{side}.onnx")
    Path(f"{target}.json").write_text(json.dumps(forms_contract(source, verification, check).to_json()))


def _digest() -> str:
    """Of the files that prove, so that what other code proved is not taken for this one's."""
    total = hashlib.sha256()
    for path in sorted((ROOT / "safeconvert").rglob("*.py")):
        if any(part in path.as_posix() for part in PROVER):
            total.update(path.read_bytes())
    return total.hexdigest()[:16]

"""The certificate's content: what was converted, how, what it was held against, and what came of it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safeconvert import __version__
from safeconvert.adapter_api.protocol import WHOLE
from safeconvert.certificate.digest import digest
from safeconvert.certify.environment import versions
from safeconvert.compare.comparison import Comparison
from safeconvert.compare.layout import TensorContract
from safeconvert.compare.settings import VerifySettings
from safeconvert.errors import AdapterFailure, ExitCode, SafeconvertError, UnusableInput
from safeconvert.pipeline.results import Attempt, Conversion, PairVerification
from safeconvert.registry.manifest import Adapter, framework, package_names
from safeconvert.repair.types import Diagnosis, PreprocessingFault
from safeconvert.verification.cross_pairs import cross_pairs
from safeconvert.verification.source import Source
from safeconvert.verification.types import ExporterCheck, Verification
from safeconvert.workers.engine import ask_engine
from safeconvert.workers.run import Context

SCHEMA = 1


_VERDICTS = {
    ExitCode.VERIFIED: "verified",
    ExitCode.NOT_EQUIVALENT: "not_equivalent",
    ExitCode.NO_ROUTE: "no_route",
    ExitCode.NO_VERDICT: "no_verdict",
}


def of_conversion(context: Context, conversion: Conversion, target: Path, folder: Path) -> dict[str, Any]:
    """The predicate of a conversion whose target (verified or rejected) lies at `target`, for a certificate in `folder`."""
    decisive = conversion.decisive
    route = decisive.route
    formats = list(zip(route.formats, route.formats[1:], strict=False)) if route.adapters else []
    own = {name: _argument(value) for name, value in conversion.options.arguments.items()}
    predicate = _common(
        context, conversion.source, target, conversion.options.target_format, conversion.options.verify, conversion.exporter,
        decisive.verification, list(route.adapters), folder,
    )  # fmt: skip
    return predicate | {
        "verdict": _VERDICTS[conversion.exit_code],
        "reason": conversion.reason,
        "route": [
            {
                "adapter": adapter.name,
                "from": before,
                "to": after,
                "packages": versions(context, adapter.packages, adapter.python),
                **({"arguments": own} if own and position == len(formats) else {}),
            }
            for position, (adapter, (before, after)) in enumerate(zip(route.adapters, formats, strict=True), start=1)
        ],
        "attempts": [_attempt(attempt) for attempt in conversion.attempts],
        "seconds": predicate["seconds"] | _seconds(conversion.attempts),
        **({"obstacles": list(conversion.obstacles)} if conversion.obstacles else {}),
        **({"offers": [asdict(offer) for offer in conversion.offers]} if conversion.offers else {}),
        **_diagnosis(decisive.diagnosis, decisive.lift),
        **_deployment(predicate, decisive, conversion.preprocessing),
        "notes": list(decisive.candidate.reply.notes) if decisive.candidate is not None else [],
    }


def of_pair(context: Context, pair: PairVerification, folder: Path) -> dict[str, Any]:
    """The predicate of a verification of a pair made elsewhere, for a certificate that lies in `folder`."""
    predicate = _common(
        context, pair.source, pair.target.path, pair.target.format, pair.options.verify, pair.exporter,
        pair.verification, [], folder,
    )  # fmt: skip
    return predicate | {
        "verdict": _VERDICTS[pair.exit_code],
        "reason": pair.verification.reason,
        "route": [],
        "attempts": [],
        "notes": [],
    }


def _common(
    context: Context,
    source: Source,
    target: Path,
    target_format: str,
    settings: VerifySettings,
    exporter: ExporterCheck,
    verification: Verification | None,
    route: list[Adapter],
    folder: Path,
) -> dict[str, Any]:
    frameworks = [framework(source.file.format, context.adapters), framework(target_format, context.adapters)]
    packages = package_names([*frameworks, *route, framework("onnx", context.adapters)])
    with context.phases.phase("hashing"):
        hashed = {
            "source": _source(context, source, folder),
            "target": _file(context, target, folder, target_format),
        }
        inputs_digest = source.data.inputs.digest()
    return {
        "schema": SCHEMA,
        "tool": {"name": "safeconvert", "version": __version__},
        **hashed,
        "inputs": {
            "origin": source.data.inputs.origin,
            "sha256": inputs_digest,
            "count": source.data.inputs.count,
            "used": len(source.steering) + len(source.held_out),
            "held_out": len(source.held_out),
            "split_seed": source.data.seed,
            "kinds": list(source.data.inputs.kinds),
        },
        "contract": _contract(source, verification),
        "comparator": {
            "name": settings.comparator or "by output",
            "tolerances": asdict(settings.tolerance),
            "per_output": {name: asdict(tolerance) for name, tolerance in settings.tolerances.items()},
            "top_k": settings.top_k,
            "cosine_threshold": settings.cosine_threshold,
            "max_discrepancy": settings.max_discrepancy,
        },
        "verification": _pairs(source, settings, exporter, verification),
        "structure": _structure(context, source, verification),
        "exporters": {
            "source": _exporter(exporter),
            "target": _exporter(verification.exporter if verification is not None else None),
        },
        "faults": [],
        "trials": [],
        "obligations": list(verification.contract.obligations) if verification is not None else [],
        "environment": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            "cpus": os.cpu_count(),
            "packages": versions(context, packages),
        },
        "seconds": dict(sorted(context.phases.seconds.items())),
    }


def _structure(context: Context, source: Source, verification: Verification | None) -> str:
    """`equivalent` where both ONNX forms are the same graph with equal weights, `different`, or `unknown`."""
    if verification is None or source.exported.path is None or verification.exported.path is None:
        return "unknown"
    arguments = {"source": str(source.exported.path), "target": str(verification.exported.path)}
    try:
        with context.phases.phase("comparing structures"):
            same = ask_engine(context, "structure", "comparing structures", arguments)
    except SafeconvertError:
        return "unknown"  # one of them is no graph that can be tidied; the verdict does not rest on it
    return "equivalent" if same else "different"


def _file(context: Context, path: Path, folder: Path, format_name: str) -> dict[str, Any]:
    """A model's digest, and under "files" those of the files beside it that hold a part of it."""
    entry = _digest(path, folder) | {"format": format_name}
    beside = _external_files(context, path) if format_name == "onnx" else _checkpoint_files(path)
    return entry | {"files": [_digest(path.parent / name, folder) for name in beside]}


def _source(context: Context, source: Source, folder: Path) -> dict[str, Any]:
    """The source's file, and which part of it was meant where that was not all."""
    entry = _file(context, source.file.path, folder, source.file.format)
    part = source.request.part
    return entry if part == WHOLE else entry | {"part": asdict(part)}


def _checkpoint_files(path: Path) -> list[str]:
    """The index and the data beside a checkpoint's `.meta`, by name."""
    if path.suffix != ".meta":
        return []
    stem = path.name.removesuffix(".meta")
    return sorted(
        file.name
        for file in path.parent.iterdir()
        if file.name == f"{stem}.index" or file.name.startswith(f"{stem}.data-")
    )


def _argument(value: Any) -> Any:
    """A converter's argument; a file is named by its digest, since certificates hold no absolute path."""
    if isinstance(value, str) and Path(value).is_absolute() and Path(value).exists():
        return f"sha256:{digest(Path(value)).sha256}"
    return value


def _digest(path: Path, folder: Path) -> dict[str, Any]:
    """A file's digest, its path relative to the folder of the certificate."""
    found = digest(path)
    relative = Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    return {"path": relative, "sha256": found.sha256, "kind": found.kind}


def _external_files(context: Context, path: Path) -> list[str]:
    """Files beside an .onnx that hold a part of it, by name."""
    request = {
        "op": "call",
        "adapter": str(framework("onnx", context.adapters).folder),
        "function": "external_files",
        "arguments": {"path": str(path)},
    }
    try:
        return list(context.pool.worker("onnx").call("onnx", f"reading {path.name}", request))
    except (AdapterFailure, UnusableInput):
        return []  # a rejected file that is no whole ONNX file


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "route": list(attempt.route.names),
        "outcome": attempt.outcome,
        "reason": attempt.reason,
        "lift": attempt.lift,
        "figures": _brief(attempt.verification.native) if attempt.verification is not None else None,
    }


def _seconds(attempts: Sequence[Attempt]) -> dict[str, float]:
    """How long each route took, from its start to its verdict."""
    return {f"route {attempt.route}": attempt.seconds for attempt in attempts if attempt.seconds}


def _deployment(predicate: dict[str, Any], decisive: Attempt, deployed: PreprocessingFault | None) -> dict[str, Any]:
    """What the target must be fed. A preprocessing fault goes after the engine's faults: trials point at theirs."""
    faults = list(decisive.diagnosis.faults) if decisive.diagnosis is not None else []
    obligations = list(predicate["obligations"])
    obligations += decisive.candidate.reply.obligations if decisive.candidate is not None else ()
    if deployed is not None:
        faults.append(deployed.fault)
        if not decisive.obligation:
            obligations.append(deployed.obligation)
    if decisive.obligation:
        obligations.append(decisive.obligation)
    return {"faults": faults, "obligations": obligations}


def _diagnosis(diagnosis: Diagnosis | None, lift: str) -> dict[str, Any]:
    """Faults and trials, and how the repair came into the target."""
    if diagnosis is None:
        return {}
    return {
        "faults": list(diagnosis.faults),
        "trials": list(diagnosis.trials),
        "repair": {
            "before": diagnosis.before,
            "after": diagnosis.after,
            "rounds": diagnosis.rounds,
            "ended": diagnosis.ended,
            "lift": lift,
        },
        "layers": list(diagnosis.layers),
        "unranked": diagnosis.unranked,
        "reexpressions": list(diagnosis.reexpressions),
    }


def _contract(source: Source, verification: Verification | None) -> dict[str, Any]:
    preprocessing = source.data.inputs.preprocessing
    described: dict[str, Any] = {"preprocessing": asdict(preprocessing) if preprocessing is not None else None}
    if verification is None:
        return described | {"inputs": [], "outputs": []}
    agreed = verification.contract
    return described | {"inputs": list(map(_tensor, agreed.inputs)), "outputs": list(map(_tensor, agreed.outputs))}


def _tensor(tensor: TensorContract) -> dict[str, Any]:
    return {
        "source": asdict(tensor.source),
        "target": asdict(tensor.target),
        "permutation": list(tensor.permutation) if tensor.permutation is not None else None,
        "reason": tensor.reason,
    }


def _pairs(
    source: Source, settings: VerifySettings, exporter: ExporterCheck, verification: Verification | None
) -> dict[str, Any]:
    pairs: dict[str, Comparison | None] = {
        "source native vs target native": verification.native if verification is not None else None,
        "source native vs source ONNX": exporter.figures,
        "target native vs target ONNX": verification.exporter.figures if verification is not None else None,
    }
    found = {name: figures.to_json() for name, figures in pairs.items() if figures is not None}
    if verification is not None:
        crossing = cross_pairs(
            verification.contract, source.outputs, verification.outputs, exporter, verification.exporter,
            source.data.chunks, settings, source.held_out,
        )  # fmt: skip
        found |= {name: _brief(figures) for name, figures in crossing.items()}
    return found


def _brief(figures: Comparison) -> dict[str, Any]:
    """Figures without the list of samples, which is given where the verdict rests on them."""
    return {key: value for key, value in figures.to_json().items() if key != "disagreeing"}


def _exporter(check: ExporterCheck | None) -> dict[str, str]:
    if check is None:
        return {"adapter": "", "verdict": "none", "reason": "no target could be held against the source"}
    return {"adapter": check.adapter, "verdict": check.verdict, "reason": check.reason}

"""What a certificate states of a run beside its results: digests of the files, versions, the structures, the other pairs."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safeconvert.certificate.digest import FileDigest, digest
from safeconvert.compare.comparison import Comparison
from safeconvert.core.containment import Level, Mode, weakest
from safeconvert.core.proof import ProofRecord
from safeconvert.pipeline.results import Conversion, PairVerification
from safeconvert.registry.manifest import Adapter, framework, package_names
from safeconvert.repair.float_target import quantizing_adapter
from safeconvert.verification.cross_pairs import cross_pairs
from safeconvert.verification.proof import prove_pair
from safeconvert.verification.snapshot import external_files
from safeconvert.verification.structure import Structure, compare_structures
from safeconvert.verification.types import ExporterCheck
from safeconvert.workers.run import Run
from safeconvert.workers.versions import versions


@dataclass(frozen=True)
class ModelRecord:
    """A model's file.

    Attributes:
        file: its digest.
        format: its format.
        beside: digests of the files beside it that hold a part of it.
    """

    file: FileDigest
    format: str
    beside: tuple[FileDigest, ...]


@dataclass(frozen=True)
class Environment:
    """Where a run took place; versions by package."""

    python: str
    platform: str
    cpus: int | None
    packages: Mapping[str, str]


@dataclass(frozen=True)
class Contained:
    """What kept the workers from the user's files, the network and other processes.

    Attributes:
        mode: what was requested.
        level: the weakest of all workers.
        lacking: what did not hold, in words.
        workers: by role, what held.
    """

    mode: Mode
    level: Level
    lacking: tuple[str, ...]
    workers: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Provenance:
    """All that a certificate states beside a run's results.

    Attributes:
        source, target: the files.
        inputs: digest of the inputs.
        arguments: the last converter's own; a file among them is named by its digest.
        converters: versions by package, for each converter of the route.
        environment: of the run.
        structure: how the two ONNX forms compare as graphs.
        proof: what is proven of the pair beyond the inputs that were tried.
        source_form, target_form: what became of their ONNX forms; None where there is no target to compare.
        containment: what kept the workers from the user's files and the network.
        cross_pairs: figures of the pairs that cross sides and forms, by name.
        seconds: what each phase took.
    """

    source: ModelRecord
    target: ModelRecord
    inputs: str
    arguments: Mapping[str, Any]
    converters: tuple[Mapping[str, str], ...]
    environment: Environment
    structure: Structure
    proof: ProofRecord
    source_form: ExporterCheck
    target_form: ExporterCheck | None
    containment: Contained
    cross_pairs: Mapping[str, Comparison]
    seconds: Mapping[str, float]


def record_provenance(run: Run, result: Conversion | PairVerification, made: Path, target: Path) -> Provenance:
    """Take it down, while the run's workers and files are there.

    Args:
        run: the surroundings.
        result: what the run came to.
        made: where the target lies, verified or rejected.
        target: where it belongs.

    Raises:
        UnusableInput: a file cannot be read.
        AdapterFailure: the versions cannot be read.
    """
    source, route = result.source, result.route
    frameworks = [framework(name, run.adapters) for name in (source.file.format, result.target_format)]
    packages = package_names([*frameworks, *route.adapters, framework("onnx", run.adapters), *_quantizers(run, result)])
    with run.phases.phase("hashing"):
        whole = source.file.whole
        ours = _model(run, whole.path, whole.named, whole.format)
        theirs = _model(run, made, target, result.target_format)
    proved = prove_pair(
        run, source, result.verification, result.exporter, (made, result.target_format), result.settings
    )
    verification = proved.verification
    crossing = cross_pairs(source, verification, proved.source, result.settings) if verification is not None else {}
    structure = compare_structures(
        run, source, verification, ours.file.sha256 == theirs.file.sha256, route.names[-1] if route.adapters else ""
    )
    converters = tuple(versions(run, adapter.packages, adapter.python) for adapter in route.adapters)
    return Provenance(
        source=ours,
        target=theirs,
        inputs=source.data.sha256,
        arguments={name: _argument(value) for name, value in result.arguments.items()},
        converters=converters,
        environment=Environment(
            platform.python_version(), platform.platform(), os.cpu_count(), versions(run, packages)
        ),
        structure=structure,
        proof=proved.record,
        source_form=proved.source,
        target_form=verification.exporter if verification is not None else None,
        containment=_contained(run),
        cross_pairs=crossing,
        seconds=dict(sorted(run.phases.seconds.items())),
    )


def _quantizers(run: Run, result: Conversion | PairVerification) -> list[Adapter]:
    """The adapter whose worker calibrated the target, where one did."""
    record = result.quantization if isinstance(result, Conversion) else None
    return [quantizing_adapter(run, result.target_format)] if record is not None and record.inputs else []


def _contained(run: Run) -> Contained:
    held = run.pool.held
    lacking = sorted({lack for each in held.values() for lack in each.lacking})
    level = weakest(each.level for each in held.values())
    return Contained(run.pool.mode, level, tuple(lacking), {role: each.to_json() for role, each in held.items()})


def _model(run: Run, path: Path, named: Path, format_name: str) -> ModelRecord:
    """A model that is read at `path`, and `named` where the user has it."""
    names = external_files(run, path) if format_name == "onnx" else _checkpoint_files(path)
    beside = tuple(replace(digest(path.parent / name), path=named.parent / name) for name in names)
    return ModelRecord(replace(digest(path), path=named), format_name, beside)


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

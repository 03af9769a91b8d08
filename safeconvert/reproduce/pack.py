"""Each fault of a certificate as a folder to attach to an issue: a graph with its data, a program, a text."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError

from safeconvert.certificate.archive import NoEvidence, read
from safeconvert.certificate.check import read_certificate
from safeconvert.certificate.untrusted_json import mapping, mappings, number
from safeconvert.config.settings import Settings
from safeconvert.core import paths
from safeconvert.core.progress import Phases
from safeconvert.core.text import first_line
from safeconvert.errors import AdapterFailure, SafeconvertError, UnusableInput
from safeconvert.graph.opset import at_most
from safeconvert.registry.manifest import Adapter
from safeconvert.reproduce import scripts
from safeconvert.reproduce.issue import Facts, issue
from safeconvert.reproduce.names import plainly_named
from safeconvert.reproduce.regions import FaultRegion, Level, fault_regions
from safeconvert.reproduce.types import Packed, Tried
from safeconvert.workers.requests import CallFunction, LoadAdapter, ReadVersions
from safeconvert.workers.run import Run, open_run

_RUNNER = Path(__file__).parent / "runner"


_OUTCOMES = {0: "right", 1: "wrong", 3: "not reached"}


_TORCH_OPSET = 17  # the highest that onnx2torch reads all of


_DEFAULT = {"rtol": 1e-4, "atol": 1e-5}


def pack(certificate: Path, folder: Path | None, every: bool, settings: Settings, phases: Phases) -> list[Packed]:
    """Write the faults of a certificate that are not repaired, each region of the graph into a folder of its own.

    Of each region the raw converter is run on the smallest graph first, then on those with more of the source in front;
    the first on which it goes wrong is packed. Where it does on none, the smallest is packed and the text says so.

    Args:
        certificate: whose evidence lies beside it.
        folder: where the folders go; None: `<target>.issues` beside the certificate.
        every: also faults that were repaired.
        settings, phases: of the run.

    Raises:
        UnusableInput: no certificate, or no evidence with it, or the folder cannot be written.
        NotEquivalent: the certificate is damaged.
    """
    content = read_certificate(certificate)
    try:
        evidence = read(certificate, content.get("evidence"))
    except NoEvidence as error:
        raise UnusableInput(
            f"{certificate}: nothing can be packed: {error}", "keep the evidence file beside the certificate"
        ) from error
    regions = fault_regions(content, evidence, every)
    if not regions:
        return []
    stem = certificate.name.removesuffix(".json").removesuffix(".certificate")
    path = folder if folder is not None else certificate.with_name(f"{stem}.issues")
    with open_run(settings, phases) as run:
        packer = _Packer(run, content, certificate)
        return [packer.region(region, path) for region in regions]


class _Packer:
    """Packs the regions of one certificate; converters are loaded once."""

    def __init__(self, run: Run, content: Mapping[str, Any], certificate: Path) -> None:
        self._run = run
        self._content = content
        self._known = {adapter.name: adapter for adapter in run.adapters}
        names = [str(step.get("adapter")) for step in mappings(content.get("route"))]
        self._route = [self._known[name] for name in names if name in self._known]
        format_name = str(mapping(content.get("target")).get("format"))
        self._chains = scripts.chains(self._route, format_name)
        self._facts = Facts(content, certificate.name, [adapter.name for adapter in self._route])
        self._loaded: dict[str, str] = {}

    def region(self, region: FaultRegion, path: Path) -> Packed:
        """Try and write one region."""
        first = region.faults[0]
        label = re.sub(r"[^A-Za-z0-9]+", "-", f"{first.kind}-{first.operator}")[:40].strip("-")
        folder = path / f"fault-{first.position + 1}-{label}"
        tried: list[Tried] = []
        try:
            paths.remove(folder)
            folder.mkdir(parents=True)
            program = self._search(region, folder, tried)
        except OSError as error:
            raise UnusableInput(f"{folder}: cannot be written: {error.strerror}", "name another with -o") from error
        wrong = next((one for one in tried if one.outcome == "wrong"), None)
        title, text = issue(self._facts, region, tried, wrong, program, self._versions(wrong))
        (folder / "issue.md").write_text(text, encoding="utf-8")
        return Packed(folder, tuple(fault.position for fault in region.faults), title, tuple(tried), wrong)

    def _search(self, region: FaultRegion, folder: Path, tried: list[Tried]) -> str:
        """Write levels until one goes wrong; its program, or that which only compares; "" where there is no level."""
        title = _plain(f"{region.faults[0].kind} fault at {region.faults[0].operator}")
        for chain in self._chains:
            for level in region.levels:
                reason = self._load(chain)
                if reason or not _write(level, folder, "onnx2torch" in chain.adapters):
                    message = reason or "its graph cannot be read"
                    tried.append(Tried(chain.subject, level.operators, "not tried", message))
                    continue
                program = scripts.program(chain, title, self._tolerances())
                (folder / "reproduce.py").write_text(program, encoding="utf-8")
                with self._run.phases.phase(f"running {chain.subject} on {len(level.operators)} nodes"):
                    tried.append(self._try(chain, level, folder))
                if tried[-1].outcome == "wrong":
                    return program
        (folder / "reproduce.py").unlink(missing_ok=True)
        if not region.levels or not _write(region.levels[0], folder, False):
            return ""
        if not region.target:
            return ""
        (folder / "target.onnx").write_bytes(region.target)
        program = scripts.forms(title, self._tolerances())
        (folder / "reproduce.py").write_text(program, encoding="utf-8")
        return program

    def _try(self, chain: scripts.Chain, level: Level, folder: Path) -> Tried:
        copy = self._run.folder("pack") / "region"  # workers read and write nothing of the user's
        shutil.copytree(folder, copy)
        request = CallFunction(_RUNNER, "run", {"path": copy / "reproduce.py"})
        try:
            answer = self._run.pool.worker("pack").call(chain.subject, "converting a region", request)
        except SafeconvertError as error:
            self._loaded.clear()  # it may have died
            return Tried(chain.subject, level.operators, "fails", first_line(error.cause))
        return Tried(chain.subject, level.operators, _OUTCOMES.get(answer["code"], "fails"), answer["message"])

    def _load(self, chain: scripts.Chain) -> str:
        """Import the converters of a chain as their adapters do, which makes up for what keeps them from loading; why not."""
        for name in chain.adapters:
            if name not in self._known:
                return f"no adapter is named {name}"
            if name not in self._loaded:
                request = LoadAdapter(self._known[name].folder)
                try:
                    self._run.pool.worker("pack").call(name, "loading", request)
                    self._loaded[name] = ""
                except AdapterFailure as failure:
                    self._loaded[name] = f"{name} does not load here: {failure.cause}"
            if self._loaded[name]:
                return self._loaded[name]
        return ""

    def _versions(self, wrong: Tried | None) -> dict[str, str]:
        """Versions of what was run here, or else of what made the target."""
        chain = next((c for c in self._chains if wrong is not None and c.subject == wrong.subject), None)
        used: Sequence[Adapter] = [self._known[name] for name in chain.adapters] if chain else self._route
        names = sorted({package for adapter in used for package in adapter.packages} | {"onnx", "numpy"})
        try:
            found = self._run.pool.worker("pack").call("safeconvert", "reading versions", ReadVersions(names))
        except AdapterFailure:
            return {}
        return {name: str(version) for name, version in found.items() if version is not None}

    def _tolerances(self) -> dict[str, float]:
        tolerances = mapping(mapping(self._content.get("comparator")).get("tolerances"))
        found = {key: number(tolerances.get(key)) for key in _DEFAULT}
        return {
            key: value if value is not None and math.isfinite(value) and value >= 0 else _DEFAULT[key]
            for key, value in found.items()
        }


def _write(level: Level, folder: Path, for_torch: bool) -> bool:
    """Write a level's files; False where its graph cannot be read. Names are made such that every framework takes them."""
    try:
        model = plainly_named(onnx.load_model_from_string(level.files["model.onnx"]))
        onnx.checker.check_model(at_most(model, _TORCH_OPSET) if for_torch else model)
    except (DecodeError, onnx.checker.ValidationError, ValueError):
        return False
    for name, data in level.files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    onnx.save(at_most(model, _TORCH_OPSET) if for_torch else model, folder / "model.onnx")
    return True


def _plain(text: str) -> str:
    """Text that may stand in a program's docstring, whoever wrote it."""
    return re.sub(r"[^A-Za-z0-9 .,:_-]+", " ", text).strip()

"""The regions of an evidence file that show faults, and the graphs within, read as content of unknown origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from safeconvert.certificate.archive import Evidence
from safeconvert.certificate.faults import FaultState, read_faults
from safeconvert.certificate.untrusted_json import mappings, numbers, sequence

DATA = "test_data_set_0"
_DONE = ("repaired", "kept", "deployment")


@dataclass(frozen=True)
class Level:
    """The source's side of a region, with some of what lies in front.

    Attributes:
        operators: of its nodes.
        files: by their names in the folder: `model.onnx` and the data set.
    """

    operators: tuple[str, ...]
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class FaultRegion:
    """One place where a target differs, and the faults there.

    Attributes:
        faults: those that were asked for.
        levels: the smallest first; empty where none was kept.
        target: the target's nodes of the region as a model; b"" where none was kept.
        left_out: why there is nothing; "" otherwise.
    """

    faults: tuple[FaultState, ...]
    levels: tuple[Level, ...]
    target: bytes
    left_out: str


def fault_regions(predicate: Mapping[str, Any], evidence: Evidence, every: bool) -> list[FaultRegion]:
    """The regions of the faults that are not repaired, or of every fault; each fault once.

    Preprocessing faults lie in no graph, and layers that are kept in fewer bits are none.
    """
    known = read_faults(predicate)
    wanted = {
        fault.position: fault
        for fault in known
        if fault.state not in _DONE or (every and fault.state == "repaired")
    }  # fmt: skip
    found = []
    for entry in mappings(evidence.content.get("regions")):
        here = [wanted.pop(number) for number in numbers(entry.get("faults")) if number in wanted]
        if here:
            folder = str(entry.get("folder"))
            levels = [_level(evidence, folder, level) for level in mappings(entry.get("levels"))]
            left_out = str(entry.get("left_out") or "")
            target = evidence.files.get(f"{folder}/target.onnx", b"")
            found.append(FaultRegion(tuple(here), tuple(level for level in levels if level), target, left_out))
    reason = "the evidence holds no region of it"
    return found + [FaultRegion((fault,), (), b"", reason) for fault in wanted.values()]


def _level(evidence: Evidence, folder: str, entry: Mapping[str, Any]) -> Level | None:
    prefix = f"{folder}/{entry.get('folder')}/"
    files = {
        name.removeprefix(prefix): data
        for name, data in evidence.files.items()
        if name.startswith(prefix) and _known(name.removeprefix(prefix))
    }
    whole = {"model.onnx", f"{DATA}/output_0.pb"} <= files.keys()
    return Level(_operators(entry), files) if whole else None


def _operators(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(operator) for operator in sequence(entry.get("operators")))


def _known(name: str) -> bool:
    """Whether a file is one that a level has: evidence chooses no names of its own."""
    path = PurePosixPath(name)
    role, _, number = path.stem.partition("_")
    data = (
        path.parent.as_posix() == DATA and path.suffix == ".pb" and role in ("input", "output") and number.isdecimal()
    )
    return name == "model.onnx" or data

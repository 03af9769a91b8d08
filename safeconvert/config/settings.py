"""The defaults of `configs/default.toml`, overlaid by a file of the user's."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from safeconvert.config.gate_settings import KEYS as GATE_KEYS
from safeconvert.config.gate_settings import GateSettings
from safeconvert.config.project_file import Project, read_table, refuse_code, refuse_weaker
from safeconvert.core.containment import Mode
from safeconvert.core.faults import FaultKind
from safeconvert.core.files import is_folder
from safeconvert.core.resources import data_folder
from safeconvert.core.runtimes import DECIDING, Runtime
from safeconvert.core.text import suggest
from safeconvert.errors import UnusableInput
from safeconvert.localize.settings import RepairSettings


@dataclass(frozen=True)
class LimitSettings:
    """Bounds on workers and routes; see default.toml."""

    seconds: float
    memory_share: float
    routes: int
    containment: str = Mode.AUTO


@dataclass(frozen=True)
class InputSettings:
    """How inputs are made and split; see default.toml."""

    generated: int
    chunk: int
    held_out: float
    seed: int
    joined: int
    least_held_out: int
    search_rounds: int
    search_batch: int
    first: int
    search: float | None = None


@dataclass(frozen=True)
class CompareSettings:
    """Tolerances; see default.toml."""

    rtol: float
    atol: float
    top_k: int
    cosine_threshold: float
    max_discrepancy: float
    rounding: float


@dataclass(frozen=True)
class LogSettings:
    """What is kept of logs; see default.toml."""

    kept: int


@dataclass(frozen=True)
class AdapterSettings:
    """Where adapters lie besides the built-in ones, and where optional ones run; see default.toml."""

    folders: tuple[Path, ...]
    environments: Path | None = None
    python: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class TfliteSettings:
    """How TFLite files are made and run; see default.toml."""

    select_tf_ops: bool
    runtime: str = Runtime.LITERT


@dataclass(frozen=True)
class QuantizeSettings:
    """How targets are quantised; see default.toml."""

    calibration: int
    aimed_fall: float
    aimed_share: float


@dataclass(frozen=True)
class Settings:
    """All settings of a run."""

    limits: LimitSettings
    inputs: InputSettings
    verify: CompareSettings
    logs: LogSettings
    repair: RepairSettings
    adapters: AdapterSettings
    tflite: TfliteSettings
    quantize: QuantizeSettings
    gate: GateSettings


_SECTIONS: dict[str, type[Any]] = {
    "limits": LimitSettings,
    "inputs": InputSettings,
    "verify": CompareSettings,
    "logs": LogSettings,
    "repair": RepairSettings,
    "adapters": AdapterSettings,
    "tflite": TfliteSettings,
    "quantize": QuantizeSettings,
    "gate": GateSettings,
}

# What a number may be; elsewhere zero or more.
_BOUNDS: dict[str, tuple[float, float]] = {
    "limits.seconds": (1, math.inf),
    "limits.memory_share": (0.01, 1),
    "limits.routes": (1, math.inf),
    "inputs.generated": (1, math.inf),
    "inputs.chunk": (1, math.inf),
    "inputs.first": (1, math.inf),
    "inputs.held_out": (0, 1),
    "inputs.least_held_out": (1, math.inf),
    "inputs.search_batch": (1, math.inf),
    "verify.top_k": (1, math.inf),
    "verify.max_discrepancy": (0, 1),
    "verify.rounding": (0, 0.01),
    "quantize.calibration": (1, math.inf),
    "quantize.aimed_fall": (0, 1),
    "quantize.aimed_share": (0, 1),
    "gate.held_out": (1, math.inf),
    "gate.max_discrepancy": (0, 1),
    "gate.max_drop": (0, 1),
    "repair.probes": (1, math.inf),
    "repair.trial_inputs": (1, math.inf),
}


def load_settings(overlay: Path | None = None) -> Settings:
    """The defaults, with single keys replaced by those of a TOML file; its [flags] are for the command line.

    Raises:
        UnusableInput: the file cannot be read, or holds an unknown key or a value of another type; the message names it.
    """
    return _overlaid(overlay, read_table(overlay)) if overlay is not None else _overlaid(Path(), {})


def project_settings(project: Project | None) -> Settings:
    """The defaults, overlaid by the project's settings file.

    Raises:
        UnusableInput: as `load_settings`; or the file was found, is not trusted, and its [adapters] names code.
    """
    if project is None:
        return load_settings()
    adapters = project.table.get("adapters")
    for key, value in adapters.items() if isinstance(adapters, Mapping) else ():
        if value:
            refuse_code(project, f"adapters.{key}", str(value))
    limits = project.table.get("limits")
    if isinstance(limits, Mapping) and limits.get("containment") == Mode.OFF:
        refuse_weaker(project, "limits.containment")
    return _overlaid(project.path, project.table)


def _overlaid(path: Path, table: Mapping[str, Any]) -> Settings:
    defaults = data_folder("configs") / "default.toml"
    merged = {section: _checked(defaults, section, values) for section, values in read_table(defaults).items()}
    for section, values in table.items():
        if section == "flags":
            continue
        if section not in _SECTIONS:
            raise UnusableInput(f"{path}: unknown section [{section}]", suggest(section, [*_SECTIONS, "flags"]))
        merged[section] |= _checked(path, section, values)
    return Settings(**{section: kind(**merged[section]) for section, kind in _SECTIONS.items()})


def _checked(path: Path, section: str, values: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise UnusableInput(f"{path}: {section} is no table", f"write it as [{section}] with keys below")
    known = {field.name: field.type for field in fields(_SECTIONS[section])}
    checked: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            raise UnusableInput(f"{path}: unknown key {section}.{key}", suggest(key, list(known)))
        if section == "adapters":
            checked[key] = _ADAPTER_KEYS[key](path, key, value)
            continue
        if section == "gate" and key in GATE_KEYS:
            checked[key] = GATE_KEYS[key](path, value)
            continue
        if key == "strategies":
            if not isinstance(value, list) or not all(item in list(FaultKind) for item in value):
                raise UnusableInput(f"{path}: {section}.{key} = {value!r} is not a list of {', '.join(FaultKind)}")
            checked[key] = tuple(FaultKind(kind) for kind in value)
            continue
        if key == "containment":
            if value not in tuple(Mode):
                raise UnusableInput(f"{path}: {section}.{key} = {value!r} is none of {', '.join(Mode)}")
            checked[key] = str(value)
            continue
        if (section, key) == ("tflite", "runtime"):
            if value not in DECIDING:
                raise UnusableInput(f"{path}: {section}.{key} = {value!r} is none of {', '.join(DECIDING)}")
            checked[key] = str(value)
            continue
        if key == "core_layers":
            if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
                raise UnusableInput(f"{path}: {section}.{key} = {value!r} is not a list of ONNX operators")
            checked[key] = tuple(value)
            continue
        if str(known[key]) == "bool":
            if not isinstance(value, bool):
                raise UnusableInput(f"{path}: {section}.{key} = {value!r} is neither true nor false")
            checked[key] = value
            continue
        wanted: type[int] | type[float] = int if str(known[key]) == "int" else float
        low, high = _BOUNDS.get(f"{section}.{key}", (0, math.inf))
        allowed = (int, float) if wanted is float else (int,)
        if type(value) not in allowed or not (low <= value <= high and value < math.inf):
            bounds = f"{low} or more" if high == math.inf else f"{low} to {high}"
            raise UnusableInput(f"{path}: {section}.{key} = {value!r} is not a {known[key]} of {bounds}")
        checked[key] = wanted(value)
    return checked


def _folders(path: Path, key: str, value: object) -> tuple[Path, ...]:
    """Folders of adapters, taken relative to the file that names them."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UnusableInput(f"{path}: adapters.{key} = {value!r} is not a list of folders")
    found = tuple(path.absolute().parent / item for item in value)
    for folder in found:
        if not is_folder(folder):
            raise UnusableInput(f"{path}: adapters.{key} names {folder}, which is no folder")
    return found


def _environments(path: Path, key: str, value: object) -> Path | None:
    """The folder of environments, taken relative to the file that names it; None for the user's data folder."""
    if not isinstance(value, str):
        raise UnusableInput(f"{path}: adapters.{key} = {value!r} is no folder")
    return path.absolute().parent / value if value else None


def _interpreters(path: Path, key: str, value: object) -> dict[str, Path]:
    """Interpreters by adapter, taken relative to the file that names them."""
    if not isinstance(value, dict) or not all(isinstance(item, str) and item for item in value.values()):
        raise UnusableInput(
            f"{path}: adapters.{key} = {value!r} is no table of interpreters",
            'write it as { onnx2tf = "venv/bin/python" }',
        )
    # not resolved: an interpreter that is a link knows its environment by the link's own place
    return {name: Path(os.path.normpath(path.absolute().parent / item)) for name, item in value.items()}


_ADAPTER_KEYS: dict[str, Callable[[Path, str, object], object]] = {
    "folders": _folders,
    "environments": _environments,
    "python": _interpreters,
}

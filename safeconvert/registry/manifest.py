"""Manifests → adapters → routes. Reads `adapter.toml` files; imports no adapter.

An adapter is a folder with `adapter.toml` and `adapter.py`. The built-in ones lie in `adapters/` beside the package (in
a wheel: inside it); third parties add folders through the entry-point group `safeconvert.adapters`, whose value is a
module that lies in the folder of adapters.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from safeconvert.core.documents import read_toml
from safeconvert.core.formats import FORMATS
from safeconvert.core.resources import data_folder
from safeconvert.errors import UnusableInput
from safeconvert.rewrite import rules


def package_names(adapters: Sequence[Adapter]) -> list[str]:
    """The distributions that adapters in safeconvert's own environment name, each once."""
    own = (adapter for adapter in adapters if adapter.python == Path(sys.executable))
    return sorted({package for adapter in own for package in adapter.packages})


LAST_RESORT = 1000
"""A step of this rank or above is no real converter, and a route with one comes behind all others."""
_BEHIND = 100


_KEYS = {
    "name",
    "summary",
    "kind",
    "format",
    "modules",
    "packages",
    "converts",
    "rank",
    "advice",
    "arguments",
    "requirements",
    "rules",
    "open_sizes",
    "refuses",
    "constant_inputs",
}


@dataclass(frozen=True)
class Step:
    """One edge of the route graph: what an adapter converts from and to; a lower rank is tried first."""

    source: str
    target: str
    rank: int
    excludes: tuple[str, ...] = ()
    """Variants of the source format that it does not take."""
    largest: int = 0
    """Bytes of a source file beyond which it holds the weights several times, and goes behind others; 0 where it does not."""

    def ranked(self, size: int) -> int:
        """Its rank for a source file of so many bytes."""
        return self.rank + (_BEHIND if 0 < self.largest < size else 0)


@dataclass(frozen=True)
class Adapter:
    """A manifest.

    Attributes:
        name: unique name, also the folder's.
        summary: one line for people.
        kind: `framework` (loads and runs a format) or `converter`.
        format: the format that a framework adapter runs; "" for converters.
        modules: imports that must work for the adapter to be usable.
        packages: distributions whose versions go into the certificate.
        steps: conversions that a converter offers.
        advice: what to do where it does not load.
        folder: where adapter.py lies.
        arguments: the converter's own arguments that it honours.
        requirements: pins of an environment of its own; () where it runs in safeconvert's.
        python: the interpreter that its workers run in.
        rules: rewrites of the graph that go before a converter of ONNX, in order (see `safeconvert.rules`).
        refuses: operators of ONNX that neither the converter knows nor one of its rules expresses, as far as it says.
        constant_inputs: inputs of operators that must not be computed, `Gather:1` for the second of Gather.
        open_sizes: sizes that a model leaves free, besides the batch, can stay free in what it makes of it.
    """

    name: str
    summary: str
    kind: str
    format: str
    modules: tuple[str, ...]
    packages: tuple[str, ...]
    steps: tuple[Step, ...]
    advice: str
    folder: Path
    arguments: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    python: Path = Path(sys.executable)
    rules: tuple[str, ...] = ()
    open_sizes: bool = False
    refuses: tuple[str, ...] = ()
    constant_inputs: tuple[str, ...] = ()


@cache
def adapters(extra: tuple[Path, ...] = ()) -> tuple[Adapter, ...]:
    """All adapters by name: built in, from entry points, and from the folders given."""
    found = {adapter.name: adapter for adapter in built_in()}
    for root in (*_entry_point_folders(), *extra):
        found |= {adapter.name: adapter for adapter in _of_folder(root)}
    return tuple(found[name] for name in sorted(found))


@cache
def built_in() -> tuple[Adapter, ...]:
    """safeconvert's own adapters, in the order of their folders."""
    return _of_folder(data_folder("adapters"))


def _of_folder(root: Path) -> tuple[Adapter, ...]:
    return tuple(read_manifest(manifest) for manifest in sorted(root.glob("*/adapter.toml")))


def read_manifest(path: Path) -> Adapter:
    """Parse one `adapter.toml`.

    Raises:
        UnusableInput: it is no valid manifest; the message names the file and the key.
    """
    try:
        data = read_toml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnusableInput(f"{path}: not a valid adapter manifest: {error}") from error
    unknown = sorted(set(data) - _KEYS)
    missing = sorted({"name", "summary", "kind"} - set(data))
    if unknown or missing:
        raise UnusableInput(f"{path}: unknown keys {unknown}, missing keys {missing}")
    for key in ("name", "summary", "kind", "format", "advice"):
        if not isinstance(data.get(key, ""), str):
            raise UnusableInput(f"{path}: {key} is no text: {data[key]!r}")
    for key in ("modules", "packages", "arguments", "requirements", "rules", "refuses", "constant_inputs"):
        names = data.get(key, [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise UnusableInput(f"{path}: {key} is no list of names: {names!r}")
    if not isinstance(data.get("open_sizes", False), bool):
        raise UnusableInput(f"{path}: open_sizes is neither true nor false: {data['open_sizes']!r}")
    for requirement in data.get("requirements", []):
        if requirement.startswith("-"):
            raise UnusableInput(
                f"{path}: requirements holds {requirement!r}, an option", "name packages with versions only"
            )
    for rule in data.get("rules", []):
        if rule not in rules.names():
            raise UnusableInput(f"{path}: no rule is named {rule!r}", f"there are {', '.join(rules.names())}")
    formats = ("",) if data["kind"] == "converter" else FORMATS
    if data["kind"] not in ("framework", "converter") or data.get("format", "") not in formats:
        raise UnusableInput(
            f"{path}: kind {data['kind']!r} with format {data.get('format', '')!r}",
            f"a converter names no format, and a framework one of {', '.join(FORMATS)}",
        )
    return Adapter(
        name=data["name"],
        summary=data["summary"],
        kind=data["kind"],
        format=data.get("format", ""),
        modules=tuple(data.get("modules", [])),
        packages=tuple(data.get("packages", [])),
        steps=_steps(path, data.get("converts", [])),
        advice=data.get("advice", ""),
        arguments=tuple(data.get("arguments", [])),
        requirements=tuple(data.get("requirements", [])),
        rules=tuple(data.get("rules", [])),
        open_sizes=data.get("open_sizes", False),
        refuses=tuple(data.get("refuses", [])),
        constant_inputs=tuple(data.get("constant_inputs", [])),
        folder=path.parent,
    )


def _steps(path: Path, items: object) -> tuple[Step, ...]:
    """The conversions of a manifest: tables with `from`, `to` and perhaps `rank`, `excludes` and `largest`."""
    steps = []
    for item in items if isinstance(items, list) else [items]:
        rank = item.get("rank", 50) if isinstance(item, dict) else None
        if (
            not isinstance(item, dict)
            or not {"from", "to"} <= set(item) <= {"from", "to", "rank", "excludes", "largest"}
            or item["from"] not in FORMATS
            or item["to"] not in FORMATS
            or type(rank) is not int
            or type(item.get("largest", 0)) is not int
        ):
            raise UnusableInput(
                f"{path}: converts holds {item!r}",
                f'write it as {{ from = "…", to = "…", rank = 50 }}; formats: {", ".join(FORMATS)}',
            )
        steps.append(Step(item["from"], item["to"], rank, tuple(item.get("excludes", ())), item.get("largest", 0)))
    return tuple(steps)


def find(name: str, known: Sequence[Adapter]) -> Adapter:
    """The adapter of a name. Raises UnusableInput that lists the names there are."""
    for adapter in known:
        if adapter.name == name:
            return adapter
    raise UnusableInput(f"no adapter is named '{name}'", f"choose one of: {', '.join(a.name for a in known)}")


def framework(format_name: str, known: Iterable[Adapter]) -> Adapter:
    """The adapter that loads and runs a format."""
    for adapter in known:
        if adapter.kind == "framework" and adapter.format == format_name:
            return adapter
    raise UnusableInput(f"no adapter runs the format '{format_name}'")


def exporters(format_name: str, known: Iterable[Adapter], variant: str = "", size: int = 0) -> tuple[Adapter, ...]:
    """The converters from a format to ONNX that take the variant, best rank for a file of so many bytes first."""
    offers = [
        (step.ranked(size), adapter.name, adapter)
        for adapter in known
        for step in adapter.steps
        if step.source == format_name and step.target == "onnx" and variant not in step.excludes
    ]
    return tuple(adapter for _, _, adapter in sorted(offers, key=lambda offer: offer[:2]))


def _entry_point_folders() -> list[Path]:
    folders: list[Path] = []
    for point in importlib.metadata.entry_points(group="safeconvert.adapters"):
        spec = importlib.util.find_spec(point.module)
        if spec is not None and spec.submodule_search_locations:
            folders.extend(Path(location) for location in spec.submodule_search_locations)
    return folders

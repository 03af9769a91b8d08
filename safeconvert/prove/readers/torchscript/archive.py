"""A TorchScript archive's code, modules and weights. Code is parsed and never run; of what is pickled, nothing but numbers, lists and plain modules is made."""

from __future__ import annotations

import ast
import io
import pickle
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.torch.archive import strided

_STORAGES: Mapping[str, type[np.generic]] = {
    "FloatStorage": np.float32, "DoubleStorage": np.float64, "HalfStorage": np.float16, "LongStorage": np.int64, "IntStorage": np.int32,
    "ShortStorage": np.int16, "CharStorage": np.int8, "ByteStorage": np.uint8, "BoolStorage": np.bool_,
}  # fmt: skip
_LISTS = ("build_intlist", "build_doublelist", "build_boollist", "build_tensorlist")
_OLDEST, _NEWEST = 3, 10
"""Versions of the format whose operators are those of the table; of older ones torch replaces some at loading."""


@dataclass
class Module:
    """A module of a model: its class and its attributes."""

    values: dict[str, Any] = field(default_factory=dict)
    kind = ""

    def __setstate__(self, state: Any) -> None:
        """Take attributes as they were saved. Raises Refused for those that only code of the file can read."""
        if not isinstance(state, dict):
            raise Refused(f"a module {self.kind} with a state of its own")
        self.values = state


@dataclass(frozen=True)
class Class:
    """A class of the file's code: its methods, constants, and the fields of a named tuple."""

    name: str
    methods: Mapping[str, ast.FunctionDef]
    constants: Mapping[str, ast.expr]
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Script:
    """What a file holds: the root module, the constants of its code, and functions and classes by full names."""

    root: Module
    constants: tuple[Any, ...]
    functions: Mapping[str, ast.FunctionDef]
    classes: Mapping[str, Class]
    version: int


def is_script(path: Path) -> bool:
    """Whether a file is TorchScript."""
    try:
        with zipfile.ZipFile(path) as held:
            inner = {name.split("/", 1)[-1] for name in held.namelist()}
    except (zipfile.BadZipFile, ValueError):
        return False
    return {"data.pkl", "constants.pkl"} <= inner and any(name.startswith("code/") for name in inner)


def opened(content: bytes) -> Script:
    """Open a file. Raises Refused for one that is of another version, or holds what is no plain module."""
    with zipfile.ZipFile(io.BytesIO(content)) as held:
        lead = held.namelist()[0].split("/", 1)[0] + "/"
        entries = {name.removeprefix(lead): name for name in held.namelist()}
        version = int(held.read(entries["version" if "version" in entries else ".data/version"]))
        if not _OLDEST <= version <= _NEWEST:
            raise Refused(f"a TorchScript archive of version {version}")
        if "byteorder" in entries and held.read(entries["byteorder"]) != b"little":
            raise Refused("a TorchScript archive of another byte order")
        root, constants = (_Unpickler(held, entries, word).load() for word in ("data", "constants"))
        functions: dict[str, ast.FunctionDef] = {}
        classes: dict[str, Class] = {}
        for place in entries:
            if place.startswith("code/") and place.endswith(".py"):
                lead = place.removeprefix("code/").removesuffix(".py").replace("/", ".") + "."
                for node in ast.parse(held.read(entries[place])).body:
                    if isinstance(node, ast.FunctionDef):
                        functions[lead + node.name] = node
                    elif isinstance(node, ast.ClassDef):
                        classes[lead + node.name] = _class(lead + node.name, node)
                    else:
                        raise Refused(f"{place}: a {type(node).__name__} beside functions and classes")
    if not isinstance(root, Module) or not isinstance(constants, tuple):
        raise Refused("a TorchScript archive of no module")
    return Script(root, constants, functions, classes, version)


def _class(name: str, node: ast.ClassDef) -> Class:
    methods = {one.name: one for one in node.body if isinstance(one, ast.FunctionDef)}
    if {"__setstate__", "__getstate__"}.intersection(methods):
        raise Refused(f"a class {name} with a state of its own")
    noted = [one for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]
    plain = [one.target.id for one in noted if one.value is None and isinstance(one.target, ast.Name)]
    tupled = any(isinstance(base, ast.Name) and base.id == "NamedTuple" for base in node.bases)
    return Class(name, methods, dict(_constants(node)), tuple(plain) if tupled else ())


def _constants(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for one in node.body:
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.value is not None:
            yield one.target.id, one.value


class _Unpickler(pickle.Unpickler):
    """Makes arrays, lists and `Module`s, and calls nothing that a file names."""

    def __init__(self, held: zipfile.ZipFile, entries: Mapping[str, str], word: str) -> None:
        super().__init__(io.BytesIO(held.read(entries[f"{word}.pkl"])))
        self._held, self._entries, self._word = held, entries, word
        self._flat: dict[str, Array] = {}
        self._classes: dict[str, type[Module]] = {}

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name. Raises Refused for all but a few."""
        if module.split(".", 1)[0] == "__torch__" and not module.startswith("__torch__.torch.classes"):
            full = f"{module}.{name}"
            return self._classes.setdefault(full, type("Module", (Module,), {"kind": full}))
        if module == "torch" and name in _STORAGES:
            return name
        found = _NAMED.get((module, name))
        if found is None:
            raise Refused(f"an object {module}.{name}")
        return found

    def persistent_load(self, pid: Any) -> Array:
        """The numbers of a storage, flat."""
        word, kind, key, _, count = pid
        if word != "storage" or not isinstance(key, str):
            raise Refused("an object that is no storage")
        if key not in self._flat:
            content = self._held.read(self._entries[f"{self._word}/{key}"])
            self._flat[key] = np.frombuffer(content, _STORAGES[kind], int(count))
        return self._flat[key]


def _tensor(flat: Array, start: int, sizes: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> Array:
    return strided(flat, start, sizes, strides)


_NAMED: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("collections", "OrderedDict"): dict,
    ("torch.jit._pickle", "restore_type_tag"): lambda value, _: value,
    **{("torch.jit._pickle", name): list for name in _LISTS},
}

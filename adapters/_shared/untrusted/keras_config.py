"""What a Keras file asks Keras to build, and where its weights lie: read before Keras opens it.

The configuration names classes and functions by module. Keras imports the module and calls what it finds; some of Keras' own layers
run code, or read a file or another model, that the configuration names.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.errors import UnusableInput

from .hdf5 import foreign_data

_CODE = frozenset({"Lambda", "__lambda__", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"})
_OTHER_FILES = frozenset({"TFSMLayer"})
_PATHS = ("vocabulary", "idf_weights")
_PARTS = (
    "activations", "constraints", "distribution", "dtype_policies", "initializers", "layers", "losses", "metrics", "models", "ops",
    "optimizers", "quantizers", "random", "regularizers", "backend", "trainers",
)  # fmt: skip
_OF_APPLICATIONS = frozenset({
    ("keras.src.applications.convnext", "LayerScale"), ("keras.src.applications.convnext", "StochasticDepth"),
    ("keras.src.applications.inception_resnet_v2", "CustomScaleLayer"),
})  # fmt: skip
"""Layers of Keras' own that lie beside functions which fetch files (Keras 3.15)."""
_DAMAGE = (
    OSError, KeyError, ValueError, TypeError, AttributeError, IndexError, RuntimeError, RecursionError, EOFError, zlib.error,
    zipfile.BadZipFile,
)  # fmt: skip
"""What json, zipfile and h5py raise for damaged files."""
_LARGEST_CONFIG = 256 << 20
_SPREAD = 1000
_ADVICE = (
    "rebuild the model with keras.ops or Keras' own layers, or pass --trust-pickle if you trust whoever made the file"
)


def inspect_keras(request: ModelRequest, variant: str) -> None:
    """Check a `.keras` (keras_v3) or legacy `.h5` file.

    Raises:
        UnusableInput: damaged; two files in one; a layer that runs code or opens another file; a class or function that is not Keras'; weights that lie
            in another file.
    """
    if request.trust_pickle:
        return
    if zipfile.is_zipfile(request.path) and h5py.is_hdf5(request.path):
        raise UnusableInput(
            f"{request.path}: is an archive and an HDF5 file at once, of which Keras reads one or the other by its name; refused",
            _ADVICE,
        )
    try:
        found = next(_archive(request.path) if variant == "keras_v3" else _hdf5(Path(request.path)), None)
    except _DAMAGE as error:
        raise UnusableInput(f"{request.path}: Keras cannot load it: {' '.join(str(error).split())[:200]}") from error
    if found:
        raise UnusableInput(f"{request.path}: {found}", _ADVICE)


def _archive(path: str) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        names = [member.filename for member in archive.infolist()]
        if len(set(names)) < len(names):
            yield "two of its members have the same name; refused"
        for member in archive.infolist():
            if member.filename in ("config.json", "metadata.json"):
                if member.file_size > _LARGEST_CONFIG:
                    yield f"its {member.filename} is larger than {_LARGEST_CONFIG >> 20} MiB; refused"
                    return
                yield from _objects(json.loads(archive.read(member)), member.filename)
            elif member.filename.endswith(".h5"):
                if member.file_size > _SPREAD * member.compress_size:
                    yield f"its {member.filename} unpacks to more than {_SPREAD} times its size; refused"
                    return
                with h5py.File(io.BytesIO(archive.read(member)), "r") as weights:
                    yield from (f"{member.filename}: {reason}; refused" for reason in foreign_data(weights))


def _hdf5(path: Path) -> Iterator[str]:
    with h5py.File(path, "r") as file:
        for name in ("model_config", "training_config"):
            if name in file.attrs:
                text = file.attrs[name]
                yield from _objects(json.loads(text), name)
        yield from (f"{reason}; refused" for reason in foreign_data(file))


def _objects(config: Any, where: str) -> Iterator[str]:
    """What is not to be built, of every object that a configuration describes, however deep."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            if isinstance(value.get("class_name"), str):
                yield from _object(value, where)


def _object(value: dict[str, Any], where: str) -> Iterator[str]:
    kind, module, config = value["class_name"], value.get("module"), value.get("config")
    if kind in _CODE:
        yield f"{where} holds a {kind.strip('_')} layer, which runs code of its own on load; refused"
    if kind in _OTHER_FILES:
        yield f"{where} holds a {kind}, which loads another model's file; refused"
    own = isinstance(module, str) and (module, kind) in _OF_APPLICATIONS
    if module is not None and not own and not _is_keras(module, kind == "function"):
        named = config if kind == "function" else value.get("registered_name") or kind
        yield f"needs a class that Keras does not have: {module}.{named} (in {where})"
    for name in _PATHS:
        if isinstance(config, dict) and isinstance(config.get(name), str):
            yield f"{where}: {kind} reads its {name} from {config[name]}; refused"


def _is_keras(module: Any, is_function: bool) -> bool:
    if not isinstance(module, str):
        return False
    if module in ("builtins", "keras"):
        return is_function or module == "keras"
    parts = module.split(".")
    return parts[0] == "keras" and bool(set(parts[1:3]) & set(_PARTS)) and all(part.isidentifier() for part in parts)

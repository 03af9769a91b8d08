"""Open a torch model file without running code that lies in it."""

from __future__ import annotations

import importlib
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.formats import detect
from safeconvert.errors import UnusableInput

from .untrusted.torch_version import require_read_loader
from .untrusted.torchscript import DAMAGE, open_torchscript

_LARGE = 1 << 29
"""Bytes of a file; the manifests of the exporters to ONNX say the same number."""


@dataclass(frozen=True)
class TorchFile:
    """An opened torch model.

    Attributes:
        module: callable, in inference mode, parameters without gradients.
        kind: `torchscript`, `exported_program`, `state_dict` or `pickle`.
        program: the ExportedProgram, where the file holds one.
        training: whether a TorchScript archive was saved in training mode, which is how torch.jit.load gives it to its user.
    """

    module: Any
    kind: str
    program: Any = None
    training: bool = False


def open_torch(request: ModelRequest) -> TorchFile:
    """Load any supported torch file on the CPU.

    Raises:
        UnusableInput: damaged; a pickled module without `--trust-pickle`; a state_dict without (a fitting) `--model`.
    """
    variant = detect(request.path).variant
    if variant == "torchscript":
        module = _torchscript(request)
        training = bool(getattr(module, "training", False))
        return TorchFile(_inference(module), variant, training=training)
    if variant == "exported_program":
        try:
            program = torch.export.load(request.path) if request.trust_pickle else _inspected_program(request.path)
        except UnusableInput:
            raise
        except (RuntimeError, ValueError, KeyError, AssertionError, TypeError, AttributeError, IndexError) as error:
            raise UnusableInput(
                f"{request.path}: torch {torch.__version__} cannot load this ExportedProgram: {_first(error)}",
                "save it again with torch.export.save of a matching torch version",
            ) from error
        return TorchFile(_frozen(program.module()), variant, program)
    return _open_pickle(request)


def _inspected_program(path: str) -> Any:
    require_read_loader(path)
    from .untrusted.exported_program import open_program  # imports what no other version of torch need have

    return open_program(path)


def _torchscript(request: ModelRequest) -> Any:
    if not request.trust_pickle:
        return open_torchscript(request.path)
    try:
        return torch.jit.load(request.path, map_location="cpu")
    except DAMAGE as error:
        raise UnusableInput(f"{request.path}: a damaged TorchScript archive: {_first(error)}") from error


def _open_pickle(request: ModelRequest) -> TorchFile:
    try:
        loaded = torch.load(request.path, map_location="cpu", weights_only=True, mmap=_may_map(request.path))
    except Exception as error:
        if "weights_only" not in str(error) and "Weights only" not in str(error):
            raise UnusableInput(f"{request.path}: a damaged torch file: {_first(error)}") from error
        if not request.trust_pickle:
            raise UnusableInput(
                f"{request.path}: a pickled nn.Module runs code of its own on load; refused",
                "save it as TorchScript (torch.jit.script/trace) or .pt2 (torch.export.save), of which safeconvert runs nothing on load, "
                "or pass --trust-pickle if you trust whoever made the file",
            ) from None
        sys.path.insert(0, request.search_path)
        declare_torchvision_operators()
        loaded = torch.load(request.path, map_location="cpu", weights_only=False)
    if isinstance(loaded, torch.nn.Module):
        return TorchFile(_inference(loaded), "pickle")
    if isinstance(loaded, dict) and "state_dict" in loaded and isinstance(loaded["state_dict"], dict):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not all(isinstance(value, torch.Tensor) for value in loaded.values()):
        raise UnusableInput(f"{request.path}: holds a {type(loaded).__name__}, neither a module nor a state_dict")
    if not request.factory:
        raise UnusableInput(
            f"{request.path}: a bare state_dict has weights but no architecture",
            "name the callable that builds the module: --model package.module:callable",
        )
    module = build(request.factory, request.search_path)
    try:
        module.load_state_dict(loaded, **({"assign": True} if _may_assign(request.path, module, loaded) else {}))
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise UnusableInput(f"{request.path}: its state_dict does not fit {request.factory}: {reason}") from error
    return TorchFile(_inference(module), "state_dict")


def is_large(path: str) -> bool:
    """Whether weights are mapped from their file rather than read, and written beside an .onnx rather than into it."""
    return Path(path).stat().st_size >= _LARGE


def _may_map(path: str) -> bool:
    """Whether torch can map the weights of a file: it can those of an archive."""
    return is_large(path) and zipfile.is_zipfile(path)


def _may_assign(path: str, module: torch.nn.Module, loaded: dict[str, torch.Tensor]) -> bool:
    """Whether a large module can have the tensors of the file as they lie there: the same types, and none that two of its names share.

    Copied into the module's own, as smaller ones are, they would be in memory once more.
    """
    if not is_large(path) or type(module).load_state_dict is not torch.nn.Module.load_state_dict:
        return False
    own = module.state_dict(keep_vars=True)
    plain = len({id(tensor) for tensor in own.values()}) == len(own)
    return plain and all(name in own and own[name].dtype == tensor.dtype for name, tensor in loaded.items())


def build(factory: str, search_path: str) -> torch.nn.Module:
    """Call `package.module:callable`; it must return an nn.Module."""
    module_name, _, attribute = factory.partition(":")
    if not attribute:
        raise UnusableInput(f"--model {factory}: not of the form package.module:callable")
    if search_path:
        sys.path.insert(0, search_path)
    declare_torchvision_operators()
    try:
        made = getattr(importlib.import_module(module_name), attribute)()
    except (ImportError, AttributeError) as error:
        raise UnusableInput(f"--model {factory}: {_first(error)}", "run where the module can be imported") from error
    if not isinstance(made, torch.nn.Module):
        raise UnusableInput(f"--model {factory}: returned a {type(made).__name__}, not an nn.Module")
    return made


def declare_torchvision_operators() -> None:
    """Let `import torchvision` work beside a CPU-only torch.

    torchvision's binary cannot load there, and its Python side then dies with "operator torchvision::nms does not
    exist"; declaring the two schemas is enough for everything but detection post-processing.
    """
    if hasattr(torch.ops.torchvision, "nms"):
        return
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    declare_torchvision_operators.library = library  # type: ignore[attr-defined]  # a Library undefines when collected


def _inference(module: Any) -> Any:
    return _frozen(module.eval())


def _frozen(module: Any) -> Any:
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return module


def _first(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:240]

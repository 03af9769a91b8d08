"""`onnx2torch`: `convert` with its own signature (onnx2torch 1.5), verified against the ONNX model."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safeconvert.compat._session import Job, converted

if TYPE_CHECKING:
    import onnx


def convert(
    onnx_model_or_path: str | Path | onnx.ModelProto,
    save_input_names: bool = False,
    attach_onnx_mapping: bool = False,
) -> Any:
    """An ONNX model as a `torch.fx.GraphModule`, in inference mode, because that is what was verified.

    Raises:
        NotEquivalent: the module is not the same function.
        UnusableInput: the model cannot be used.
    """
    import torch

    arguments = {"save_input_names": bool(save_input_names), "attach_onnx_mapping": bool(attach_onnx_mapping)}
    with tempfile.TemporaryDirectory(prefix="safeconvert-source-") as folder:
        source = saved_onnx(onnx_model_or_path, Path(folder))
        with converted(Job(source, "torch", "onnx2torch", "module.pt", arguments, trusted=True)) as path:
            module = torch.load(path, map_location="cpu", weights_only=False)
    for parameter in module.parameters():
        parameter.requires_grad_(parameter.is_floating_point())
    return module.eval()


def saved_onnx(model: str | Path | onnx.ModelProto, folder: Path) -> Path:
    """The file of an ONNX model; one in memory is written, past 2 GiB with its weights beside it."""
    if isinstance(model, str | Path):
        return Path(model)
    import onnx

    path = folder / "model.onnx"
    large = model.ByteSize() >= 2**31 - 1
    onnx.save(model, path, save_as_external_data=large, location="model.data" if large else None)
    return path

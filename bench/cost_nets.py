"""The nets of `cost.py` that are not in the data folder: `python bench/cost_nets.py NAME FILE` makes one as an ExportedProgram.

Small configurations of torchvision's own classes, and of BERT; weights are seeded, and none is left at its zeros or ones.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SIZE = 64
"""Pixels."""
_TOP = 64  # samples of a call at most


def _vit() -> Any:
    from torchvision.models import VisionTransformer

    return VisionTransformer(SIZE, 16, 2, 4, 64, 128, num_classes=10)


def _swin() -> Any:
    from torchvision.models import SwinTransformer

    return SwinTransformer([4, 4], 32, [2, 2], [2, 4], [4, 4], num_classes=10)


def _convnext() -> Any:
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt

    return ConvNeXt([CNBlockConfig(32, 64, 2), CNBlockConfig(64, None, 2)], num_classes=10)


_IMAGES: dict[str, Callable[[], Any]] = {"ViT": _vit, "Swin": _swin, "ConvNeXt": _convnext}


def make(name: str, path: Path) -> None:
    """Write one as an ExportedProgram whose batch is free."""
    import declare_torchvision  # noqa: F401
    import torch

    torch.manual_seed(0)
    net = _IMAGES[name]().eval()
    with torch.no_grad():
        for value in net.parameters():
            if value.numel() > 1 and (value.std() == 0 or value.abs().max() < 1e-5):
                value.copy_(torch.rand_like(value) / 2 + 0.1)
    free = ({0: torch.export.Dim("batch", max=_TOP)},)
    program = torch.export.export(net, (torch.zeros(2, 3, SIZE, SIZE),), dynamic_shapes=free)
    torch.export.save(program, path)


def _made(name: str, folder: Path) -> Path:
    """A net's file, written where it is not there yet."""
    path = folder / f"{name}.pt2"
    if not path.exists():
        program, wanted = ("zoo_models.py", "bert") if name == "BERT" else ("cost_nets.py", name)
        subprocess.run([sys.executable, HERE / program, wanted, path], check=True)
    return path


NETS: dict[str, Callable[[Path], Path]] = {name: partial(_made, name) for name in (*_IMAGES, "BERT")}
"""By name, what makes it in a folder."""


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]))

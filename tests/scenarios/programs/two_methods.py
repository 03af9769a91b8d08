"""Write TorchScript archives: `methods.pt`, of which a caller can call another method, and `plain.pt`, whose others forward() or Python calls."""

import sys
from pathlib import Path

import torch

folder = Path(sys.argv[1])


class Methods(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @torch.jit.export
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return x * 3


class Plain(torch.nn.Sequential):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.doubled(x)

    def doubled(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2


torch.jit.script(Methods()).save(str(folder / "methods.pt"))
torch.jit.script(Plain()).save(str(folder / "plain.pt"))

"""A program of three layers with a free batch: `python program.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import nn


class Net(nn.Module):
    """A layer, one behind an activation, and another."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.middle, self.last = nn.Linear(4, 6), nn.Sequential(nn.Tanh(), nn.Linear(6, 5)), nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 4) to (N, 2)."""
        return self.last(self.middle(self.first(x)))


torch.manual_seed(0)
batch = torch.export.Dim("batch", min=1, max=1024)
program = torch.export.export(Net().eval(), (torch.zeros(2, 4),), dynamic_shapes=({0: batch},))
torch.export.save(program, Path(sys.argv[1]) / "net.pt2")

"""Small TorchScript archives and ExportedPrograms: `torch_seeds.py FOLDER`."""

import sys
from pathlib import Path

import torch

folder = Path(sys.argv[1])
torch.manual_seed(3)


class Branches(torch.nn.Module):
    """A branch, a loop, a tuple and a dictionary, for the code of a TorchScript archive."""

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(4, 3)
        self.scale = 0.5

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """A linear layer's answer, and what it was fed."""
        if x.sum() > 0:
            x = x * self.scale
        for _ in range(2):
            x = torch.relu(x)
        return self.head(x), {"x": x}


class Two(torch.nn.Module):
    """Two inputs, a buffer, a constant and a free batch."""

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(3, 2)
        self.register_buffer("shift", torch.ones(2))

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> dict[str, torch.Tensor]:
        """Two answers, by name."""
        return {"y": self.head(a * 2 + b) + self.shift, "z": torch.tanh(b) + torch.tensor([1.0, 2.0, 3.0])}


net = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(18, 2)).eval()
torch.jit.trace(net, torch.randn(2, 3, 5, 5)).save(str(folder / "traced.pt"))
torch.jit.script(Branches().eval()).save(str(folder / "scripted.pt"))
batch = torch.export.Dim("batch", min=1, max=64)
example = (torch.randn(2, 3), torch.randn(2, 3))
program = torch.export.export(Two().eval(), example, dynamic_shapes={"a": {0: batch}, "b": {0: batch}})
torch.export.save(program, str(folder / "two.pt2"))
torch.export.save(torch.export.export(net, (torch.randn(2, 3, 5, 5),)), str(folder / "net.pt2"))
torch.save(net.state_dict(), folder / "weights.pth")

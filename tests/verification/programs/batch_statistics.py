"""A net whose BatchNorm was left in training mode, as TorchScript and ExportedProgram: `python batch_statistics.py FOLDER`."""

import sys
from pathlib import Path

import torch

torch.manual_seed(0)
folder = Path(sys.argv[1])
net = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU(), torch.nn.Linear(4, 3))
given = torch.rand(6, 5)
torch.jit.trace(net.train(), given, check_trace=False).save(folder / "training.pt")
torch.export.save(torch.export.export(net.train(), (given,)), folder / "training.pt2")

"""A program with an output whose size depends on values: `sized_by_values.py FILE`. torch writes assertions into it, with messages."""

import sys

import torch


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = torch.nn.Linear(8, 8)

    def forward(self, x):
        return torch.nonzero(self.dense(x) > 0)


torch.manual_seed(0)
sizes = ({0: torch.export.Dim("n", max=64)},)
torch.export.save(torch.export.export(Model().eval(), (torch.randn(3, 8),), dynamic_shapes=sizes), sys.argv[1])

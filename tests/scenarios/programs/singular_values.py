"""A program with an operator that ONNX lacks, in a layer of its own: `singular_values.py FILE`."""

import sys

import torch


class Spectrum(torch.nn.Module):
    def forward(self, x):
        return torch.linalg.svdvals(x)


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.dense, self.spectrum = torch.nn.Linear(8, 8), Spectrum()

    def forward(self, x):
        return self.spectrum(self.dense(x))


torch.manual_seed(0)
torch.export.save(torch.export.export(Model().eval(), (torch.randn(3, 8, 8),)), sys.argv[1])

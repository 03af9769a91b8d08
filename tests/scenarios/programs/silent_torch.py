"""Programs with operators that torch exports wrong without a word: `silent_torch.py FOLDER`."""

import sys

import torch

folder = sys.argv[1]


class Mean(torch.nn.Module):
    def forward(self, x):
        index = torch.tensor([[0, 1, 1, 2, 2, 2]]).expand(x.shape[0], -1)
        return torch.zeros(x.shape[0], 3).scatter_reduce(1, index, x, "mean", include_self=False)


class Put(torch.nn.Module):
    def forward(self, x):
        made = torch.zeros_like(x)
        return made.index_put((torch.tensor([0, 0, 1]),), x[:3], accumulate=True)


for name, module in (("mean", Mean()), ("put", Put())):
    example = torch.randn(4, 6)
    torch.export.save(torch.export.export(module, (example,)), f"{folder}/{name}.pt2")
norm = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3)).train()
torch.export.save(torch.export.export(norm, (torch.randn(4, 2, 5, 5),)), f"{folder}/training.pt2")

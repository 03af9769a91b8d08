"""A traced CNN on (N,3,8,8) with ten classes: `traced_cnn.py FILE`."""

import sys

import torch

torch.manual_seed(3)
net = torch.nn.Sequential(
    torch.nn.Conv2d(3, 6, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(6 * 8 * 8, 10)
).eval()
torch.jit.trace(net, torch.zeros(2, 3, 8, 8)).save(sys.argv[1])

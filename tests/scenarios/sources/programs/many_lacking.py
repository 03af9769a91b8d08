"""A program of several operators that torch's exporter lacks: `many_lacking.py FILE`."""

import sys

import torch


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.dense = torch.nn.Conv2d(3, 6, 3), torch.nn.Linear(6, 4)

    def forward(self, x):
        features = torch.nn.functional.adaptive_max_pool2d(self.conv(x), (3, 4)).flatten(2)
        near = torch.kthvalue(torch.cdist(features, features), 2, dim=-1)[0]
        return self.dense(torch.copysign(near, torch.cumprod(features[..., :3], 2)[..., 2]))


torch.manual_seed(0)
model, x = Model().eval(), torch.randn(2, 3, 9, 11)
torch.export.save(torch.export.export(model, (x,), dynamic_shapes=({0: torch.export.Dim("n")},)), sys.argv[1])

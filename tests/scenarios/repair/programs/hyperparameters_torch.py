"""Targets with wrong hyperparameters, in PyTorch: `hyperparameters_torch.py FOLDER`."""

import sys

import torch

out = sys.argv[1]
torch.manual_seed(0)


def torch_net(slope=0.3, dilation=1, cap=1.0):
    N = torch.nn
    return N.Sequential(
        N.Conv2d(3, 6, 3),
        N.LeakyReLU(slope),
        N.Conv2d(6, 4, 3, padding=dilation, dilation=dilation),
        N.Hardtanh(-1.0, cap),
        N.Flatten(),
        N.Linear(400, 5),
    ).eval()


whole = torch_net()
example = torch.zeros(2, 3, 12, 12)
batch = ({0: torch.export.Dim("batch")},)
torch.export.save(torch.export.export(whole, (example,), dynamic_shapes=batch), out + "/right.pt2")
for name, wrong in {"slope": {"slope": 0.1}, "dilation": {"dilation": 2}, "cap": {"cap": 0.5}}.items():
    model = torch_net(**wrong)
    model.load_state_dict(whole.state_dict())
    torch.export.save(torch.export.export(model, (example,), dynamic_shapes=batch), out + f"/{name}.pt2")
    torch.save(model, out + f"/{name}.pt")

"""An exported program with one weight changed: `changed_weights_torch.py MODELS FOLDER`."""

import sys

import torch

whole, out = sys.argv[1:3]
program = torch.export.load(whole + "/program.pt2")
name = next(name for name, value in program.state_dict.items() if value.dim() == 4)
with torch.no_grad():
    program.state_dict[name][0, 0, 0, 0] += 0.7
torch.export.save(program, out + "/wrong.pt2")

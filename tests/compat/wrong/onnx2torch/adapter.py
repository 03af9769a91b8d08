"""onnx2torch, and then one weight of many is another."""

import torch

from .._real import real


def convert(request):
    reply = real("onnx2torch").convert(request)
    module = torch.load(request["target"], weights_only=False)
    weight = max(module.parameters(), key=lambda tensor: tensor.dim())
    with torch.no_grad():
        weight.view(-1)[0] += 0.5
    torch.save(module, request["target"])
    return reply

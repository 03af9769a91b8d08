"""torch.onnx.export, and then one weight of many is another."""

from .._real import real
from .._spoilt import spoil


def convert(request):
    reply = real("torch_onnx_script").convert(request)
    if request["arguments"]:  # as an exporter it stays right
        spoil(request["target"])
    return reply

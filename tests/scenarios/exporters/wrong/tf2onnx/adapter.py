"""The real tf2onnx, with a weight of the first convolution wrong."""

from .._spoilt import exported


def convert(request):
    return exported("tf2onnx", request, ("Conv",))

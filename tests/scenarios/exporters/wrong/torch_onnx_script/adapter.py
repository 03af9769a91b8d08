"""The real torch_onnx_script, with a weight of the first convolution wrong."""

from .._spoilt import exported


def convert(request):
    return exported("torch_onnx_script", request, ("Conv",))

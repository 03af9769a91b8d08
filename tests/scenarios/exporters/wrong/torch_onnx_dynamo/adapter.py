"""The real torch_onnx_dynamo, with a weight of the first linear layer wrong."""

from .._spoilt import exported


def convert(request):
    return exported("torch_onnx_dynamo", request, ("Gemm", "MatMul"))

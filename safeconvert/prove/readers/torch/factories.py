"""aten's operators that make tensors of a shape and a number, and lists of numbers at even distances."""

from __future__ import annotations

import numpy as np
import onnx

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.torch.call import Call, Rule

_WHOLE = (onnx.TensorProto.INT32, onnx.TensorProto.INT64, onnx.TensorProto.FLOAT)


def filled(number: float | None = None, size: str = "size") -> Rule:
    """zeros, ones, full and new_…: a number of the output's type, of a shape that is given; `fill_value` where there is none."""

    def rule(c: Call) -> list[str]:
        return [c.write("ConstantOfShape", c.sizes(size), value=_one(c, number))]

    return rule


def like(number: float | None = None) -> Rule:
    """zeros_like, ones_like and full_like."""

    def rule(c: Call) -> list[str]:
        return [c.write("ConstantOfShape", c.write("Shape", c.tensor().name), value=_one(c, number))]

    return rule


def counted(c: Call) -> list[str]:
    """arange of integers: from a start up to an end, which may be computed. Numbers of float32 are counted as integers first, and are exact up to 2²⁴."""
    kind = c.outputs[0].kind
    if kind not in _WHOLE:
        raise Refused(f"{c.target}: of a type that is not counted in")
    ends = [_scalar(c, name, default) for name, default in (("start", 0), ("end", 0), ("step", 1))]
    found = c.write("Range", *ends)
    return [found if kind == onnx.TensorProto.INT64 else c.write("Cast", found, to=kind)]


def _scalar(c: Call, name: str, default: int) -> str:
    return c.write("Squeeze", c.integer(name, default))


def _one(c: Call, number: float | None) -> onnx.TensorProto:
    kind = onnx.helper.tensor_dtype_to_np_dtype(c.outputs[0].kind)
    value = c.value("fill_value", None) if number is None else number
    if value is None:
        raise Refused(f"{c.target}: no number is given")
    return onnx.numpy_helper.from_array(np.full(1, value, kind))

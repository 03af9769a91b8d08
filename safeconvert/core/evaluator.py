"""Operators that onnx' own evaluator (1.23) lacks or computes for small tensors alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from onnx.reference.ops.op_dequantize_linear import DequantizeLinear_19

_SINCE = 19


class DequantizeLinear(DequantizeLinear_19):  # type: ignore[misc]  # onnx gives no types
    """Of sets 10 to 18; on integers 19 means the same. By its name the evaluator finds it."""

    op_domain = ""
    op_schema = onnx.defs.get_schema("DequantizeLinear", 19)


class GatherElements(OpRun):  # type: ignore[misc]
    """Along an axis of any length: the evaluator's own ends at 64 (`numpy.choose`)."""

    op_domain = ""

    def _run(self, data: Any, indices: Any, axis: int = 0) -> tuple[Any]:
        inside = tuple(slice(None) if a == axis % data.ndim else slice(size) for a, size in enumerate(indices.shape))
        return (np.take_along_axis(data[inside], np.where(indices < 0, indices + data.shape[axis], indices), axis),)


def evaluator(model: onnx.ModelProto) -> ReferenceEvaluator:
    """onnx' evaluator for a model, with these operators."""
    opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)
    return ReferenceEvaluator(model, new_ops=[GatherElements, *([DequantizeLinear] if opset < _SINCE else [])])

"""A graph in one of the operator sets 13 to 17."""

from __future__ import annotations

import onnx

from safeconvert.graph.opset import at_least, at_most


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Bring a graph of another operator set to the nearest of 13 to 17.

    onnx2torch 1.5.15 looks operators up by the exact version of their definition, and knows those up to 17; of older ones it
    ignores `value` of Pad-2 and others. onnx2keras 0.0.25 takes the Softmax of sets before 13 for that of 13.
    """
    return at_least(at_most(model, 17), 13)

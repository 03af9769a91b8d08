"""Models that ONNX Runtime has no kernels for, computed by onnx' own reference: slower, and what the standard's operators mean.

ONNX Runtime 1.32 has no Max of int16, no Pow with an unsigned exponent and no operators of the newest operator set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from safeconvert.core.reference import misread


@dataclass(frozen=True)
class _End:
    """An input or output as ONNX Runtime describes one."""

    name: str
    type: str
    shape: Sequence[int | str | None]


class ReferenceSession:
    """What `onnxruntime.InferenceSession` offers, as far as it is used here.

    Raises:
        NotImplementedError: an operator that the reference has not either, or computes otherwise than the standard, or a random one.
    """

    def __init__(self, path: str) -> None:
        model = onnx.load(path)
        if {node.op_type for node in model.graph.node} & _RANDOM:
            raise NotImplementedError("a random operator")
        opset = max((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=1)
        other = next((node for node in model.graph.node if misread(node, opset)), None)
        if other is not None:
            raise NotImplementedError(
                f"it computes {other.op_type} {other.name} otherwise than the standard's set {opset}"
            )
        self._graph = model.graph
        self._evaluator = ReferenceEvaluator(model)

    def get_inputs(self) -> list[_End]:
        """Of the graph, initializers excluded."""
        known = {tensor.name for tensor in self._graph.initializer}
        return [_end(value) for value in self._graph.input if value.name not in known]

    def get_outputs(self) -> list[_End]:
        """Of the graph."""
        return [_end(value) for value in self._graph.output]

    def run(self, names: Iterable[str], feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """The outputs by these names."""
        return [np.asarray(array) for array in self._evaluator.run(list(names), dict(feeds))]


_RANDOM = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"}
_NAMES = {"float32": "float", "float64": "double"}


def _end(value: onnx.ValueInfoProto) -> _End:
    tensor = value.type.tensor_type
    kind = "other" if not tensor.elem_type else "string" if tensor.elem_type == onnx.TensorProto.STRING else ""
    if not kind:
        own = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
        kind = _NAMES.get(own, own)
    sizes = [dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None for dim in tensor.shape.dim]
    return _End(value.name, f"tensor({kind})", sizes)

"""Is there an input at all on which two small ONNX graphs differ beyond the tolerance? Looked for with gradients, apart from the product."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

_STEPS = 600
_RATES = (0.003, 0.03)


def witness(source: onnx.ModelProto, wrong: onnx.ModelProto, feeds: Mapping[str, np.ndarray], rtol: float) -> float:
    """The largest distance found, as a share of what is allowed; inf where the graphs cannot be differentiated, so that one is assumed.

    Args:
        source, wrong: graphs of one output.
        feeds: real samples to begin with; each is climbed from by itself.
        rtol: of the tolerance.
    """
    import torch

    torch.set_num_threads(1)
    if any(array.dtype.kind != "f" for array in feeds.values()):
        return float("inf")
    try:
        models = [_evaluator(model) for model in (source, wrong)]
        best = 0.0
        for rate in _RATES:
            inputs = [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in feeds.values()]
            optimizer = torch.optim.Adam(inputs, lr=rate)
            for _ in range(_STEPS):
                one, two = (model(*inputs).flatten(1) for model in models)
                share = (one - two).abs().amax(1) / (rtol * one.abs().amax(1) + 1e-30)
                best = max(best, float(share.detach().max()))
                optimizer.zero_grad()
                (-torch.log(share + 1e-9)).sum().backward()
                optimizer.step()
    except KeyError:
        return float("inf")
    return best


def _evaluator(model: onnx.ModelProto) -> Callable[..., Any]:
    """A graph of the few operators below as a function of torch tensors, in float64. It raises KeyError for another operator."""
    import torch

    constants = {tensor.name: torch.tensor(numpy_helper.to_array(tensor)) for tensor in model.graph.initializer}
    constants = {name: value.double() if value.is_floating_point() else value for name, value in constants.items()}
    kinds: dict[str, Callable[..., Any]] = {
        "MatMul": lambda a, b, **_: a @ b,
        "Relu": lambda a, **_: torch.relu(a),
        "Tanh": lambda a, **_: torch.tanh(a),
        "Conv": lambda x, w, pads=(0, 0, 0, 0), **_: torch.nn.functional.conv2d(x, w, padding=(pads[0], pads[1])),
        "GlobalAveragePool": lambda a, **_: a.mean((2, 3), keepdim=True),
        "Flatten": lambda a, **_: a.flatten(1),
        "Add": lambda a, b, **_: a + b,
        "Sub": lambda a, b, **_: a - b,
        "Mul": lambda a, b, **_: a * b,
        "Min": lambda a, b, **_: torch.minimum(a, b),
        "Pad": lambda x, pads, mode=b"constant", **_: torch.nn.functional.pad(
            x,
            [int(pads[3]), int(pads[7]), int(pads[2]), int(pads[6])],
            mode="replicate" if mode == b"edge" else "constant",
        ),
        "Softmax": lambda a, axis=-1, **_: torch.softmax(a, axis),
        "Transpose": lambda a, perm, **_: a.permute(*perm),
    }

    def run(*inputs: Any) -> Any:
        values = {**constants, **{value.name: given for value, given in zip(model.graph.input, inputs, strict=True)}}
        for node in model.graph.node:
            attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
            values[node.output[0]] = kinds[node.op_type](*(values[name] for name in node.input), **attributes)
        return values[model.graph.output[0].name]

    return run

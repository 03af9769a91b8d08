"""Is there an input at all on which two small ONNX graphs differ beyond the tolerance? Looked for with gradients, apart from the product."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx

_STEPS = 600
_RATES = (0.003, 0.03)


def witness(source: onnx.ModelProto, wrong: onnx.ModelProto, feeds: Mapping[str, np.ndarray], rtol: float) -> float:
    """The largest distance found, as a share of what is allowed; inf where the graphs cannot be differentiated, so that one is assumed.

    Args:
        source, wrong: graphs of one output.
        feeds: real samples to begin with; each is climbed from by itself.
        rtol: of the tolerance.
    """
    import onnx2torch
    import torch

    if any(array.dtype.kind != "f" for array in feeds.values()):
        return float("inf")
    try:
        models = [onnx2torch.convert(model).double().eval() for model in (source, wrong)]
        best = 0.0
        for rate in _RATES:
            inputs = [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in feeds.values()]
            optimizer = torch.optim.Adam(inputs, lr=rate)
            for _ in range(_STEPS):
                one, two = (model(*inputs).flatten(1) for model in models)
                share = (one - two).abs().amax(1) / (rtol * one.abs().amax(1) + 1e-30)
                best = max(best, float(share.max()))
                optimizer.zero_grad()
                (-torch.log(share + 1e-9)).sum().backward()
                optimizer.step()
    except (NotImplementedError, RuntimeError, TypeError, ValueError):
        return float("inf")
    return best

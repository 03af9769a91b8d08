"""Values of inner tensors by two back ends behind one interface: ONNX Runtime, and Apache TVM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import helper

from safeconvert.graph.view import GraphView, subgraph
from safeconvert.runtime.partial import run_part

Array = np.ndarray[Any, Any]
Feeds = Sequence[Mapping[str, Array]]


def with_onnxruntime(view: GraphView, feeds: Feeds, names: Sequence[str]) -> list[dict[str, Array]]:
    """By ONNX Runtime, graph optimizations off."""
    return run_part(view, feeds, None, names)


def with_tvm(view: GraphView, feeds: Feeds, names: Sequence[str]) -> list[dict[str, Array]]:
    """By TVM's Relax: the part of the graph in front of the tensors, compiled for the CPU.

    Raises:
        ImportError: TVM is not installed.
        RuntimeError: TVM cannot import or compile the graph.
    """
    import tvm
    from tvm import relax
    from tvm.relax.frontend.onnx import from_onnx

    numbers = sorted({number for name in names for number in view.slice_back(name, ())[0]})
    read = {name for number in numbers for name in view.nodes[number].input}
    codes = {name: helper.np_dtype_to_tensor_dtype(value.dtype) for name, value in feeds[0].items() if name in read}
    model = subgraph(view, numbers, codes, names)
    try:
        shapes = {name: list(feeds[0][name].shape) for name in codes}
        module = from_onnx(model, shape_dict=shapes, keep_params_in_input=False)
        machine = relax.VirtualMachine(tvm.compile(module, target="llvm"), tvm.cpu())
        rows = [machine["main"](*(tvm.runtime.tensor(feed[name]) for name in codes)) for feed in feeds]
    except Exception as error:  # TVM's errors share no base class but Exception
        raise RuntimeError(f"TVM: {' '.join(str(error).split())[:300]}") from error
    found = []
    for row in rows:
        values = [row] if len(names) == 1 and not hasattr(row, "__len__") else row
        values = [values] if len(names) == 1 and hasattr(values, "numpy") else values
        found.append({name: value.numpy() for name, value in zip(names, values, strict=True)})
    return found

"""Values of inner tensors by two back ends behind one interface: ONNX Runtime, and Apache TVM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import helper

from safeconvert.graph.execution import stream_part
from safeconvert.graph.view import GraphView, subgraph

Array = np.ndarray[Any, Any]
Feeds = Sequence[Mapping[str, Array]]


def with_onnxruntime(view: GraphView, feeds: Feeds, names: Sequence[str]) -> Iterator[dict[str, Array]]:
    """By ONNX Runtime, graph optimizations off; the values of one feed are in memory at a time."""
    yield from stream_part(view, feeds, names)


def with_tvm(view: GraphView, feeds: Feeds, names: Sequence[str]) -> Iterator[dict[str, Array]]:
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
    except Exception as error:  # TVM's errors share no base class but Exception
        raise RuntimeError(f"TVM: {' '.join(str(error).split())[:300]}") from error
    for feed in feeds:
        row = machine["main"](*(tvm.runtime.tensor(feed[name]) for name in codes))
        values = [row] if hasattr(row, "numpy") else list(row)
        yield {name: value.numpy() for name, value in zip(names, values, strict=True)}


BACK_ENDS = {"onnxruntime": with_onnxruntime, "tvm": with_tvm}
"""By name."""

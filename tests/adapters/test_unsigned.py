"""uint64 in PyTorch, which computes next to nothing with it: by its bits as int64, on numbers of all 64."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.command import ROOT

torch = pytest.importorskip("torch")
sys.path.insert(0, str(ROOT))

from adapters.torch_ops.module import GraphModule  # noqa: E402 - adapters are no package of the project's

KINDS: dict[str, Callable[..., Any]] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.floor_divide, "Mod": np.mod, "Max": np.maximum, "Min": np.minimum,
    "Less": np.less, "GreaterOrEqual": np.greater_equal, "Equal": np.equal,
}  # fmt: skip
random = np.random.default_rng(0)
X, Y = (random.integers(1, 2**64, size=(4, 64), dtype=np.uint64, endpoint=False) for _ in range(2))
Y[:, ::2] >>= np.uint64(40)
Y[:, ::7] = X[:, ::7]


@pytest.mark.parametrize("kind", KINDS)
def test_all_64_bits_are_kept(kind: str) -> None:
    truth = kind in ("Less", "GreaterOrEqual", "Equal")
    ends = [helper.make_tensor_value_info(name, TensorProto.UINT64, ["N", 64]) for name in "xy"]
    last = helper.make_tensor_value_info("z", TensorProto.BOOL if truth else TensorProto.UINT64, ["N", 64])
    graph = helper.make_graph([helper.make_node(kind, ["x", "y"], ["z"])], "made", ends, [last])
    module = GraphModule(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)).eval()
    (found,) = module(torch.from_numpy(X), torch.from_numpy(Y))
    assert np.array_equal(found.numpy(), KINDS[kind](X, Y))

"""What is only expressed otherwise is listed, and is no fault."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from safeconvert.graph.view import tidy
from tests.engine import solve
from tests.inject import folded
from tests.onnx_models import cnn, random


def test_a_folded_batchnorm_is_a_reexpression_beside_a_fault(tmp_path: Path) -> None:
    source = cnn()
    target = onnx.ModelProto()
    target.CopyFrom(folded(tidy(source)).model)
    constants = {tensor.name: tensor for tensor in target.graph.initializer}
    dense = next(node for node in target.graph.node if node.op_type in ("Gemm", "MatMul"))
    value = numpy_helper.to_array(constants[dense.input[1]]).copy()
    value[0] += np.float32(3)
    constants[dense.input[1]].CopyFrom(numpy_helper.from_array(value, dense.input[1]))
    shape = [size.dim_value or 1 for size in source.graph.input[0].type.tensor_type.shape.dim][1:]
    found = solve(source, target, {source.graph.input[0].name: random(8, *shape)}, tmp_path)
    assert {fault.kind for fault in found.faults} == {"WB"}
    listed = [(sorted(one.source), sorted(one.target)) for one in found.reexpressions]
    assert (["BatchNormalization", "Conv"], ["Conv"]) in listed, listed


def test_the_same_operators_are_no_reexpression(tmp_path: Path) -> None:
    source = cnn()
    target = onnx.ModelProto()
    target.CopyFrom(source)
    weights = next(tensor for tensor in target.graph.initializer if len(tensor.dims) == 4)
    weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights) * np.float32(2), weights.name))
    shape = [size.dim_value or 1 for size in source.graph.input[0].type.tensor_type.shape.dim][1:]
    found = solve(source, target, {source.graph.input[0].name: random(8, *shape)}, tmp_path)
    assert found.faults and not found.reexpressions

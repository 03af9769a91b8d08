"""Sizes that a source leaves free stay free over several converters, or are fixed with a word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper

import safeconvert
from tests.onnx_models import model, random


class Pooled(torch.nn.Module):
    """Takes any height and width; its graph does too."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = torch.nn.Conv2d(3, 4, 3), torch.nn.Linear(4, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.first(x)).mean((2, 3)))


class Tokens(Pooled):
    """Takes any height and width, through a reshape to two free sizes that Keras does not have."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        tokens = x.reshape(x.shape[0], 4, x.shape[2] * x.shape[3]).transpose(1, 2)
        again = torch.softmax(tokens, 1).transpose(1, 2).reshape(x.shape)
        return self.last(again.amax(3).mean(2))


def _converted(net: torch.nn.Module, folder: Path) -> safeconvert.Conversion:
    torch.manual_seed(0)
    torch.jit.script(net.eval()).save(str(folder / "net.pt"))
    np.save(folder / "x.npy", np.random.default_rng(0).normal(size=(12, 3, 16, 16)).astype(np.float32))
    return safeconvert.convert(folder / "net.pt", "keras", inputs=folder / "x.npy", search=0)


@pytest.mark.converters
def test_a_keras_file_of_a_torch_file_takes_any_size(tmp_path: Path) -> None:
    outcome = _converted(Pooled(), tmp_path)
    assert not [line for line in outcome.predicate["obligations"] if "only" in line]
    assert len(outcome.predicate["other_sizes"]) == 3


@pytest.mark.converters
def test_a_graph_that_needs_its_sizes_gets_them_and_the_user_is_told(tmp_path: Path) -> None:
    outcome = _converted(Tokens(), tmp_path)
    fixed = [line for line in outcome.predicate["obligations"] if "takes size 16" in line]
    assert len(fixed) == 2 and all("source takes any" in line for line in fixed)


@pytest.mark.converters
@pytest.mark.parametrize("route", ["onnx2keras", "keras_ops"])
def test_an_onnx_file_of_any_size_becomes_a_keras_file_of_any_size_by_either_route(route: str, tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["maps"], "conv"),
        helper.make_node("GlobalAveragePool", ["maps"], ["means"], "pool"),
        helper.make_node("Flatten", ["means"], ["y"], "flat"),
    ]
    onnx.save(model(nodes, {"x": ["N", 3, "H", "W"]}, ["y"], {"w": random(4, 3, 3, 3)}), tmp_path / "net.onnx")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(12, 3, 16, 12)).astype(np.float32))
    outcome = safeconvert.convert(tmp_path / "net.onnx", "keras", inputs=tmp_path / "x.npy", route=route, search=0)
    assert not [line for line in outcome.predicate["obligations"] if "only" in line]
    assert len(outcome.predicate["other_sizes"]) == 3


def _pooling(ceil_mode: int) -> list[onnx.NodeProto]:
    pooled = helper.make_node("MaxPool", ["x"], ["p"], "pool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=ceil_mode)
    return [pooled, helper.make_node("GlobalAveragePool", ["p"], ["y"], "mean")]


def _padded(kind: str) -> list[onnx.NodeProto]:
    pads = {"pads": [0, 0, 1, 1]} if kind == "pads" else {"auto_pad": "SAME_UPPER"}
    conv = helper.make_node("Conv", ["x", "w"], ["c"], "conv", strides=[2, 2], kernel_shape=[3, 3], **pads)
    return [conv, helper.make_node("GlobalAveragePool", ["c"], ["y"], "mean")]


def _mean(by: str) -> list[onnx.NodeProto]:
    if by == "mean":
        return [helper.make_node("ReduceMean", ["x"], ["y"], "mean", axes=[2, 3])]
    added = helper.make_node("ReduceSum", ["x", "axes"], ["s"], "sum")
    return [added, helper.make_node("Div", ["s", "count"], ["y"], "mean")]


def _largest(within: str) -> list[onnx.NodeProto]:
    if within == "all":
        return [helper.make_node("GlobalMaxPool", ["x"], ["y"], "max")]
    cut = helper.make_node("Slice", ["x", "begin", "end", "axes"], ["c"], "cut")
    return [cut, helper.make_node("GlobalMaxPool", ["c"], ["y"], "max")]


SAME_AT_SIXTEEN = {
    "rounding of a pooling": (_pooling(1), _pooling(0), 17),
    "padding of a stride": (_padded("same"), _padded("pads"), 16),
    "count of a mean": (_mean("mean"), _mean("count"), 16),
    "end of a slice": (_largest("all"), _largest("sixteen"), 16),
}
CONSTANTS = {
    "w": random(3, 3, 3, 3), "axes": np.array([2, 3]), "count": np.array(256.0, np.float32),
    "begin": np.array([0, 0]), "end": np.array([16, 16]),
}  # fmt: skip


def _file(nodes: list[onnx.NodeProto], path: Path) -> Path:
    read = {name for node in nodes for name in node.input}
    constants = {name: value for name, value in CONSTANTS.items() if name in read}
    onnx.save(model(nodes, {"x": ["N", 3, "H", "W"]}, ["y"], constants), path)
    return path


@pytest.mark.parametrize("name", SAME_AT_SIXTEEN)
def test_a_target_that_is_the_source_at_the_inputs_size_alone_is_refused(name: str, tmp_path: Path) -> None:
    ours, theirs, size = SAME_AT_SIXTEEN[name]
    source, target = _file(ours, tmp_path / "source.onnx"), _file(theirs, tmp_path / "target.onnx")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(12, 3, size, size)).astype(np.float32))
    with pytest.raises(safeconvert.NotEquivalent, match="which both take"):
        safeconvert.verify(source, target, inputs=tmp_path / "x.npy", search=0)
    assert safeconvert.verify(source, source, inputs=tmp_path / "x.npy", search=0)


@pytest.mark.converters
@pytest.mark.parametrize("target", ["keras", "tf", "tflite"])
def test_a_pooling_that_keras_does_not_have_is_converted_for_the_inputs_size_alone(target: str, tmp_path: Path) -> None:
    source = _file(_pooling(1), tmp_path / "source.onnx")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(12, 3, 17, 17)).astype(np.float32))
    outcome = safeconvert.convert(source, target, inputs=tmp_path / "x.npy", search=0)
    fixed = [line for line in outcome.predicate["obligations"] if "takes size 17" in line]
    assert len(fixed) == 2 or len(outcome.predicate["other_sizes"]) == 3

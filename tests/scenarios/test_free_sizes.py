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
    assert len(outcome.predicate["other_sizes"]) == 4


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
    assert len(outcome.predicate["other_sizes"]) == 4


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
    assert len(fixed) == 2 or len(outcome.predicate["other_sizes"]) == 4


def _sequences(folder: Path, where: str, doubled: bool) -> Path:
    """A projection of steps; `doubled` twice it where the number of steps is as `where` says."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m" if doubled else "y"])]
    constants = {"w": random(6, 3)}
    if doubled:
        operator, _, bound = where.partition(" ")
        constants |= {
            "axis": np.array([1]),
            "bound": np.array([int(bound)]),
            "one": np.float32(1),
            "two": np.float32(2),
        }
        nodes += [
            helper.make_node("Shape", ["x"], ["sizes"]),
            helper.make_node("Gather", ["sizes", "axis"], ["steps"]),
            helper.make_node(operator, ["steps", "bound"], ["there"]),
            helper.make_node("Where", ["there", "two", "one"], ["factor"]),
            helper.make_node("Mul", ["m", "factor"], ["y"]),
        ]
    path = folder / f"{'doubled' if doubled else 'plain'}.onnx"
    onnx.save(model(nodes, {"x": ["N", "steps", 6]}, ["y"], constants), path)
    return path


@pytest.mark.parametrize("where", ["Equal 1", "Less 5", "Less 10", "Greater 80"])
def test_a_target_that_is_another_function_of_short_or_long_sequences_is_refused(where: str, tmp_path: Path) -> None:
    source, wrong = (_sequences(tmp_path, where, doubled) for doubled in (False, True))
    with pytest.raises(safeconvert.NotEquivalent, match="which both take"):
        safeconvert.verify(source, wrong, input_shape=(1, 16, 6), search=0)


def _decoder(folder: Path, kind: str) -> Path:
    """A step of a decoder that keeps what came before; `doubled` and `failing` are others where nothing did."""
    nodes = [
        helper.make_node("Concat", ["past", "x"], ["kept"], axis=1),
        helper.make_node("Transpose", ["kept"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["x", "turned"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["shares"], axis=-1),
        helper.make_node("MatMul", ["shares", "kept"], ["y" if kind == "plain" else "read"]),
    ]
    constants: dict[str, np.ndarray] = {}
    if kind != "plain":
        constants = {"axis": np.array([1]), "none": np.array([0]), "one": np.array([1]), "flat": np.array([-1, 1, 6])}
        nodes += [helper.make_node("Shape", ["past"], ["sizes"]), helper.make_node("Gather", ["sizes", "axis"], ["steps"]),
                  helper.make_node("Equal", ["steps", "none"], ["empty"]), helper.make_node("Cast", ["empty"], ["e"], to=7)]  # fmt: skip
    if kind == "doubled":
        nodes += [helper.make_node("Add", ["e", "one"], ["count"]), helper.make_node("Cast", ["count"], ["factor"], to=1),
                  helper.make_node("Mul", ["read", "factor"], ["y"])]  # fmt: skip
    if kind == "failing":  # a row that is not there
        nodes += [helper.make_node("Gather", ["read", "e"], ["y"], axis=1)]
    path = folder / f"{kind}.onnx"
    onnx.save(model(nodes, {"x": ["N", 1, 6], "past": ["N", "P", 6]}, ["y"], constants), path)
    return path


def test_a_step_with_nothing_kept_before_it_is_compared_too(tmp_path: Path) -> None:
    """Inputs of one rank whose free sizes differ are each fed as the source's of the same name."""
    shapes = {"x": (1, 1, 6), "past": (1, 4, 6)}
    source = _decoder(tmp_path, "plain")
    found = safeconvert.verify(source, source, input_shape=shapes, search=0).predicate["other_sizes"]
    assert [shape for shape in found if "[2, 0, 6]" in shape]
    with pytest.raises(safeconvert.NotEquivalent, match=r"past \[2, 0, 6\]"):
        safeconvert.verify(source, _decoder(tmp_path, "doubled"), input_shape=shapes, search=0)


def test_a_target_that_does_not_run_on_nothing_is_compared_at_all_other_sizes(tmp_path: Path) -> None:
    shapes = {"x": (1, 1, 6), "past": (1, 4, 6)}
    found = safeconvert.verify(_decoder(tmp_path, "plain"), _decoder(tmp_path, "failing"), input_shape=shapes, search=0)
    sizes = found.predicate["other_sizes"]
    assert len(sizes) == 4 and not [shape for shape in sizes if "[2, 0, 6]" in shape]

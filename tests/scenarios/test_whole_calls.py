"""A model whose axis 0 counts no samples is fed whole calls, and its outputs are compared as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

import safeconvert
from safeconvert.core.signature import Signature, TensorSpec, has_batch
from safeconvert.inputs.generate import generate
from safeconvert.inputs.open import open_inputs
from safeconvert.inputs.store import materialise
from tests.command import safeconvert as command
from tests.onnx_models import model

TWO = Signature((TensorSpec("a", (4, 3), "float32"), TensorSpec("b", (3, 5), "float32")), ())


def signature(inputs: list[tuple[int | None, ...]], outputs: list[tuple[int | None, ...]]) -> Signature:
    return Signature(
        tuple(TensorSpec(f"x{n}", shape, "float32") for n, shape in enumerate(inputs)),
        tuple(TensorSpec(f"y{n}", shape, "float32") for n, shape in enumerate(outputs)),
    )


@pytest.mark.parametrize(
    ("inputs", "outputs", "batch"),
    [
        ([(None, 3)], [(None, 2)], True), ([(8, 3), (8, 4)], [(8, 2)], True), ([(1, 3)], [(1, 2)], True),
        ([(None, 3)], [()], True), ([(4, 3), (3, 5)], [(4, 5)], False), ([(2, 3), ()], [(2, 3)], False),
        ([(3, 4)], [(1, 4)], False), ([(3, 4)], [()], False),
    ],
)  # fmt: skip
def test_whether_a_model_has_a_batch_is_read_off_its_shapes(inputs: list, outputs: list, batch: bool) -> None:
    assert has_batch(signature(inputs, outputs)) is batch


def test_generated_calls_have_the_declared_shapes_and_a_chunk_each(tmp_path: Path) -> None:
    made = generate(TWO, 3, 0, {})
    chunks = materialise(made, tmp_path, 32, lambda count: None)
    assert made.whole and [(chunk.start, chunk.stop, chunk.whole) for chunk in chunks] == [
        (0, 1, True), (1, 2, True), (2, 3, True),
    ]  # fmt: skip
    assert [np.load(chunks[0].arrays[name]).shape for name in ("a", "b")] == [(4, 3), (3, 5)]


def test_arrays_of_one_axis_more_are_calls_and_arrays_as_declared_are_one(tmp_path: Path) -> None:
    one, many = tmp_path / "one.npz", tmp_path / "many.npz"
    np.savez(one, a=np.ones((4, 3), "f4"), b=np.ones((3, 5), "f4"))
    np.savez(many, a=np.ones((7, 4, 3), "f4"), b=np.ones((7, 3, 5), "f4"))
    assert [(made.whole, made.count) for made in (open_inputs(path, TWO, None, None) for path in (one, many))] == [
        (True, 1), (True, 7),
    ]  # fmt: skip
    rows = tmp_path / "rows.npy"
    np.save(rows, np.ones((4, 3), "f4"))
    assert not open_inputs(rows, signature([(None, 3)], [(None, 3)]), None, None).whole


@pytest.mark.converters
def test_a_product_of_two_matrices_and_a_sum_over_all_are_verified(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["a", "b"], ["y"], "product"),
             helper.make_node("ReduceMax", ["y"], ["z"], "largest", axes=[0], keepdims=0)]  # fmt: skip
    source = tmp_path / "product.onnx"
    onnx.save(model(nodes, {"a": [4, 3], "b": [3, 5]}, ["y", "z"]), source)
    made = safeconvert.convert(source, "torch", output=tmp_path / "product.pt2")
    (figures,) = [
        pair for name, pair in made.predicate["verification"].items() if name == "source native vs target native"
    ]
    assert made.exit_code == 0 and figures["samples"] == 32 and figures["disagreements"] == 0
    assert any(note.startswith("rewritten before the converter: ") for note in made.predicate["notes"])


@pytest.mark.converters
def test_a_wrong_target_of_whole_calls_is_localized_and_repaired(tmp_path: Path) -> None:
    """The product of two matrices has no batch; the constant behind it is another in the target."""
    nodes = [
        helper.make_node("MatMul", ["a", "b"], ["p"], "product"),
        helper.make_node("Add", ["p", "c"], ["y"], "shift"),
    ]
    made = [
        model(nodes, {"a": [4, 3], "b": [3, 5]}, ["y"], {"c": np.arange(5, dtype=np.float32) + offset})
        for offset in (0, 1)
    ]
    for name, graph in zip(("source", "target"), made, strict=True):
        onnx.save(graph, tmp_path / f"{name}.onnx")
    called = command(
        "repair", tmp_path / "source.onnx", tmp_path / "target.onnx", "-o", tmp_path / "fixed.onnx", "--json"
    )
    assert called.code == 0, called.text
    (fault,) = called.json["predicate"]["faults"]
    assert (fault["kind"], fault["target"]) == ("WB", "shift") and fault["proven"]

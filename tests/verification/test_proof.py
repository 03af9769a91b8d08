"""What a certificate says of a pair beyond the inputs that were tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx

import safeconvert
from tests.prove.graphs import Builder, numbers


def small(path: Path, folded: bool, halves: bool = False) -> Path:
    """A linear layer and its scale, apart or folded; the Relu behind it may be said as half the sum of a number and its magnitude."""
    b = Builder(["n", 4])
    weights, factor = numbers((4, 3), 1), numbers((3,), 2)
    if folded:
        made = b("Gemm", "x", b.constant(weights * factor), b.constant(numbers((3,), 3) * factor))
    else:
        made = b(
            "Mul", b("Add", b("MatMul", "x", b.constant(weights)), b.constant(numbers((3,), 3))), b.constant(factor)
        )
    made = b("Mul", b("Add", made, b("Abs", made)), b.constant(0.5)) if halves else b("Relu", made)
    onnx.save(onnx.shape_inference.infer_shapes(b.model(made)), path)
    return path


def proof(source: Path, target: Path) -> Any:
    found = safeconvert.verify(source, target, samples=24)
    assert found.predicate["verdict"] == "verified"
    return found.predicate["proof"]


def test_another_expression_of_the_source_is_proven_end_to_end(tmp_path: Path) -> None:
    found = proof(small(tmp_path / "a.onnx", False), small(tmp_path / "b.onnx", True))
    assert found["level"] == "native" and not found["unproven"]
    assert 0 < found["apart"] < 1e-6, "the factor was folded in float32, and the proof says by how much that rounds"


def test_between_one_graph_and_itself_there_is_nothing_to_prove(tmp_path: Path) -> None:
    found = proof(small(tmp_path / "a.onnx", False), small(tmp_path / "b.onnx", False))
    assert found["level"] == "sampled" and "nothing to prove" in found["reason"]


def test_what_no_axiom_relates_is_not_proven_and_named(tmp_path: Path) -> None:
    found = proof(small(tmp_path / "a.onnx", False), small(tmp_path / "b.onnx", True, halves=True))
    assert found["level"] == "sampled"
    assert [one["operator"] for one in found["unproven"]] == ["Abs"]

"""What a certificate says of a pair beyond the inputs that were tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx

import safeconvert
from safeconvert.certificate.check import read_certificate
from safeconvert.certificate.envelope import write_certificate
from safeconvert.certificate.statement import build_statement
from safeconvert.report.proof import proof_line, proof_words
from tests.command import safeconvert as called
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


def proof(source: Path, target: Path, **options: Any) -> Any:
    found = safeconvert.verify(source, target, samples=24, **options)
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


def counted(path: Path, folded: bool) -> Path:
    """A linear layer and its scale, apart or folded, behind places that are counted as far as the sequence is long."""
    b = Builder(["n", "steps", 4])
    length = b("Gather", b("Shape", "x"), b.constant(1, np.int64))
    places = b("Range", b.constant(0, np.int64), length, b.constant(1, np.int64))
    moved = b("Add", "x", b("Unsqueeze", b("Cast", places, to=onnx.TensorProto.FLOAT), b.ints(1)))
    weights, factor = numbers((4, 3), 1), numbers((3,), 2)
    made = b("MatMul", moved, b.constant(weights * factor if folded else weights))
    made = made if folded else b("Mul", made, b.constant(factor))
    onnx.save(onnx.shape_inference.infer_shapes(b.model(b("Relu", made))), path)
    return path


def test_what_computes_with_a_size_is_proven_for_the_sizes_of_the_run_alone(tmp_path: Path) -> None:
    found = proof(counted(tmp_path / "a.onnx", False), counted(tmp_path / "b.onnx", True), input_shape=(1, 6, 4))
    assert (found["level"], found["alone"]) == ("native", True)
    [shape] = found["sizes"].values()
    assert shape[0] == 1 and shape[2] == 4
    assert proof_words(found) == "proven end to end at these sizes alone"
    assert "these sizes alone" in proof_line(found)


def test_a_certificate_that_keeps_silent_about_it_is_refused(tmp_path: Path) -> None:
    source, target = counted(tmp_path / "a.onnx", False), counted(tmp_path / "b.onnx", True)
    certificate = tmp_path / "c.json"
    assert (
        called("verify", source, target, "--samples", "24", "--input-shape", "1,6,4", "--certificate", certificate).code
        == 0
    )
    assert called("check", "--proof", certificate).code == 0
    predicate = read_certificate(certificate)
    predicate["proof"]["alone"] = False
    write_certificate(certificate, build_statement("b.onnx", predicate["target"]["sha256"], predicate), None)
    refused = called("check", "--proof", certificate)
    assert refused.code != 0 and "for its sizes alone" in refused.text

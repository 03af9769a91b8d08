"""The checker alone: it accepts the prover's proofs, and none that was altered, unless what it then says is true as well."""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from safeconvert.core.proof import encoded
from safeconvert.prove.checker.check import check
from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.prover import prove
from tests.command import ROOT
from tests.prove.graphs import Builder, contract, numbers
from tests.prove.test_axioms import CASES

NAMES = sorted(CASES)


@cache
def proven(name: str) -> tuple[onnx.ModelProto, onnx.ModelProto, str]:
    """A pair and its proof, as text."""
    right, _, inputs, outputs = CASES[name]
    source, target = right()
    found = prove(source, target, contract(inputs, outputs))
    return source, target, encoded(found.document).decode()


def apart(source: onnx.ModelProto, target: onnx.ModelProto, statement: dict[str, Any]) -> float:
    """How far both are apart when they run, relatively, at the sizes and in the orders of axes that a proof states."""
    [one], [out] = statement["inputs"], statement["outputs"]
    x = (4 * numbers(one["shape"], 3)).astype(np.float32)
    theirs = x if one["order"] is None else np.ascontiguousarray(x.transpose(one["order"]))
    left, right = (
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(
            None, {"x": fed}
        )[0]
        for model, fed in ((source, x), (target, theirs))
    )
    left = left if out["order"] is None else left.transpose(out["order"])
    return float(np.abs(left - right).max() / max(float(np.abs(left).max()), 1e-30))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field of a proof, lists and objects too."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))


def altered(value: Any, kind: int, other: Any) -> Any:
    """Something else in place of a field."""
    if isinstance(value, list):
        return [value[:-1], [*value, *(value[-1:] or [0])], value[::-1], None, [*value[1:], *value[:1]]][kind]
    if isinstance(value, dict):
        return [{}, None, list(value), dict(list(value.items())[1:]), other][kind]
    if isinstance(value, str):
        return ["", value + "_", other if isinstance(other, str) else "x", None, 0][kind]
    if value is None:
        return [[], [0], [1, 0], 0, [0, 2, 3, 1]][kind]
    return [value + 1, value - 1, -value, None, value / 2][kind]


@pytest.mark.parametrize("name", NAMES)
def test_a_proof_is_verified_from_both_graphs_alone_and_has_the_same_bytes_again(name: str) -> None:
    source, target, text = proven(name)
    shown = check(source, target, json.loads(text))
    assert shown.axioms and shown.sizes
    right, _, inputs, outputs = CASES[name]
    assert encoded(prove(*right(), contract(inputs, outputs)).document).decode() == text


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_an_altered_proof_is_refused_or_true_as_well(data: st.DataObject) -> None:
    source, target, text = proven(data.draw(st.sampled_from(NAMES)))
    document = json.loads(text)
    paths = [path for path in leaves(document) if path and path[0] != "forms"]
    path = data.draw(st.sampled_from(paths))
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    before = copy.deepcopy(holder[path[-1]])
    after = altered(
        before, data.draw(st.integers(0, 4)), data.draw(st.sampled_from(["x", "y", "t0_0", "t1_0", "sums", 3, 0]))
    )
    holder[path[-1]] = after
    try:
        check(source, target, document)
    except Refused:
        return
    assert after == before or apart(source, target, document["statement"]) < 1e-4, (path, before, after)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.data())
def test_the_proof_of_one_target_is_none_of_an_altered_one(data: st.DataObject) -> None:
    source, target, text = proven(data.draw(st.sampled_from(NAMES)))
    changed = onnx.ModelProto()
    changed.CopyFrom(target)
    graph = changed.graph
    attributes = [a for node in graph.node for a in node.attribute]
    if attributes and data.draw(st.booleans()):
        attribute = data.draw(st.sampled_from(attributes))
        step = data.draw(st.sampled_from([-1, 1, 2]))
        if attribute.type == onnx.AttributeProto.INTS:
            attribute.ints[data.draw(st.integers(0, len(attribute.ints) - 1))] += step
        elif attribute.type == onnx.AttributeProto.INT:
            attribute.i += step
        else:
            attribute.f += step
    elif graph.initializer:
        place = data.draw(st.integers(0, len(graph.initializer) - 1))
        array = numpy_helper.to_array(graph.initializer[place]).copy()
        array.flat[data.draw(st.integers(0, array.size - 1))] += 1
        graph.initializer[place].CopyFrom(numpy_helper.from_array(array, graph.initializer[place].name))
    document = json.loads(text)
    try:
        check(source, changed, document)
    except Refused:
        return
    assert apart(source, changed, document["statement"]) < 1e-4


def test_a_proof_that_is_no_proof_is_refused() -> None:
    source, target, _ = proven(NAMES[0])
    for nothing in (
        {},
        {"schema": 1},
        {"schema": 2, "statement": {}, "steps": []},
        {"schema": 1, "statement": 3, "steps": 4},
    ):
        with pytest.raises(Refused):
            check(source, target, nothing)


@pytest.mark.parametrize("shape", [[7, 3], [0, 4], [-1, 4], [7]])
def test_sizes_that_an_input_does_not_take_are_refused(shape: list[int]) -> None:
    b = Builder(["n", 4])
    model = b.model(b("Exp", "x"))
    document = json.loads(encoded(prove(model, model, contract()).document))
    document["statement"]["inputs"][0]["shape"] = shape
    with pytest.raises(Refused, match=r"does not take|damaged"):
        check(model, model, document)


def code_lines(path: Path) -> int:
    """Lines of a module without docstrings, comments and blank ones."""
    text = path.read_text(encoding="utf-8")
    skipped: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            skipped |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in skipped for number, line in lines
    )


def test_the_checker_is_small() -> None:
    folder = ROOT / "safeconvert" / "prove"
    assert sum(code_lines(path) for part in ("checker", "kernel") for path in (folder / part).glob("*.py")) <= 500

"""LiteRT's integer arithmetic said in ONNX: bit by bit what LiteRT computes with XNNPACK, operator by operator, or refused by name."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter

from safeconvert.errors import UnusableInput
from tests.command import ROOT
from tests.program import KERAS, run_program

sys.path.insert(0, str(ROOT))
from adapters.tflite_ops.adapter import written
from adapters.tflite_ops.table import OPERATORS, SIXTEEN

pytestmark = pytest.mark.converters
PROGRAM = Path(__file__).parent / "programs" / "integers.py"
QUICK = (
    "CONV_2D-relu",
    "ADD",
    "MUL-sigmoid",
    "MEAN",
    "AVERAGE_POOL_2D-same",
    "SOFTMAX",
    "TRANSPOSE_CONV",
    "BATCH_MATMUL",
    "BATCH_MATMUL-plain",
)
QUICK_WORDS = (
    "CONV_2D-relu",
    "FULLY_CONNECTED",
    "ADD-relu",
    "MUL",
    "MEAN-kept",
    "BATCH_MATMUL",
    "AVERAGE_POOL_2D-same",
    "SOFTMAX",
    "TANH",
)
SAMPLES = 200
MEANS = 20_000  # of two thousand samples one lies so near a half that it tells a zero point before the rounding from one behind it
SUMS = 1500


def steps_apart(path: Path, samples: int = SAMPLES) -> int:
    """The largest distance between LiteRT and ONNX Runtime on random bytes or words, in steps of the output's scale."""
    native = Interpreter(model_content=path.read_bytes())
    native.allocate_tensors()
    given, made = native.get_input_details()[0], native.get_output_details()[0]
    session = onnxruntime.InferenceSession(written(str(path)).SerializeToString())
    name = session.get_inputs()[0].name
    random, farthest = np.random.default_rng(0), 0
    for _ in range(samples):
        limits = np.iinfo(given["dtype"])
        fed = random.integers(limits.min, limits.max + 1, given["shape"]).astype(given["dtype"])
        native.set_tensor(given["index"], fed)
        native.invoke()
        expected = native.get_tensor(made["index"])
        found = session.run(None, {name: fed})[0]
        assert found.dtype == expected.dtype == given["dtype"] and found.shape == expected.shape
        farthest = max(farthest, int(np.abs(found.astype(int) - expected.astype(int)).max()))
    return farthest


def test_means_are_exact_where_they_lie_next_to_a_half(tmp_path: Path) -> None:
    run_program(PROGRAM, tmp_path, "MEAN", modules=KERAS)
    assert steps_apart(tmp_path / "MEAN.tflite", MEANS) == 0


def operators(path: Path) -> set[str]:
    native = Interpreter(model_content=path.read_bytes())
    return {operator["op_name"] for operator in native._get_ops_details()}


def test_the_commonest_operators_are_bit_by_bit_those_of_litert(tmp_path: Path) -> None:
    run_program(PROGRAM, tmp_path, *QUICK, modules=KERAS)
    assert {name: steps_apart(tmp_path / f"{name}.tflite") for name in QUICK} == dict.fromkeys(QUICK, 0)


@pytest.mark.slow
def test_every_operator_is_bit_by_bit_that_of_litert(tmp_path: Path) -> None:
    run_program(PROGRAM, tmp_path, modules=KERAS)
    files = sorted(tmp_path.glob("*.tflite"))
    assert len(files) >= 75
    assert {path.stem: steps for path in files if (steps := steps_apart(path))} == {}
    seen = set().union(*map(operators, files))
    assert {path.stem.partition("-")[0] for path in files} <= seen | {"RELU6"}


def test_words_of_16_bits_are_bit_by_bit_those_of_litert(tmp_path: Path) -> None:
    run_program(PROGRAM, tmp_path, "--sixteen", *QUICK_WORDS, modules=KERAS)
    assert {name: steps_apart(tmp_path / f"{name}.tflite") for name in QUICK_WORDS} == dict.fromkeys(QUICK_WORDS, 0)


def test_sums_of_words_are_exact_where_they_lie_next_to_a_half(tmp_path: Path) -> None:
    """Of a hundred thousand values one tells a side that is rounded once, as in an ADD of one shape, from one that is rounded twice."""
    names = ("ADD", "ADD-constant", "SUB")
    run_program(PROGRAM, tmp_path, "--sixteen", *names, modules=KERAS)
    assert {name: steps_apart(tmp_path / f"{name}.tflite", SUMS) for name in names} == dict.fromkeys(names, 0)


@pytest.mark.slow
def test_every_operator_on_words_is_bit_by_bit_that_of_litert(tmp_path: Path) -> None:
    run_program(PROGRAM, tmp_path, "--sixteen", modules=KERAS)
    files = sorted(tmp_path.glob("*.tflite"))
    assert len(files) >= 47
    assert {path.stem: steps for path in files if (steps := steps_apart(path))} == {}


def test_what_is_not_said_in_16_bits_is_refused_by_name(tmp_path: Path) -> None:
    run_program(PROGRAM, tmp_path, "--sixteen", "SUM", modules=KERAS)
    with pytest.raises(UnusableInput, match=r"SUM.* is not supported in 16 bits"):
        written(str(tmp_path / "SUM.tflite"))


def test_the_page_names_exactly_these_operators() -> None:
    page = (ROOT / "docs" / "quantization.md").read_text(encoding="utf-8")
    table = page.partition("| operators | how LiteRT computes them")[2].partition("\n\n")[0]
    named = [name for row in table.splitlines()[2:] for name in re.findall(r"`([A-Z0-9_]+)`", row.split("|")[1])]
    assert set(named) == set(OPERATORS)
    paragraph = page.partition("Words of 16 bits")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([A-Z0-9_]+)`", paragraph)) == set(SIXTEEN)


@pytest.mark.parametrize(
    ("name", "says"), [("float", "nothing in eight or 16 bits"), ("unknown", "L2_NORMALIZATION.* is not supported")]
)
def test_what_cannot_be_said_exactly_is_refused_by_name(name: str, says: str, tmp_path: Path) -> None:
    run_program(PROGRAM, tmp_path, name, modules=KERAS)
    with pytest.raises(UnusableInput, match=says):
        written(str(tmp_path / f"{name}.tflite"))


def test_sums_beyond_24_bits_are_taken_in_parts(tmp_path: Path) -> None:
    run_program(PROGRAM, tmp_path, "CONV_2D-wide", modules=KERAS)
    made = written(str(tmp_path / "CONV_2D-wide.tflite"))
    kinds = [node.op_type for node in made.graph.node]
    assert kinds.count("Conv") > 3 and onnx.TensorProto.DOUBLE in {
        attribute.i for node in made.graph.node if node.op_type == "Cast" for attribute in node.attribute
    }
    assert steps_apart(tmp_path / "CONV_2D-wide.tflite") == 0

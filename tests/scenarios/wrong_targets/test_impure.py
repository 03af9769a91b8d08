"""Targets that are equal in the calls that are made, and need not be in others: they draw random numbers, or remember calls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import safeconvert
from safeconvert.errors import NotEquivalent

pytestmark = pytest.mark.converters
PROGRAM = Path(__file__).parents[1] / "programs" / "impure.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("impure")
    subprocess.run([sys.executable, PROGRAM, folder], check=True, capture_output=True)
    random = np.random.default_rng(0)
    constants = {"w": random.normal(size=(4, 3)), "b": random.normal(size=3), "little": 1e-6, "none": 0.0}
    numbers = [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants.items()]
    numbers.append(numpy_helper.from_array(np.array(True), "yes"))
    _save(folder / "source.onnx", numbers, [])
    below, zero = helper.make_node("Less", ["r", "little"], ["c"]), helper.make_node("Mul", ["s", "none"], ["z"])
    rarely = [below, zero, helper.make_node("Where", ["c", "z", "s"], ["y"])]
    _save(folder / "drawn.onnx", numbers, [helper.make_node("RandomUniformLike", ["s"], ["r"]), *rarely])
    _save(folder / "seeded.onnx", numbers, [helper.make_node("RandomUniform", [], ["r"], shape=[1], seed=3.0), *rarely])
    dead = [helper.make_node("RandomUniform", [], ["r"], shape=[1]), helper.make_node("Dropout", ["s"], ["y"])]
    _save(folder / "dead.onnx", numbers, dead)
    drop = helper.make_node("Dropout", ["s", "none", "yes"], ["y"])  # of nothing, but drawn
    _save(folder / "training.onnx", numbers, [drop])
    return folder


def _save(path: Path, numbers: list[onnx.TensorProto], more: list[onnx.NodeProto]) -> None:
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["g"]),
        helper.make_node("Softmax", ["g"], ["s" if more else "y"]),
    ]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size]) for name, size in (("x", 4), ("y", 3)))
    graph = helper.make_graph([*nodes, *more], "net", [x], [y], numbers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("in place.pt", "changes its own count while it runs"),
        ("attribute.pt", "changes its own calls while it runs"),
        ("drawn.pt", "draws random numbers"),
        ("counted_saved_model", "AssignAddVariableOp"),
        ("drawn_saved_model", "draws random numbers at"),
        ("branch_saved_model", "draws random numbers at"),
        ("drawn.tflite", "RANDOM_UNIFORM"),
        ("drawn.onnx", "RandomUniformLike"),
        ("seeded.onnx", "RandomUniform"),
        ("training.onnx", "Dropout"),
    ],
)
def test_a_target_that_draws_or_remembers_is_no_function_and_says_where(target: str, said: str, made: Path) -> None:
    with pytest.raises(NotEquivalent, match="no function of its inputs") as caught:
        safeconvert.verify(made / "source.onnx", made / target, search=0)
    assert said in str(caught.value)


@pytest.mark.parametrize("target", ["right.pt", "stateless_saved_model", "dead.onnx"])
def test_what_is_drawn_for_nothing_or_by_a_fixed_seed_is_a_function(target: str, made: Path) -> None:
    outcome = safeconvert.verify(made / "source.onnx", made / target, search=0)
    assert not [line for line in outcome.predicate["obligations"] if "training" in line]


def test_an_archive_saved_in_training_mode_is_verified_with_an_obligation(made: Path) -> None:
    outcome = safeconvert.verify(made / "source.onnx", made / "training.pt", search=0)
    assert [line for line in outcome.predicate["obligations"] if "training mode" in line and "dropout" in line]


def test_a_source_that_remembers_is_said_to(made: Path) -> None:
    outcome = safeconvert.verify(made / "in place.pt", made / "source.onnx", input_shape=["2,4"], search=0)
    assert any("changes its own count" in line for line in outcome.predicate["remarks"])


def test_states_of_keras_layers_are_seen_and_those_of_plain_ones_are_not(made: Path) -> None:
    program = (
        "import sys, numpy as np; from adapters.keras.adapter import load\n"
        "from safeconvert.adapter_api.protocol import ModelRequest\n"
        "model = load(ModelRequest(sys.argv[1], {}).to_json()); x = model.signature().inputs[0]\n"
        "model.predict({x.name: np.ones((1, 5, 4), 'float32')}); print(model.impurities())"
    )
    found = [
        subprocess.run([sys.executable, "-c", program, made / name], check=True, capture_output=True, text=True).stdout
        for name in ("stateful.keras", "plain.keras")
    ]
    assert "changes its own gru/" in found[0].splitlines()[-1] and found[1].splitlines()[-1] == "[]"

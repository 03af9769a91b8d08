"""The last-resort converters: operators of every family against onnx' own cases, and files that stand alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.command import safeconvert
from tests.onnx_models import cnn, model, random, run
from tests.program import KERAS, TORCH, run_program

pytestmark = pytest.mark.converters
PROGRAMS = Path(__file__).parent / "programs"


@pytest.mark.slow
@pytest.mark.parametrize(("back_end", "every", "least"), [("torch", 1, 1500), ("keras", 7, 215)])
def test_no_operator_of_onnx_own_suite_is_wrong(back_end: str, every: int, least: int) -> None:
    modules = TORCH if back_end == "torch" else KERAS
    found = json.loads(run_program(PROGRAMS / "onnx_suite.py", back_end, every, modules=modules).splitlines()[-1])
    assert found["wrong"] == []
    assert found["right"] >= least


def shuffled() -> onnx.ModelProto:
    """A CNN whose channels are shuffled with shapes read at run time, gated by what neither onnx2keras nor onnx2torch has."""
    base = cnn(seed=3)
    nodes = list(base.graph.node)
    tail = next(place for place, node in enumerate(nodes) if node.op_type == "Flatten")
    front = nodes[tail].input[0]
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in base.graph.initializer} | {
        "zero": np.array(0), "first": np.array([0]), "rest": np.array([2, 3, -1]), "table": random(6, 6, 6, seed=9),
        "back": np.array([0, 6, 6, 6]),
    }  # fmt: skip
    nodes[tail].input[0] = "mixed"
    nodes[tail:tail] = [
        helper.make_node("Shape", [front], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["batch"]),
        helper.make_node("Unsqueeze", ["batch", "first"], ["batch1"]),
        helper.make_node("Concat", ["batch1", "rest"], ["grouped_shape"], axis=0),
        helper.make_node("Reshape", [front, "grouped_shape"], ["grouped"]),
        helper.make_node("Transpose", ["grouped"], ["turned"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["turned", "back"], ["restored"]),
        helper.make_node("HardSigmoid", ["restored"], ["gate"]),
        helper.make_node("Mul", ["gate", "table"], ["weighted"]),
        helper.make_node("LpPool", ["weighted"], ["pooled"], kernel_shape=[2, 2], pads=[0, 0, 1, 1]),
        helper.make_node("Erf", ["pooled"], ["mixed"]),
    ]
    return model(nodes, {"x": ["N", 3, 12, 12]}, ["y"], constants)


@pytest.mark.slow
@pytest.mark.parametrize(("target", "adapter"), [("keras", "keras_ops"), ("torch", "torch_ops")])
def test_where_the_converter_refuses_the_target_stands_alone_and_keeps_its_batch_free(
    target: str, adapter: str, tmp_path: Path
) -> None:
    made = shuffled()
    onnx.save(made, tmp_path / "source.onnx")
    path = tmp_path / f"target{'.keras' if target == 'keras' else '.pt2'}"
    done = safeconvert("convert", tmp_path / "source.onnx", "--to", target, "-o", path, "--samples", "8", "--json")
    assert done.code == 0, done.text
    outcomes = [(attempt["route"], attempt["outcome"]) for attempt in done.json["attempts"]]
    assert outcomes[0][1] in ("crashed", "skipped")  # the real converter
    assert outcomes[-1] == (adapter, "verified")
    last = "target takes the source's dimensions in the order [0, 2, 3, 1]"  # as by onnx2keras
    assert done.json["predicate"]["obligations"] == ([f"input x: {last}"] if target == "keras" else [])
    for batch in (1, 5):
        x = random(batch, 3, 12, 12, seed=batch)
        np.save(tmp_path / "x.npy", x.transpose(0, 2, 3, 1) if target == "keras" else x)
        arguments = [str(path), str(tmp_path / "x.npy"), str(tmp_path / "y.npy")]
        alone = subprocess.run(
            [sys.executable, "-I", str(PROGRAMS / "alone.py"), *arguments], cwd=tmp_path, capture_output=True, text=True
        )
        assert alone.returncode == 0, alone.stderr[-2000:]
        np.testing.assert_allclose(np.load(tmp_path / "y.npy"), run(made, {"x": x})[0], rtol=1e-4, atol=1e-5)


def test_the_interface_is_the_same_by_either_way_to_keras(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["maps"], pads=[1, 1, 1, 1]),
        helper.make_node("GlobalAveragePool", ["maps"], ["means"]),
        helper.make_node("Flatten", ["means"], ["y"]),
    ]
    made = model(nodes, {"x": ["N", 3, 8, 8]}, ["maps", "y"], {"w": random(4, 3, 3, 3, seed=1)})
    onnx.save(made, tmp_path / "source.onnx")
    faces = []
    for route in ("onnx2keras", "keras_ops"):
        path = tmp_path / f"{route}.keras"
        done = safeconvert("convert", tmp_path / "source.onnx", "--to", "keras", "-o", path, "--route", route, "--json")
        assert done.code == 0, done.text
        contract = done.json["predicate"]["contract"]
        faces.append(
            [(one["target"]["name"], one["target"]["shape"]) for one in (*contract["inputs"], *contract["outputs"])]
        )
    assert faces[0] == faces[1] == [("x", [None, 8, 8, 3]), ("maps", [None, 8, 8, 4]), ("y", [None, 4])]


def test_tensorflow_operators_in_tflite_are_an_obligation_and_unverified_where_they_do_not_run(tmp_path: Path) -> None:
    onnx.save(shuffled(), tmp_path / "source.onnx")
    done = safeconvert(
        "convert", tmp_path / "source.onnx", "--to", "tflite", "-o", tmp_path / "target.tflite", "--samples", "8",
        "--route", "keras_ops,tflite_converter", "--allow-select-tf-ops", "--json",
    )  # fmt: skip
    assert [line for line in done.json["predicate"]["obligations"] if "FlexErf" in line], done.text
    # the interpreter of TensorFlow 2.21 has no Flex delegate
    assert done.code == 0 or (done.code == 3 and "Flex delegate" in done.json["reason"])
    assert (tmp_path / "target.tflite").exists() == (done.code == 0)


def test_what_cannot_be_said_is_refused_by_name(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Unique", ["x"], ["values"], "search"),
        helper.make_node("Cast", ["values"], ["y"], to=onnx.TensorProto.FLOAT),
    ]
    onnx.save(model(nodes, {"x": ["N", 3]}, ["y"]), tmp_path / "source.onnx")
    done = safeconvert("convert", tmp_path / "source.onnx", "--to", "keras", "--route", "keras_ops")
    assert done.code == 3 and "operator Unique at node search" in done.text, done.text


@pytest.mark.parametrize(("target", "adapter"), [("keras", "keras_ops"), ("torch", "torch_ops")])
def test_rows_of_a_free_batch_are_picked_by_index_tuples(target: str, adapter: str, tmp_path: Path) -> None:
    """As transformers index their masks: by the number of the sample and a column."""
    nodes = [
        helper.make_node("Shape", ["x"], ["sizes"], start=0, end=1),
        helper.make_node("Squeeze", ["sizes"], ["count"]),
        helper.make_node("Range", ["zero", "count", "one"], ["rows"]),
        helper.make_node("Unsqueeze", ["rows", "last"], ["row"]),
        helper.make_node("Concat", ["sizes", "three"], ["shape"], axis=0),
        helper.make_node("Expand", ["row", "shape"], ["all_rows"]),
        helper.make_node("Expand", ["columns", "shape"], ["all_columns"]),
        helper.make_node("Unsqueeze", ["all_rows", "pair"], ["first"]),
        helper.make_node("Unsqueeze", ["all_columns", "pair"], ["second"]),
        helper.make_node("Concat", ["first", "second"], ["places"], axis=2),
        helper.make_node("GatherND", ["x", "places"], ["y"], "pick"),
    ]
    constants = {"zero": np.array(0), "one": np.array(1), "last": np.array([1]), "pair": np.array([2]), "three": np.array([3]),
                 "columns": np.array([[4, 0, -2]])}  # fmt: skip
    onnx.save(model(nodes, {"x": ["N", 5]}, ["y"], constants), tmp_path / "source.onnx")
    path = tmp_path / f"target{'.keras' if target == 'keras' else '.pt2'}"
    flags = ("--route", adapter, "--samples", 8, "--json")
    done = safeconvert("convert", tmp_path / "source.onnx", "--to", target, "-o", path, *flags)
    assert done.code == 0, done.text
    assert not done.json["predicate"]["obligations"]  # the batch is free


def test_a_number_that_a_model_is_fed_stays_one_in_a_saved_model(tmp_path: Path) -> None:
    printed = run_program(PROGRAMS / "scalar_input.py", tmp_path, modules=KERAS).splitlines()
    assert printed[-2:] == ["{'most': [], 'x': [None, 3]}", "[[1.0, 2.0, 2.5], [2.5, 2.5, 1.0]]"]


def _named(inputs: list[str], outputs: list[str]) -> onnx.ModelProto:
    """A product with weights twice, each beside an image that is one; outputs that are inputs are given as they are."""
    made = [name for name in outputs if name not in inputs]
    nodes = [helper.make_node("Sum", inputs, ["sum"]), helper.make_node("MatMul", ["sum", "w"], ["product"])]
    nodes.append(helper.make_node("MatMul", ["product", "w"], ["again"]))
    nodes += [helper.make_node("Add", ["again", f"number {place}"], [name]) for place, name in enumerate(made)]
    numbers = {f"number {place}": np.array([place], dtype=np.float32) for place in range(len(made))}
    graph = model(nodes, {name: ["N", 4] for name in inputs}, made, {"w": random(4, 4)} | numbers)
    graph.graph.output.extend(value for value in graph.graph.input if value.name in outputs)
    return graph


NAMES = [
    (["x"], ["dense"], ["x"], ["dense"]),  # as Keras calls a layer
    (["add"], ["dense_1", "add_2"], ["add"], ["dense_1", "add_2"]),  # an operation, and the second of them
    (["dense"], ["matmul", "identity"], ["dense"], ["matmul", "identity"]),
    (["x"], ["a/b", "a:b", "a_b"], ["x"], ["a_b", "a_b_1", "a_b_2"]),  # told by what Keras forbids alone
    (["x"], ["y", "x"], ["x"], ["y", "x"]),  # an input that is an output
    (["/x", "X", "x"], ["/y", "1", "a.b"], ["x", "X_1", "x_2"], ["_y", "1", "a.b"]),  # TensorFlow's arguments know no case
    (["a-b", "a.b", "1", "class", "\u00fc"], ["y"], ["a-b", "a.b_1", "1", "v_class", "value"], ["y"]),
]  # fmt: skip


def test_ends_are_called_as_in_the_graph_and_collide_with_nothing(tmp_path: Path) -> None:
    files = [tmp_path / f"{place}.onnx" for place in range(len(NAMES))]
    for file, (inputs, outputs, _, _) in zip(files, NAMES, strict=True):
        onnx.save(_named(inputs, outputs), file)
    printed = run_program(PROGRAMS / "keras_names.py", tmp_path, *files, modules=KERAS).splitlines()
    found = [json.loads(line) for line in printed if line.startswith("[[")]
    assert found == [[inputs, outputs, sorted(outputs)] for _, _, inputs, outputs in NAMES]


def test_unsigned_integers_of_64_bits_keep_them_all(tmp_path: Path) -> None:
    """keras.ops computes with 32 of them; and a saved model forgets of which type a number is that bits are masked with."""
    truths = ["Less", "GreaterOrEqual", "Equal"]
    kinds = [
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Mod",
        "Max",
        "Min",
        "BitwiseXor",
        "BitwiseAnd",
        "ReduceProd",
        "Concat",
        *truths,
    ]
    known = [numpy_helper.from_array(np.array(255, np.uint64), "mask"), numpy_helper.from_array(np.array([1]), "axes")]
    second, sizes = {"BitwiseAnd": "mask", "ReduceProd": "axes"}, {"ReduceProd": 1, "Concat": 128}
    for kind in kinds:
        given = onnx.TensorProto.BOOL if kind in truths else onnx.TensorProto.UINT64
        types = {"x": onnx.TensorProto.UINT64, "y": onnx.TensorProto.UINT64, "z": given}
        x, y, z = (
            helper.make_tensor_value_info(name, one, ["N", sizes.get(kind, 64) if name == "z" else 64])
            for name, one in types.items()
        )
        node = helper.make_node(kind, ["x", second.get(kind, "y")], ["z"], **({"axis": 1} if kind == "Concat" else {}))
        graph = helper.make_graph([node], "made", [x, y], [z], known)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        onnx.save(made, tmp_path / f"{kind}.onnx")
    files = [tmp_path / f"{kind}.onnx" for kind in kinds]
    printed = run_program(PROGRAMS / "unsigned.py", tmp_path, *files, modules=KERAS)
    assert printed.splitlines()[-2:] == [" ".join(kinds), "Add Mul Max Less"]

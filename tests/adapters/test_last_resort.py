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

from tests.command import ROOT, safeconvert
from tests.onnx_models import cnn, model, random, run

pytestmark = pytest.mark.converters

_SUITE = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import numpy as np, onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

back_end, every = sys.argv[1], int(sys.argv[2])
if back_end == "torch":
    import torch
    from adapters.torch_ops.module import GraphModule, as_tensor

    def run(model, feeds):
        with torch.inference_mode():
            outputs = GraphModule(model).eval()(*map(as_tensor, feeds.values()))
        return [o.to(torch.float32).numpy() if o.dtype == torch.bfloat16 else o.numpy() for o in outputs]
else:
    import keras
    from adapters.keras_ops.model import build

    def run(model, feeds):
        return [np.asarray(o) for o in keras.tree.flatten(build(model)(list(feeds.values())))]


def baked(model, feeds, kept):
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    inputs = list(copy.graph.input)
    del copy.graph.input[:]
    for value in inputs:
        if value.name in kept:
            copy.graph.input.append(value)
        else:
            copy.graph.initializer.append(numpy_helper.from_array(feeds[value.name], value.name))
    return copy, {name: feeds[name] for name in feeds if name in kept}


def wrong(name, got, expected, rtol, atol):
    for one, other in zip(got, expected, strict=False):
        if one.shape != other.shape:
            return f"shape {one.shape}, not {other.shape}"
        if other.dtype.name in ("bfloat16", "float16"):  # a rounding or two of the type itself
            rtol, atol = max(rtol, 2**-7), max(atol, 2**-7)
        elif one.dtype != other.dtype:
            return f"type {one.dtype}, not {other.dtype}"
        if name.startswith("test_dft"):  # what the suite expects was rounded on the way: zeros are 2e-7 beside 54
            atol = max(atol, float(np.finfo(other.dtype).eps * np.abs(other).max()))
        if not np.allclose(one.astype("float64"), other.astype("float64"), rtol, atol, equal_nan=True):
            return "values"
    return "" if len(got) >= len(expected) else "outputs are missing"


found = {"right": 0, "refused": 0, "wrong": []}
for case in load_model_tests(kind="node")[::every]:
    inputs, outputs = case.data_sets[0]
    arrays = [*inputs, *outputs]
    if not inputs or not all(isinstance(a, (np.ndarray, np.generic)) for a in arrays):
        continue
    inputs, outputs = ([np.asarray(a) for a in part] for part in (inputs, outputs))
    if any(a.dtype.kind in "OSUc" for a in [*inputs, *outputs]):
        continue
    feeds = dict(zip([value.name for value in case.model.graph.input], inputs))
    outcome = "refused"
    for kept in (list(feeds), list(feeds)[:1]):
        try:
            model, rest = baked(case.model, feeds, kept)
            reason = wrong(case.name, run(model, rest), outputs, case.rtol, case.atol)
            outcome = f"{case.name}: {reason}" if reason else "right"
            break
        except NotImplementedError as error:
            assert str(error)
        except Exception as error:
            outcome = f"{case.name}: {type(error).__name__} {error}"[:300]
            break
    if outcome in found:
        found[outcome] += 1
    else:
        found["wrong"].append(outcome)
print(json.dumps(found))
"""


@pytest.mark.parametrize(("back_end", "every", "least"), [("torch", 1, 1500), ("keras", 7, 215)])
def test_no_operator_of_onnx_own_suite_is_wrong(back_end: str, every: int, least: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SUITE, back_end, str(every)], cwd=ROOT, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["wrong"] == []
    assert found["right"] >= least


_ALONE = """
import sys
forbidden = ("safeconvert", "adapters", "onnx", "onnxruntime", "onnx2keras", "onnx2torch")
sys.modules.update(dict.fromkeys(forbidden))  # an import of them fails
import numpy as np

path, x = sys.argv[1], np.load(sys.argv[2])
if path.endswith(".keras"):
    import keras

    model = keras.models.load_model(path, safe_mode=True)
    core = {type(layer).__module__.split(".")[0] for layer in model._flatten_layers()}
    assert core == {"keras"} and not any("Lambda" in type(layer).__name__ for layer in model._flatten_layers())
    y = np.asarray(model(x))
else:
    import torch

    y = torch.export.load(path).module()(torch.from_numpy(x))[0].numpy()
np.save(sys.argv[3], y)
"""


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
    assert outcomes[0][1] == "crashed"  # the real converter
    assert outcomes[-1] == (adapter, "verified")
    assert done.json["predicate"]["obligations"] == []
    for batch in (1, 5):
        x = random(batch, 3, 12, 12, seed=batch)
        np.save(tmp_path / "x.npy", x)
        arguments = [str(path), str(tmp_path / "x.npy"), str(tmp_path / "y.npy")]
        alone = subprocess.run(
            [sys.executable, "-I", "-c", _ALONE, *arguments], cwd=tmp_path, capture_output=True, text=True
        )
        assert alone.returncode == 0, alone.stderr[-2000:]
        np.testing.assert_allclose(np.load(tmp_path / "y.npy"), run(made, {"x": x})[0], rtol=1e-4, atol=1e-5)


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
        helper.make_node("NonZero", ["x"], ["places"], "search"),
        helper.make_node("Cast", ["places"], ["y"], to=onnx.TensorProto.FLOAT),
    ]
    onnx.save(model(nodes, {"x": ["N", 3]}, ["y"]), tmp_path / "source.onnx")
    done = safeconvert("convert", tmp_path / "source.onnx", "--to", "keras", "--route", "keras_ops")
    assert done.code == 3 and "operator NonZero at node search" in done.text, done.text

"""The last resort's sampling, unpooling and transforming operators, with a free batch, against ONNX Runtime."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.command import safeconvert
from tests.onnx_models import model, random, run
from tests.program import KERAS, TORCH, run_program

pytestmark = [pytest.mark.converters, pytest.mark.slow]
node = helper.make_node


def sampling(mode: str, padding: str, aligned: int, opset: int = 20, space: int = 2) -> onnx.ModelProto:
    """GridSample alone."""
    image, grid = ["N", 3, 6, 5, 4][: 2 + space], ["N", 4, 5, 3][: 1 + space]
    settings = {"mode": mode, "padding_mode": padding, "align_corners": aligned}
    return model(
        [node("GridSample", ["x", "g"], ["y"], "grid", **settings)],
        {"x": image, "g": [*grid, space]},
        ["y"],
        opset=opset,
    )


def regions(mode: str, ratio: int, opset: int) -> onnx.ModelProto:
    """RoiAlign of as many regions as images, the images chosen by the input."""
    nodes = [
        node("ReduceMean", ["r"], ["mean"], axes=[1], keepdims=0),
        node("Greater", ["mean", "never"], ["some"]),
        node("Cast", ["some"], ["image"], to=onnx.TensorProto.INT64),
        node("RoiAlign", ["x", "r", "image"], ["y"], "regions", mode=mode, sampling_ratio=ratio, output_height=3, output_width=2),
    ]  # fmt: skip
    return model(nodes, {"x": ["N", 3, 8, 7], "r": ["N", 4]}, ["y"], {"never": np.array(1e9, np.float32)}, opset)


def models() -> dict[str, onnx.ModelProto]:
    """By name, all within what ONNX Runtime and the reference agree on."""
    made = {
        f"grid {mode} {padding} {aligned}": sampling(mode, padding, aligned)
        for mode, padding, aligned in product(("linear", "nearest", "cubic"), ("zeros", "border", "reflection"), (0, 1))
        if (mode, padding) != ("cubic", "border")
    }
    made |= {f"space {padding}": sampling("linear", padding, 0, space=3) for padding in ("zeros", "reflection")}
    made["opset 16"] = sampling("bicubic", "zeros", 0, opset=16)
    made |= {f"regions {mode} {opset}": regions(mode, 2, opset) for mode, opset in product(("avg", "max"), (11, 16))}
    affine = [
        node("Shape", ["x"], ["size"]),
        node("AffineGrid", ["t", "size"], ["grid"]),
        node("GridSample", ["x", "grid"], ["y"]),
    ]
    made["affine"] = model(affine, {"x": ["N", 3, 6, 5], "t": ["N", 2, 3]}, ["y"], opset=20)
    settings = {"group": 2, "offset_group": 3, "strides": [2, 2], "pads": [1, 0, 1, 2], "dilations": [1, 2]}
    made["deformed"] = model(
        [node("DeformConv", ["x", "w", "o", "b", "m"], ["y"], **settings)],
        {"x": ["N", 6, 7, 8], "o": ["N", 36, 4, 4], "m": ["N", 18, 4, 4]}, ["y"],
        {"w": random(4, 3, 3, 2, seed=3), "b": random(4, seed=4)}, 19,
    )  # fmt: skip
    made["columns"] = model(
        [node("Col2Im", ["x", "image", "block"], ["y"], strides=[2, 3], pads=[1, 0, 2, 1], dilations=[1, 2])],
        {"x": ["N", 12, 12]}, ["y"], {"image": np.array([7, 9]), "block": np.array([3, 2])}, 18,
    )  # fmt: skip
    made["pooled"] = model(
        [node("MaxPool", ["x"], ["p", "i"], kernel_shape=[2, 2], strides=[2, 2]), node("Cast", ["i"], ["y"], to=1)],
        {"x": ["N", 3, 6, 6]}, ["y"],
    )  # fmt: skip
    for onesided, parts in ((1, 1), (0, 2)):
        signal = {"x": ["N", 9, 3, parts]}
        made[f"spectrum {parts}"] = model([node("DFT", ["x"], ["y"], axis=1, onesided=onesided)], signal, ["y"])
    made["back"] = model(
        [node("DFT", ["x", "length", "axis"], ["y"], onesided=1, inverse=1)],
        {"x": ["N", 5, 2]}, ["y"], {"length": np.array(9), "axis": np.array(-2)}, 20,
    )  # fmt: skip
    made["frames"] = model(
        [node("STFT", ["x", "step", "window"], ["y"])],
        {"x": ["N", 40, 1]}, ["y"], {"step": np.array(5), "window": random(12, seed=5)},
    )  # fmt: skip
    return made


def refused() -> dict[str, onnx.ModelProto]:
    """By what is said of it."""
    pool = {"kernel_shape": [2, 2], "strides": [1, 1]}
    overlapping = [node("MaxPool", ["x"], ["p", "i"], **pool), node("MaxUnpool", ["p", "i"], ["y"], "unpool", **pool)]
    half = {"length": np.array(6), "axis": np.array(1)}
    return {
        "mode cubic with padding border": sampling("cubic", "border", 0),
        "a sampling_ratio of 0": regions("avg", 0, 16),
        "windows that overlap": model(overlapping, {"x": [1, 3, 6, 6]}, ["y"]),
        "half a spectrum of 5": model(
            [node("DFT", ["x", "length", "axis"], ["y"], "dft", onesided=1, inverse=1)], {"x": [1, 5, 2]}, ["y"], half, 20
        ),
    }  # fmt: skip


def feeds_of(made: onnx.ModelProto, batch: int) -> dict[str, np.ndarray]:
    """Inputs beyond the borders of what they are read in."""
    shapes = {v.name: [d.dim_value or batch for d in v.type.tensor_type.shape.dim] for v in made.graph.input}
    scales = {"g": 1.2, "r": 5.0, "o": 2.0}
    return {
        name: random(*shape, seed=place + batch) * np.float32(scales.get(name, 1))
        for place, (name, shape) in enumerate(shapes.items())
    }


@pytest.mark.parametrize("back_end", ["torch", "keras"])
def test_they_compute_what_onnx_runtime_does_for_any_batch_or_refuse(back_end: str, tmp_path: Path) -> None:
    made, expected = models(), {}
    for number, one in enumerate(made.values()):
        onnx.save(one, tmp_path / f"{number}.onnx")
        for batch in (1, 3):
            feeds = feeds_of(one, batch)
            np.savez(tmp_path / f"{number}-{batch}.npz", **feeds)
            expected[number, batch] = run(one, feeds)[0]
    declined = refused()
    for number, one in enumerate(declined.values()):
        onnx.save(one, tmp_path / f"refused{number}.onnx")
    program, modules = Path(__file__).parent / "programs" / "sampled.py", TORCH if back_end == "torch" else KERAS
    said = json.loads(run_program(program, back_end, tmp_path, modules=modules).splitlines()[-1])
    assert set(said) == {f"refused{number}" for number in range(len(declined))}, said
    for number, why in enumerate(declined):
        assert why in said[f"refused{number}"] and "operator " in said[f"refused{number}"]
    for (number, batch), right in expected.items():
        got = np.load(tmp_path / f"{number}-{batch}.{back_end}.npy")
        name = list(made)[number]
        np.testing.assert_allclose(got, right, rtol=1e-4, atol=3e-5, err_msg=f"{name}, batch {batch}")


@pytest.mark.parametrize("target", ["keras", "torch", "tflite"])
def test_a_model_that_samples_an_image_is_converted_and_verified(target: str, tmp_path: Path) -> None:
    nodes = [node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]), node("GridSample", ["c", "g"], ["y"])]
    inputs = {"x": ["N", 3, 8, 8], "g": ["N", 5, 6, 2]}
    onnx.save(model(nodes, inputs, ["y"], {"w": random(3, 3, 3, 3)}, 20), tmp_path / "source.onnx")
    path = tmp_path / {"keras": "y.keras", "torch": "y.pt2", "tflite": "y.tflite"}[target]
    done = safeconvert(f"onnx2{target}", tmp_path / "source.onnx", "-o", path, "--samples", "8", "--json")
    assert done.code == 0, done.text
    moved = [line.partition(":")[0] for line in done.json["predicate"]["obligations"] if "in the order" in line]
    assert moved == (["input x", "output y"] if target != "torch" else [])  # images; the grid is none
    assert len(done.json["predicate"]["obligations"]) == len(moved)  # no TensorFlow operators in TFLite
    last = done.json["attempts"][-1]
    assert last["outcome"] == "verified" and last["route"].split(" ")[0] in ("keras_ops", "torch_ops")

"""Small valid files of every kind, from which mutants are made: made once, by the frameworks themselves."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from tests.command import safeconvert
from tests.onnx_models import selu_net
from tests.program import KERAS, TORCH, run_program

Files = dict[str, bytes]
"""The files of one model or document, by name relative to its folder."""

_FORMS = Path(__file__).parent.parent / "programs"
_OWN = Path(__file__).parent / "programs"


def make(folder: Path) -> None:
    """Make the files that need a framework, in a folder. Raises AdapterFailure."""
    folder.mkdir(parents=True, exist_ok=True)
    run_program(_OWN / "torch_seeds.py", folder, modules=TORCH)
    run_program(_OWN / "keras_seeds.py", folder, modules=KERAS)
    for name, model in (("branches.onnx", branches()), ("pool.onnx", pool())):
        onnx.save(model, folder / name)
    onnx.save(pool(), folder / "model.onnx")
    onnx.save(pool(), folder / "external.onnx", save_as_external_data=True, size_threshold=0, location="external.bin")
    for name, content in {
        **settings(),
        **arrays(),
        **{f"images/{name}": data for name, data in images().items()},
    }.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def read(path: Path) -> Files:
    """A file, or all files of a folder."""
    if path.is_file():
        return {path.name: path.read_bytes()}
    return {
        f"{path.name}/{one.relative_to(path)}": one.read_bytes() for one in sorted(path.rglob("*")) if one.is_file()
    }


def write(files: Files, folder: Path) -> None:
    """Files in a folder in which nothing else is left."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def pool() -> onnx.ModelProto:
    """Convolution, BatchNormalization, pooling, a matrix, softmax."""
    random = np.random.default_rng(5)
    shapes = {"w": (2, 3, 3, 3), "scale": (2,), "shift": (2,), "mean": (2,), "variance": (2,), "m": (8, 3)}
    values = {name: random.uniform(0.5, 1.5, shape).astype(np.float32) for name, shape in shapes.items()}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv", pads=[1, 1, 1, 1], strides=[2, 2], group=1),
        helper.make_node(
            "BatchNormalization", ["c", "scale", "shift", "mean", "variance"], ["b"], "norm", epsilon=1e-3
        ),
        helper.make_node("LeakyRelu", ["b"], ["r"], "relu", alpha=0.1),
        helper.make_node("AveragePool", ["r"], ["a"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["a"], ["f"], "flatten", axis=1),
        helper.make_node("MatMul", ["f", "m"], ["p"], "matmul"),
        helper.make_node("Softmax", ["p"], ["y"], "softmax", axis=1),
    ]
    return _model(nodes, values, [8, 8])


def branches() -> onnx.ModelProto:
    """A branch, a loop, a function of its own, a sequence and a constant in an attribute."""
    one = numpy_helper.from_array(np.float32([2.0]), "two")
    then = helper.make_graph(
        [helper.make_node("Mul", ["x", "two"], ["t"], "times")],
        "then",
        [],
        [helper.make_empty_tensor_value_info("t")],
        [one],
    )
    otherwise = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["e"], "minus")], "else", [], [helper.make_empty_tensor_value_info("e")]
    )
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["s"], "sum", keepdims=0),
        helper.make_node("Constant", [], ["zero"], "zero", value=numpy_helper.from_array(np.float32(0))),
        helper.make_node("Greater", ["s", "zero"], ["positive"], "compare"),
        helper.make_node("If", ["positive"], ["i"], "if", then_branch=then, else_branch=otherwise),
        helper.make_node("Twice", ["i"], ["d"], "own", domain="own"),
        helper.make_node("SequenceConstruct", ["d", "i"], ["q"], "sequence"),
        helper.make_node("ConcatFromSequence", ["q"], ["y"], "concat", axis=1),
    ]
    body = [helper.make_node("Add", ["a", "a"], ["b"])]
    function = helper.make_function("own", "Twice", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    return _model(nodes, {}, [4, 4], [function])


def _model(nodes: list[onnx.NodeProto], values: dict[str, np.ndarray], sizes: list[int], functions: list[onnx.FunctionProto] | None = None) -> onnx.ModelProto:  # fmt: skip
    graph = helper.make_graph(
        nodes, "made", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, *sizes])],
        [helper.make_empty_tensor_value_info("y")], [numpy_helper.from_array(v, k) for k, v in values.items()],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    made = helper.make_model(graph, opset_imports=opsets, functions=functions or [], ir_version=9)
    for output in made.graph.output:
        output.type.tensor_type.elem_type = TensorProto.FLOAT
    return made


def arrays() -> Files:
    """One array, and an archive of two."""
    random = np.random.default_rng(5)
    values = random.normal(size=(4, 3, 8, 8)).astype(np.float32)
    single, archive = io.BytesIO(), io.BytesIO()
    np.save(single, values)
    np.savez(archive, x=values, ids=np.arange(12).reshape(4, 3))
    return {"inputs.npy": single.getvalue(), "inputs.npz": archive.getvalue()}


def images() -> Files:
    """A folder of images of several kinds, with labels."""
    random = np.random.default_rng(5)
    colours = random.integers(0, 256, (9, 11, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    forms: dict[str, tuple[Image.Image, dict[str, object]]] = {
        "a.png": (Image.fromarray(colours), {}),
        "b.jpg": (Image.fromarray(colours), {"exif": exif.tobytes()}),
        "c.png": (Image.fromarray(colours[..., 0].astype(np.uint16) * 257), {}),
        "d.png": (Image.fromarray(colours).quantize(16), {}),
        "e.webp": (Image.fromarray(colours), {"lossless": True}),
        "f.bmp": (Image.fromarray(colours), {}),
    }
    made = {"labels.csv": b"file,label\na.png,3\nb.jpg,0\nc.png,-1\n"}
    for name, (image, options) in forms.items():
        buffer = io.BytesIO()
        image.save(buffer, {"jpg": "JPEG"}.get(name[-3:], name.split(".")[1].upper()), **options)
        made[name] = buffer.getvalue()
    return made


def settings() -> Files:
    """Settings files, presets, accepted obligations and manifests that hold something of everything."""
    jobs = '[defaults]\nsamples = 32\n\n[[jobs]]\ncommand = "onnx2torch"\nsource = "model.onnx"\noutput = "a.pt2"\nflags = { seed = 3, rtol = 1e-3 }\n'  # fmt: skip
    texts = {
        "safeconvert.toml": _SETTINGS,
        "pyproject.toml": "[project]\nname = 'x'\n\n" + _SETTINGS.replace("\n[", "\n[tool.safeconvert."),
        "preset.toml": '[own]\nsource = "mine"\nscale = 0.5\nmean = [0.1, 0.2, 0.3]\nstd = [1.0, 2.0, 3.0]\nchannel_order = "BGR"\nresize = 40\ninterpolation = "bicubic"\n',
        "accepted.toml": '[[accepted]]\nmodel = "*.keras"\nobligation = "input x: whatever"\nreason = "so it is"\n',
        "jobs.toml": jobs,
        "jobs.jsonl": '{"command": "onnx2torch", "source": "model.onnx", "output": "a.pt2", "flags": {"seed": 3}}\n',
    }
    return {name: text.encode() for name, text in texts.items()}


_SETTINGS = """
[flags]
seed = 3
samples = 20
rtol = 1e-3
input-shape = ["x=1,3,8,8"]
tolerance = ["y=1e-3,1e-4"]
input-range = ["ids=0:10"]
target-layout = ["keep"]
comparator = "top1"
preprocessing = "torchvision"

[flags.torch2onnx]
opset = 17
repair = false

[limits]
seconds = 60.0
memory_share = 0.5
containment = "auto"

[inputs]
generated = 20
held_out = 0.5

[repair]
strategies = ["PP", "WB"]
core_layers = ["Conv"]

[adapters]
python = { onnx2tf = "venv/bin/python" }

[gate]
comparators = ["top1"]
evidence = "sampled"
signers = [{ key = "k.pub", from = 2024-01-01 }]
"""


def certified(folder: Path) -> None:
    """A certificate with faults, figures and evidence: of onnx2keras' own conversion, which ignores two attributes of Selu."""
    onnx.save(selu_net(), folder / "selu.onnx")
    fakes = Path(__file__).parents[1] / "fakes" / "fakes.toml"
    called = safeconvert(
        "convert", folder / "selu.onnx", "--to", "keras", "-o", folder / "selu.keras", "--samples", "14", "--no-repair",
        "--route", "fake_raw", "--config", fakes,
    )  # fmt: skip
    assert called.code == 1, called.text

"""Native files spoiled in one place each, and what the prover says of them beside the files as they were."""

from __future__ import annotations

import io
import json
import random
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import TensorContract
from safeconvert.core.signature import TensorSpec
from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.prover import prove
from safeconvert.prove.readers.read import read_native
from safeconvert.prove.readers.tf.checkpoint import tensors
from safeconvert.prove.readers.writer import Input

_FORMATS = {"torchscript": "torch"}
Spoil = Callable[[Path, random.Random], str]
"""Changes a file or folder in one place; says what."""


def mutant(path: Path, file_format: str, seed: int, given: Sequence[Input] = ()) -> tuple[str, str]:
    """What the prover says of a file and a copy that is spoiled in one place, and what was changed.

    Args:
        path: the file.
        file_format: of `SPOILS`.
        seed: which place.
        given: the inputs, of TorchScript, which says no sizes.
    """
    draw = random.Random(f"{file_format} {path.stem} {seed}")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        if path.is_dir():
            shutil.copytree(path, copy)
        else:
            shutil.copy(path, copy)
        what = SPOILS[file_format](copy, draw)
        before = read_native(path, _FORMATS.get(file_format, file_format), given)
        try:
            after = read_native(copy, _FORMATS.get(file_format, file_format), given)
        except Refused as error:
            return "refused", f"{what}: {error}"
        try:
            proven = prove(before, after, _contract(before, after)).proven
        except (ValueError, KeyError):
            return "not proven", what
        if not proven:
            return "not proven", what
        return ("harmless" if _same(before, after) else "proven"), what


def _contract(source: onnx.ModelProto, target: onnx.ModelProto) -> Contract:
    def tensors(ours: Any, theirs: Any) -> tuple[TensorContract, ...]:
        return tuple(
            TensorContract(TensorSpec(a.name, (), ""), TensorSpec(b.name, (), ""), None, "in order")
            for a, b in zip(ours, theirs, strict=True)
        )

    return Contract(
        tensors(source.graph.input, target.graph.input), tensors(source.graph.output, target.graph.output), ()
    )


def _same(one: onnx.ModelProto, two: onnx.ModelProto) -> bool:
    """Whether two graphs give the same numbers, to the last digits of float32, on inputs of several sizes."""
    draw = np.random.default_rng(0)
    shape = [d.dim_value or 5 for d in one.graph.input[0].type.tensor_type.shape.dim]
    for scale in (0.1, 1.0, 10.0):
        x = (scale * draw.normal(size=shape)).astype(np.float32)
        made = []
        for model in (one, two):
            session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            made.append(session.run(None, {session.get_inputs()[0].name: x})[0])
        if made[0].shape != made[1].shape or not np.allclose(*made, rtol=1e-5, atol=1e-6):
            return False
    return True


def _numbers(held: bytearray, start: int, size: int, draw: random.Random) -> str:
    """One float32 of a region changed by a tenth and more."""
    index = draw.randrange(size // 4)
    view = np.frombuffer(held, np.float32, size // 4, start).copy()
    view[index] = view[index] * 1.1 + 0.1
    held[start + 4 * index : start + 4 * index + 4] = view[index : index + 1].tobytes()
    return f"number {index} of {size // 4}"


def _zip_with(path: Path, name: str, content: bytes) -> None:
    """An archive with one entry exchanged."""
    with zipfile.ZipFile(path) as held:
        entries = {entry: held.read(entry) for entry in held.namelist()}
    entries[name] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as made:
        for entry, value in entries.items():
            made.writestr(entry, value)


def spoil_keras(path: Path, draw: random.Random) -> str:
    """A number of the weights, or a setting of a layer."""
    import h5py

    if draw.random() < 0.6:
        with zipfile.ZipFile(path) as held:
            content = io.BytesIO(held.read("model.weights.h5"))
        with h5py.File(content, "r+") as file:
            sets: list[Any] = []
            file.visititems(lambda _, item: sets.append(item) if isinstance(item, h5py.Dataset) and item.size else None)
            chosen = draw.choice(sorted(sets, key=lambda one: one.name))
            array = np.array(chosen)
            index = draw.randrange(array.size)
            array.flat[index] = array.flat[index] * 1.1 + 0.1
            chosen[...] = array
            name = str(chosen.name)
        _zip_with(path, "model.weights.h5", content.getvalue())
        return f"{name}, number {index}"
    config = json.loads(zipfile.ZipFile(path).read("config.json"))
    places = list(_settings(config["config"]))
    entry, key, others = draw.choice(places)
    before = entry[key]
    entry[key] = draw.choice([other for other in others if other != before])
    _zip_with(path, "config.json", json.dumps(config).encode())
    return f"{key}: {before} to {entry[key]}"


_CHOICES: dict[str, list[Any]] = {
    "activation": ["relu", "tanh", "linear", "softmax", "gelu"], "padding": ["same", "valid"], "epsilon": [1e-3, 1e-1], "axis": [1, -1, 2],
    "negative_slope": [0.0, 0.5], "reset_after": [True, False], "go_backwards": [True, False], "return_sequences": [True, False],
    "num_heads": [1, 2], "threshold": [0.0, 1.0], "max_value": [None, 6.0],
}  # fmt: skip


def _settings(value: Any) -> Any:
    """Settings that may be changed, with what they may become."""
    if isinstance(value, dict):
        for key, held in value.items():
            if key in _CHOICES and not isinstance(held, dict | list):
                yield value, key, _CHOICES[key]
            yield from _settings(held)
    elif isinstance(value, list):
        for one in value:
            yield from _settings(one)


def spoil_torch(path: Path, draw: random.Random) -> str:
    """A number of the weights, or an argument of a call."""
    with zipfile.ZipFile(path) as held:
        entries = {name: held.read(name) for name in held.namelist()}
    if draw.random() < 0.6:
        name = draw.choice(
            sorted(n for n, v in entries.items() if "data/weights/" in n and not n.endswith(".json") and len(v) >= 4)
        )
        content = bytearray(entries[name])
        what = _numbers(content, 0, len(content) - len(content) % 4, draw)
        _zip_with(path, name, bytes(content))
        return f"{name}, {what}"
    name = next(n for n in entries if "models/" in n and n.endswith(".json"))
    program = json.loads(entries[name])
    nodes = [node for node in program["graph_module"]["graph"]["nodes"] if node["target"].startswith("torch.ops.aten.")]
    places = [
        (node["target"], one["name"], one["arg"]) for node in nodes for one in node["inputs"]
        if set(one["arg"]) & {"as_int", "as_float", "as_bool", "as_ints"}
    ]  # fmt: skip
    target, argument, held_ = draw.choice(places)
    [(kind, value)] = held_.items()
    changed: Any = (
        not value if kind == "as_bool" else [one + 1 for one in value] if kind == "as_ints" else value * 2 + 1
    )
    held_[kind] = changed
    _zip_with(path, name, json.dumps(program).encode())
    return f"{target}, {argument}: {value} to {changed}"


def spoil_torchscript(path: Path, draw: random.Random) -> str:
    """A number of the weights, or one that the code holds."""
    with zipfile.ZipFile(path) as held:
        entries = {name: held.read(name) for name in held.namelist()}
    numbers = re.compile(rb"(?<=[ \[(])(\d+\.?\d*|True|False)(?=[,\])])")
    places = [(n, found) for n in sorted(entries) if n.endswith(".py") for found in numbers.finditer(entries[n])]
    if draw.random() < 0.6 or not places:
        name = draw.choice(sorted(n for n, v in entries.items() if "/data/" in n and len(v) >= 8))
        content = bytearray(entries[name])
        what = _numbers(content, 0, len(content) - len(content) % 4, draw)
        _zip_with(path, name, bytes(content))
        return f"{name}, {what}"
    name, found = draw.choice(places)
    value = found.group().decode()
    changed = {"True": "False", "False": "True"}.get(value) or (
        str(float(value) * 2 + 1) if "." in value else str(int(value) + 1)
    )
    before = entries[name]
    _zip_with(path, name, before[: found.start()] + changed.encode() + before[found.end() :])
    return f"{name}: {value} to {changed} of {before[: found.end()].splitlines()[-1].decode().strip()}"


def spoil_tflite(path: Path, draw: random.Random) -> str:
    """A number of a buffer, or an option of an operator."""
    from ai_edge_litert import schema_py_generated as schema
    from flatbuffers import Builder

    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    graph = model.subgraphs[0]
    if draw.random() < 0.6:
        floats = [t for t in graph.tensors if t.type == 0 and model.buffers[t.buffer].data is not None]
        tensor = draw.choice(floats)
        content = bytearray(bytes(model.buffers[tensor.buffer].data))
        what = _numbers(content, 0, len(content), draw)
        model.buffers[tensor.buffer].data = np.frombuffer(bytes(content), np.uint8)
    else:
        fields = (
            "padding",
            "strideW",
            "strideH",
            "fusedActivationFunction",
            "axis",
            "keepDims",
            "beta",
            "filterWidth",
            "adjY",
            "beginMask",
        )
        places = [
            (op.builtinOptions, name)
            for op in graph.operators
            for name in fields
            if op.builtinOptions is not None and hasattr(op.builtinOptions, name)
        ]
        options, name = draw.choice(places)
        value = getattr(options, name)
        changed: Any = (
            not value
            if isinstance(value, bool)
            else (value + 1) % 2
            if name in ("padding", "fusedActivationFunction")
            else value + 1
        )
        setattr(options, name, changed)
        what = f"{type(options).__name__}.{name}: {value} to {changed}"
    builder = Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return what


def spoil_tf(path: Path, draw: random.Random) -> str:
    """A number of the checkpoint, or a constant of a function where there is one."""
    from tensorflow.core.protobuf import saved_model_pb2
    from tensorflow.python.framework import tensor_util

    model = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    graph = model.meta_graphs[0].graph_def
    constants = [
        (function.signature.name, node) for function in graph.library.function if "restore" not in function.signature.name
        and "save" not in function.signature.name for node in function.node_def if node.op == "Const" and node.attr["dtype"].type in (1, 3)
    ]  # fmt: skip
    if draw.random() < 0.6 or not constants:
        data = next(iter(sorted((path / "variables").glob("variables.data-*"))))
        content = bytearray(data.read_bytes())
        key, starts, size = draw.choice(_weights_of(path))
        what = _numbers(content, starts[0], size, draw)
        for other in starts[1:]:
            content[other : other + size] = content[starts[0] : starts[0] + size]
        data.write_bytes(bytes(content))
        return f"{key}, {what}"
    function, node = draw.choice(constants)
    array = np.array(tensor_util.MakeNdarray(node.attr["value"].tensor))
    array.flat[draw.randrange(array.size)] += 1
    node.attr["value"].tensor.CopyFrom(tensor_util.make_tensor_proto(array, array.dtype, array.shape))
    (path / "saved_model.pb").write_bytes(model.SerializeToString())
    return f"{function}, {node.name}"


def _weights_of(path: Path) -> list[tuple[str, list[int], int]]:
    """Weights of float32 in the one shard of a checkpoint: key, offsets of all copies, and length. Those of one number are left out."""
    held = tensors(path / "variables")
    content = next(iter(sorted((path / "variables").glob("variables.data-*")))).read_bytes()
    found = []
    for key, array in sorted(held.items()):
        if array.dtype == np.float32 and len(np.unique(array)) > 1:
            starts = [at.start() for at in re.finditer(re.escape(array.tobytes()), content)]
            found.append((key, starts, array.nbytes))
    return found


SPOILS: dict[str, Spoil] = {
    "keras": spoil_keras, "tflite": spoil_tflite, "torch": spoil_torch, "torchscript": spoil_torchscript, "tf": spoil_tf,
}  # fmt: skip

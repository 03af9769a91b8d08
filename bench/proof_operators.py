"""What raw converters make of onnx' own node tests, read by the readers of native files, and given to the prover: none that is wrong may be proven.

    python bench/proof_operators.py [CASES]

onnx2torch's modules are saved as ExportedPrograms, onnx2keras' models as .keras files and through TensorFlow's converter as .tflite; a seeded sample of
so many cases (all; of Keras and TFLite an eighth) is tried, and kept under build/bench/proof_operators/. The suite's expected outputs are the referee of what is right.
"""

from __future__ import annotations

import io
import json
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from common import ROOT, WORK, table
from operator_cases import Case, cases, judge

sys.path.insert(0, str(ROOT))

from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import TensorContract
from safeconvert.core.signature import TensorSpec
from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.prover import prove
from safeconvert.prove.readers.keras.reader import read_keras
from safeconvert.prove.readers.tflite.reader import read_tflite
from safeconvert.prove.readers.torch.reader import read_torch

FOLDER = WORK / "proof_operators"
Made = tuple[bytes, Callable[[list[np.ndarray]], list[np.ndarray]]]


def rows(count: int) -> list[tuple[object, ...]]:
    """A row of the table for each converter: right and wrong targets, how many were read, and how many are proven."""
    every = cases()
    random.Random(0).shuffle(every)
    found = []
    for converter, (make, read, share) in WAYS.items():
        known, chosen = _kept(converter), every[: count // share or None]
        with (FOLDER / f"{converter}.jsonl").open("a") as file:
            for case in chosen:
                if case.name not in known:
                    known[case.name] = _outcome(case, make, read)
                    file.write(json.dumps([case.name, *known[case.name]]) + "\n")
                    file.flush()
        ours = [known[case.name] for case in chosen]
        for verdict in ("right", "wrong"):
            some = [outcome for outcome in ours if outcome[0] == verdict]
            unread = sum(outcome[1] == "unread" for outcome in some)
            proven = [outcome for outcome in some if outcome[1] == "proven"]
            wrong = [case.name for case in chosen if known[case.name][:2] == ("wrong", "proven")]
            found.append(
                (converter, verdict, len(some), unread, len(proven), ", ".join(wrong) if verdict == "wrong" else "")
            )
    return found


def _kept(converter: str) -> dict[str, tuple[str, str, str]]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{converter}.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return {name: tuple(rest) for name, *rest in map(json.loads, lines)}


def _outcome(case: Case, make: Callable[..., Made], read: Callable[[bytes], onnx.ModelProto]) -> tuple[str, str, str]:
    """What the suite says of the raw target, what the prover does, and why not more."""
    model, inputs = onnx.load(case.model), case.inputs()
    try:
        content, call = make(onnx.ModelProto.FromString(model.SerializeToString()), inputs)
    except Exception as error:  # noqa: BLE001 - a raw converter raises anything
        return "refused", "", str(error)[:80]
    try:
        verdict = "wrong" if judge(call(inputs), case.outputs(), case.rtol, case.atol) else "right"
    except Exception as error:  # noqa: BLE001 - as above
        return "does not run", "", str(error)[:80]
    try:
        target = read(content)
    except Refused as error:
        return verdict, "unread", str(error)[:120]
    try:
        found = prove(model, target, _contract(model, target))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        return verdict, "not proven", f"{type(error).__name__}: {error}"[:120]
    return verdict, "proven" if found.proven else "not proven", found.reason[:120]


def _contract(source: onnx.ModelProto, target: onnx.ModelProto) -> Contract:
    """Inputs by name where all names are the same, else in order; outputs in order."""
    fixed = {tensor.name for tensor in source.graph.initializer}
    ours = [value for value in source.graph.input if value.name not in fixed]
    theirs = list(target.graph.input)
    if {value.name for value in ours} == {value.name for value in theirs}:
        theirs = [next(two for two in theirs if two.name == one.name) for one in ours]

    def tensors(left: Any, right: Any) -> tuple[TensorContract, ...]:
        return tuple(
            TensorContract(TensorSpec(a.name, (), ""), TensorSpec(b.name, (), ""), None, "in order")
            for a, b in zip(left, right, strict=True)
        )

    return Contract(tensors(ours, theirs), tensors(source.graph.output, target.graph.output), ())


def _torch(model: onnx.ModelProto, inputs: list[np.ndarray]) -> Made:
    import declare_torchvision  # noqa: F401
    import torch
    from onnx2torch import convert

    module = convert(model).eval()
    held = io.BytesIO()
    torch.export.save(torch.export.export(module, tuple(map(torch.from_numpy, inputs))), held)

    def call(arrays: list[np.ndarray]) -> list[np.ndarray]:
        with torch.no_grad():
            made = module(*map(torch.from_numpy, arrays))
        return [one.numpy() for one in (made if isinstance(made, list | tuple) else [made])]

    return held.getvalue(), call


def _keras_net(model: onnx.ModelProto) -> Any:
    import keras
    from onnx2keras import onnx_to_keras

    keras.backend.clear_session()
    known = {tensor.name for tensor in model.graph.initializer}
    return onnx_to_keras(model, [one.name for one in model.graph.input if one.name not in known], verbose=False)


def _keras(model: onnx.ModelProto, inputs: list[np.ndarray]) -> Made:
    net = _keras_net(model)
    with tempfile.TemporaryDirectory() as folder:
        net.save(Path(folder) / "model.keras")
        content = (Path(folder) / "model.keras").read_bytes()

    def call(arrays: list[np.ndarray]) -> list[np.ndarray]:
        made = net(arrays)
        return [np.asarray(one) for one in (made if isinstance(made, list | tuple) else [made])]

    return content, call


def _tflite(model: onnx.ModelProto, inputs: list[np.ndarray]) -> Made:
    import tensorflow as tf

    content = tf.lite.TFLiteConverter.from_keras_model(_keras_net(model)).convert()

    def call(arrays: list[np.ndarray]) -> list[np.ndarray]:
        session = onnxruntime.InferenceSession(
            read_tflite(content).SerializeToString(), providers=["CPUExecutionProvider"]
        )
        runner = tf.lite.Interpreter(model_content=content).get_signature_runner()
        names = [one.name for one in session.get_inputs()]
        made = runner(**dict(zip(names, arrays, strict=True)))
        return [made[one.name] for one in session.get_outputs()]

    return content, call


WAYS: dict[str, tuple[Callable[..., Made], Callable[[bytes], onnx.ModelProto], int]] = {
    "onnx2torch": (_torch, read_torch, 1),
    "onnx2keras": (_keras, read_keras, 8),
    "onnx2tflite": (_tflite, read_tflite, 8),
}
"""By converter how its targets are made and read, and of how many cases one is tried: TensorFlow takes seconds for each."""
HEAD = ("raw converter", "by the suite", "targets", "not read", "proven", "wrong and proven")


if __name__ == "__main__":
    print(table(HEAD, rows(int(sys.argv[1]) if len(sys.argv) > 1 else 0)))

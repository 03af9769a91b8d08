"""`reproduce.py`: a short program that runs one raw converter, and nothing of safeconvert, on a packed graph.

It exits with 1 where the last converter goes wrong and those in front of it do not, with 0 where none does, and with 3 where
one in front does (a converter that takes no ONNX is fed through one that does).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safeconvert.registry.manifest import Adapter


@dataclass(frozen=True)
class Chain:
    """Raw converters one after the other, from ONNX on.

    Attributes:
        subject: name of the adapter that stands for the last one.
        adapters: names of all, in order.
        imports, body: lines of the program.
    """

    subject: str
    adapters: tuple[str, ...]
    imports: tuple[str, ...]
    body: tuple[str, ...]


_KERAS = Chain(
    "onnx2keras",
    ("onnx2keras",),
    ("from onnx2keras import onnx_to_keras",),
    (
        "# images go channels last: Keras' convolutions need that on a CPU",
        "images = any(value.ndim == 4 for value in inputs.values())",
        "names = list(inputs)",
        "keras_model = onnx_to_keras(model, names, change_ordering=images, verbose=False)",
        "feeds = [np.moveaxis(v, 1, -1) if images and v.ndim > 2 else v for v in inputs.values()]",
        'report("onnx2keras", keras_model(feeds if len(feeds) > 1 else feeds[0]))',
    ),
)
_TORCH = Chain(
    "onnx2torch",
    ("onnx2torch",),
    ("import torch", "from onnx2torch import convert"),
    (
        "module = convert(model).eval()",
        "feeds = [torch.from_numpy(value.copy()) for value in inputs.values()]",
        "with torch.no_grad():",
        '    report("onnx2torch", module(*feeds))',
    ),
)
_TFLITE = Chain(
    "tflite_converter",
    ("onnx2keras", "tflite_converter"),
    ("import tensorflow as tf", *_KERAS.imports),
    (
        *_KERAS.body,
        "content = tf.lite.TFLiteConverter.from_keras_model(keras_model).convert()",
        "interpreter = tf.lite.Interpreter(model_content=content)",
        "details = interpreter.get_input_details()",
        "by_name = {detail['name']: detail for detail in details}",
        "named = [f'serving_default_{tensor.name}:0' for tensor in keras_model.inputs]",
        "ordered = [by_name.get(name, details[n]) for n, name in enumerate(named)]",
        "for detail, value in zip(ordered, feeds):",
        "    interpreter.resize_tensor_input(detail['index'], value.shape)",
        "interpreter.allocate_tensors()",
        "for detail, value in zip(ordered, feeds):",
        "    interpreter.set_tensor(detail['index'], value)",
        "interpreter.invoke()",
        'report("TFLiteConverter", interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))',
    ),
)
_SAVED = Chain(
    "keras_export",
    ("onnx2keras", "keras_export"),
    ("import tempfile", "import tensorflow as tf", *_KERAS.imports),
    (
        *_KERAS.body,
        "folder = tempfile.mkdtemp()",
        "keras_model.export(folder, verbose=False)",
        "loaded = tf.saved_model.load(folder)",
        "served = loaded.signatures['serving_default']",
        "fed = zip(sorted(served.structured_input_signature[1]), feeds)",
        'report("keras export", served(**{name: tf.constant(value) for name, value in fed}))',
    ),
)
_TF2ONNX = Chain(
    "tf2onnx",
    ("onnx2keras", "tf2onnx"),
    ("import onnxruntime", "import tensorflow as tf", "import tf2onnx", *_KERAS.imports),
    (
        *_KERAS.body,
        "signature = [tf.TensorSpec(t.shape, t.dtype, name=t.name) for t in keras_model.inputs]",
        "again = tf2onnx.convert.from_keras(keras_model, input_signature=signature)[0]",
        "session = onnxruntime.InferenceSession(again.SerializeToString())",
        "fed = {own.name: value for own, value in zip(session.get_inputs(), feeds)}",
        'report("tf2onnx", session.run(None, fed)[0])',
    ),
)
_CHAINS = {chain.subject: chain for chain in (_KERAS, _TORCH, _TFLITE, _SAVED, _TF2ONNX)}
_TO_FORMAT = {"keras": (_KERAS,), "torch": (_TORCH,), "tflite": (_KERAS, _TFLITE), "tf": (_KERAS, _SAVED), "onnx": ()}

_HEAD = '''"""{title}

Run it in this folder: python reproduce.py
Exit code 1: {subject} is wrong here; 0: it is right.{bridge}
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
{imports}

here = Path(__file__).parent
rtol, atol = {rtol!r}, {atol!r}  # of the largest expected magnitude


def load(name):
    data = (here / "test_data_set_0" / name).read_bytes()
    return numpy_helper.to_array(onnx.TensorProto.FromString(data))


def report(converter, got):
    got = got[0] if isinstance(got, (list, tuple)) else next(iter(got.values())) if isinstance(got, dict) else got
    got = np.asarray(got, np.float64)
    wanted = expected.astype(np.float64)
    orders = [got, np.moveaxis(got, -1, 1)] if got.ndim > 2 else [got]
    apart = [np.nan_to_num(abs(o - wanted), nan=np.inf).max(initial=0) for o in orders if o.shape == wanted.shape]
    worst = min(apart, default=np.inf)  # in the better order of dimensions
    print(f"{{converter}}: expected {{wanted.ravel()[:4]}} …, got {{got.ravel()[:4]}} …, largest difference {{worst:.4g}}")
    wrong.append(not worst <= atol + rtol * abs(wanted).max(initial=0))


wrong = []
model = onnx.load(here / "model.onnx")
inputs = {{value.name: load(f"input_{{n}}.pb") for n, value in enumerate(model.graph.input)}}
expected = load("output_0.pb")
{body}
sys.exit(3 if any(wrong[:-1]) else int(wrong[-1]))
'''
_FORMS = (
    "session = onnxruntime.InferenceSession(str(here / 'target.onnx'))",
    "fed = {own.name: value for own, value in zip(session.get_inputs(), inputs.values())}",
    'report("the converted model", session.run(None, fed)[0])',
)


def chains(route: Sequence[Adapter], target_format: str) -> tuple[Chain, ...]:
    """Chains that end in one of a route's converters, in the route's order; where none is known, to the target's format."""
    known = tuple(_CHAINS[adapter.name] for adapter in route if adapter.name in _CHAINS)
    return known or _TO_FORMAT.get(target_format, ())


def program(chain: Chain, title: str, tolerances: Mapping[str, float]) -> str:
    """The program of a chain."""
    front = " → ".join(chain.adapters[:-1])
    bridge = f" It takes no ONNX, so that {front} feeds it (3: {front} is wrong itself)." if front else ""
    return _program(title, chain.subject, bridge, chain.imports, chain.body, tolerances)


def forms(title: str, tolerances: Mapping[str, float]) -> str:
    """A program that runs no converter: it holds the region of the converted model, as ONNX, against the source's."""
    bridge = "\nNo converter is run: target.onnx is this place of the converted model."
    return _program(title, "the converted model", bridge, ("import onnxruntime",), _FORMS, tolerances)


def _program(
    title: str, subject: str, bridge: str, imports: Sequence[str], body: Sequence[str], tolerances: Mapping[str, float]
) -> str:
    return _HEAD.format(
        title=title, subject=subject, bridge=bridge, imports="\n".join(sorted(imports, key=_import_order)),
        body="\n".join(body), rtol=tolerances["rtol"], atol=tolerances["atol"],
    )  # fmt: skip


def _import_order(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line

"""Each drop-in has the signature of the installed library, so that an upgrade that adds an option is noticed."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import json
from pathlib import Path

import pytest

from safeconvert.compat import onnx2tf, tflite
from safeconvert.compat.tf2onnx import command
from tests.command import ROOT
from tests.program import KERAS, run_program

# What stands for a library's own enumeration or default object.
_ELSEWISE = {"training": "None", "operator_export_type": "None"}


@pytest.fixture(scope="module")
def installed() -> dict:
    """What the installed libraries have."""
    program = Path(__file__).parent / "programs" / "signatures.py"
    return json.loads(run_program(program, ROOT, modules=KERAS).splitlines()[-1])


def ours(name: str) -> list[list[str]]:
    module, *attributes = name.split(".")
    found = importlib.import_module(f"safeconvert.compat.{module}")
    for attribute in attributes:
        found = getattr(found, attribute)
    return [
        [p.name, p.kind.name, "" if p.default is p.empty else repr(p.default)]
        for p in inspect.signature(found).parameters.values()
        if p.name != "self"
    ]


FUNCTIONS = (
    "onnx2torch.convert", "onnx2keras.onnx_to_keras", "onnxmltools.convert_keras", "torch_onnx.export",
    "tf2onnx.convert.from_keras", "tf2onnx.convert.from_function", "tf2onnx.convert.from_graph_def",
    "tf2onnx.convert.from_tflite", "tflite.TFLiteConverter.from_keras_model", "tflite.TFLiteConverter.from_saved_model",
    "tflite.TFLiteConverter.from_concrete_functions", "tflite.TFLiteConverter.experimental_from_jax",
    "tflite.TFLiteConverter.convert",
)  # fmt: skip


@pytest.mark.converters
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_takes_what_the_library_s_takes(name: str, installed: dict) -> None:
    theirs = [[n, kind, _ELSEWISE.get(n, default)] for n, kind, default in installed["functions"][name]]
    assert ours(name) == theirs


@pytest.mark.converters
def test_every_entry_point_is_offered(installed: dict) -> None:
    tensorflow_1 = {"from_tensorflow"}  # what tf2onnx has for TensorFlow 1 alone
    convert = importlib.import_module("safeconvert.compat.tf2onnx.convert")
    assert {name for name in installed["entries"] if not hasattr(convert, name)} <= tensorflow_1
    assert {name for name in installed["classmethods"] if not hasattr(tflite.TFLiteConverter, name)} == set()


@pytest.mark.converters
def test_every_attribute_of_the_tflite_converter_is_honoured_or_refused(installed: dict) -> None:
    assert set(installed["attributes"]) == {*tflite.PLAIN, *tflite.REFUSED, *tflite.OBJECTS}


@pytest.mark.converters
def test_the_tf2onnx_command_takes_every_option_of_the_real_one(installed: dict) -> None:
    mine = {a.dest: [a.option_strings, a.nargs, list(a.choices or [])] for a in command.parser()._actions}
    assert mine == installed["options"]
    decided = {*command.REFUSED, *command.HONOURED, "help"}
    assert decided == set(mine) and not {*command.REFUSED} & {*command.HONOURED}


@pytest.mark.skipif(importlib.util.find_spec("onnx2tf") is None, reason="onnx2tf is not installed")
def test_the_onnx2tf_command_takes_every_option_of_the_real_one() -> None:
    spec = importlib.util.find_spec("onnx2tf")
    assert spec is not None and spec.origin is not None
    tree = ast.parse((Path(spec.origin).parent / "onnx2tf.py").read_text(encoding="utf-8"))
    theirs = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            short, long = (argument.value for argument in node.args)
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            values = 0 if keywords.get("action") == "'store_true'" else 2 if "nargs" in keywords else 1
            theirs.append((short, long, values))
    assert sorted(theirs) == sorted(onnx2tf.OPTIONS)


def test_every_option_of_onnx2tf_is_honoured_or_refused_and_none_is_both() -> None:
    shorts = {short for short, _, _ in onnx2tf.OPTIONS}
    assert {*onnx2tf.HONOURED, *onnx2tf.REFUSED} <= shorts and not {*onnx2tf.HONOURED} & {*onnx2tf.REFUSED}

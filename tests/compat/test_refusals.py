"""An option that cannot be honoured is an error that names it; nothing is converted, and nothing is passed over."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import onnx
import pytest

from safeconvert.compat import onnx2keras, onnx2tf, onnxmltools, tflite, torch_onnx
from safeconvert.compat.tf2onnx import command, convert
from safeconvert.errors import UnusableInput

_OWN = {
    "custom_ops": {"Own": "domain"},
    "custom_op_handlers": {"Own": print},
    "custom_rewriter": [print],
    "large_model": True,
}
CASES: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = [
    *((torch_onnx.export, (None,), {name: value}) for name, value in {
        "custom_translation_table": {1: print}, "report": True, "profile": True, "dump_exported_program": True,
        "artifacts_dir": "there", "export_params": False, "training": "TRAINING", "operator_export_type": "ONNX_ATEN",
        "custom_opsets": {"own": 1}, "export_modules_as_functions": True,
    }.items()),
    *((convert.from_keras, (None,), {name: value}) for name, value in {**_OWN, "optimizers": {"own": print}}.items()),
    *((convert.from_function, (None,), {name: value}) for name, value in _OWN.items()),
    *((convert.from_graph_def, (None,), {name: value}) for name, value in _OWN.items()),
    *((convert.from_tflite, ("m.tflite",), {name: value}) for name, value in {
        **_OWN, "input_names": ["x"], "output_names": ["y"],
    }.items()),
    *((onnxmltools.convert_keras, (None,), {name: value}) for name, value in {
        "targeted_onnx": "1.5", "custom_conversion_functions": {1: print}, "custom_shape_calculators": {1: print},
        "default_batch_size": 4,
    }.items()),
    (tflite.TFLiteConverter.from_saved_model, ("saved",), {"signature_keys": ["one", "two"]}),
    (tflite.TFLiteConverter.experimental_from_jax, ([print], [[]]), {"experimental_from_jax": None}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "given", "option"),
    CASES,
    ids=[f"{f.__module__.split('.')[2]}-{f.__name__}-{next(iter(o))}" for f, _, o in CASES],
)
def test_an_argument_that_cannot_be_honoured_is_named(
    function: Callable[..., Any], given: tuple[Any, ...], option: dict[str, Any]
) -> None:
    ((name, value),) = option.items()
    with pytest.raises(UnusableInput, match=name) as raised:
        function(*given, **({} if value is None else option))
    assert "cannot be honoured" in raised.value.message and raised.value.advice


@pytest.mark.parametrize("function", [convert.from_function, convert.from_graph_def, convert.from_tflite])
def test_what_the_library_itself_requires_is_required_with_its_own_error(function: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"require|needs to be provided"):
        function(None)


def test_only_the_inputs_of_the_whole_model_are_taken() -> None:
    one = onnx.helper.make_tensor_value_info("a", onnx.TensorProto.FLOAT, [1, 2])
    model = onnx.helper.make_model(
        onnx.helper.make_graph([onnx.helper.make_node("Relu", ["a"], ["b"])], "g", [one], [])
    )
    with pytest.raises(UnusableInput, match=r"input_names \['b'\] cannot be honoured") as raised:
        onnx2keras.onnx_to_keras(model, ["b"])
    assert "['a']" in raised.value.advice


@pytest.mark.parametrize("name", tflite.REFUSED)
def test_an_attribute_that_cannot_be_honoured_is_named(name: str) -> None:
    converter = object.__new__(tflite.TFLiteConverter)  # __init__ alone needs TensorFlow
    with pytest.raises(UnusableInput, match=f"{name} cannot be honoured"):
        setattr(converter, name, "anything")


def test_a_mistyped_attribute_is_an_error_and_a_plain_one_is_kept() -> None:
    converter = object.__new__(tflite.TFLiteConverter)
    object.__setattr__(converter, "_plain", {})
    with pytest.raises(AttributeError, match="optimisations"):
        converter.optimisations = ["DEFAULT"]
    with pytest.raises(UnusableInput, match="_experimental_guarantee"):
        converter._experimental_guarantee = True
    converter.unfold_batchmatmul = True
    assert converter.unfold_batchmatmul is True


def _words(option: str) -> list[str]:
    """An option of tf2onnx' command line with a value, where it takes one."""
    action = next(action for action in command.parser()._actions if action.dest == option)
    return [action.option_strings[0], *([] if action.nargs == 0 else ["1"])]


@pytest.mark.parametrize("option", command.REFUSED)
def test_the_tf2onnx_command_names_what_it_cannot_honour(option: str) -> None:
    words = _words(option)
    with pytest.raises(UnusableInput, match=f"^{words[0]} cannot be honoured: ") as raised:
        command.parse(["--saved-model", "saved", "--output", "m.onnx", *words])
    assert "safeconvert verify" in raised.value.advice


@pytest.mark.parametrize(
    ("words", "wording"),
    [
        (["--saved-model", "saved"], "--output is needed"),
        (["--output", "m.onnx"], "one source is needed, given: none"),
        (["--keras", "m.h5", "--tflite", "m.tflite", "--output", "m.onnx"], "given: keras and tflite"),
        (["--graphdef", "m.pb", "--output", "m.onnx"], "need to provide inputs and outputs"),
        (["--checkpoint", "m.meta", "--inputs", "x:0", "--output", "m.onnx"], "need to provide inputs and outputs"),
        (["--tflite", "m.tflite", "--inputs", "x", "--output", "m.onnx"], "cannot be honoured for --tflite"),
        (["--keras", "m.h5", "--outputs", "y", "--output", "m.onnx"], "cannot be honoured for --keras"),
        (["--keras", "m.h5", "--dequantize", "--output", "m.onnx"], "--dequantize: is for --tflite only"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_said(words: list[str], wording: str) -> None:
    with pytest.raises(UnusableInput, match=wording):
        command.parse(words)


@pytest.mark.parametrize(("short", "long", "values"), [o for o in onnx2tf.OPTIONS if o[0] not in onnx2tf.HONOURED])
def test_the_onnx2tf_command_names_what_it_cannot_honour(short: str, long: str, values: int) -> None:
    with pytest.raises(UnusableInput) as raised:
        onnx2tf.parse(["-i", "m.onnx", short, *(["1"] if values else [])])
    assert raised.value.message.startswith(f"{short} ({long}) cannot be honoured: ")


def test_a_target_spec_of_more_than_operators_and_types_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = SimpleNamespace(supported_ops=set(), supported_types=set(), experimental_select_user_tf_ops=set())
    lite = SimpleNamespace(TargetSpec=lambda: plain)
    monkeypatch.setitem(__import__("sys").modules, "tensorflow", SimpleNamespace(lite=lite))
    converter = object.__new__(tflite.TFLiteConverter)
    asked = SimpleNamespace(supported_ops=set(), supported_types=set(), experimental_select_user_tf_ops={"Own"})
    object.__setattr__(converter, "target_spec", asked)
    with pytest.raises(UnusableInput, match=r"target_spec\.experimental_select_user_tf_ops cannot be honoured"):
        converter._arguments(None)

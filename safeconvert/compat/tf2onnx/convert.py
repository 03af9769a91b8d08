"""`tf2onnx.convert`: its Python entry points with their own signatures (tf2onnx 1.17), verified against the source."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safeconvert.adapter_api.protocol import WHOLE, ModelPart
from safeconvert.compat._session import Job, converted, refuse

if TYPE_CHECKING:
    import onnx

_PYTHON = "a Python function or class cannot be handed to the worker that converts"
_OWN_OPERATORS = "ONNX Runtime has no kernel for operators of one's own, so that the target could not be verified"
_ZIP = "the target is verified as an .onnx file, not as a zip archive"

Converted = tuple["onnx.ModelProto", None]


def from_keras(
    model: Any, input_signature: Any = None, opset: int | None = None, custom_ops: Any = None,
    custom_op_handlers: Any = None, custom_rewriter: Any = None, inputs_as_nchw: Sequence[str] | None = None,
    outputs_as_nchw: Sequence[str] | None = None, extra_opset: Sequence[Any] | None = None,
    shape_override: Mapping[str, Sequence[int]] | None = None, target: Sequence[str] | None = None,
    large_model: bool = False, output_path: str | None = None, optimizers: Any = None,
) -> Converted:  # fmt: skip
    """A Keras model as an ONNX ModelProto, and None (tf2onnx' external storage, which only its zip archives have).

    Raises:
        NotEquivalent: the ONNX model is not the same function.
        UnusableInput: an argument that cannot be honoured, by name; a model that was never built.
    """
    name = "tf2onnx.convert.from_keras"
    refuse(name, _OWN_OPERATORS, custom_ops=custom_ops)
    refuse(name, _PYTHON, custom_op_handlers=custom_op_handlers, custom_rewriter=custom_rewriter, optimizers=optimizers)
    refuse(name, _ZIP, large_model=large_model)
    arguments = _arguments(inputs_as_nchw, outputs_as_nchw, extra_opset, shape_override, target)
    from safeconvert.compat._capture_tf import freeze_keras, is_plain, save_keras

    specs = _specs(input_signature)
    with _folder() as folder:
        if is_plain(model):
            source, part = save_keras(name, model, folder), WHOLE
            arguments["input_signature"] = _as_json(specs)
        else:
            frozen = freeze_keras(name, model, specs, folder)
            source, part = frozen.path, frozen.part
            arguments |= {"tensors_to_rename": frozen.names, "name": model.name}
        return _converted(source, part, opset, arguments, output_path)


def from_function(
    function: Any, input_signature: Any = None, opset: int | None = None, custom_ops: Any = None,
    custom_op_handlers: Any = None, custom_rewriter: Any = None, inputs_as_nchw: Sequence[str] | None = None,
    outputs_as_nchw: Sequence[str] | None = None, extra_opset: Sequence[Any] | None = None,
    shape_override: Mapping[str, Sequence[int]] | None = None, target: Sequence[str] | None = None,
    large_model: bool = False, output_path: str | None = None,
) -> Converted:  # fmt: skip
    """A tf.function as an ONNX ModelProto, and None. Raises as `from_keras`."""
    name = "tf2onnx.convert.from_function"
    refuse(name, _OWN_OPERATORS, custom_ops=custom_ops)
    refuse(name, _PYTHON, custom_op_handlers=custom_op_handlers, custom_rewriter=custom_rewriter)
    refuse(name, _ZIP, large_model=large_model)
    if input_signature is None:
        raise ValueError("from_function requires input_signature")
    arguments = _arguments(inputs_as_nchw, outputs_as_nchw, extra_opset, shape_override, target)
    from safeconvert.compat._capture_tf import freeze

    with _folder() as folder:
        concrete = function.get_concrete_function(*input_signature)
        frozen = freeze(name, concrete, folder)
        arguments |= {"tensors_to_rename": frozen.names, "name": str(concrete.name)}
        return _converted(frozen.path, frozen.part, opset, arguments, output_path)


def from_graph_def(
    graph_def: Any, name: str | None = None, input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None, opset: int | None = None, custom_ops: Any = None,
    custom_op_handlers: Any = None, custom_rewriter: Any = None, inputs_as_nchw: Sequence[str] | None = None,
    outputs_as_nchw: Sequence[str] | None = None, extra_opset: Sequence[Any] | None = None,
    shape_override: Mapping[str, Sequence[int]] | None = None, target: Sequence[str] | None = None,
    large_model: bool = False, tensors_to_rename: Mapping[str, str] | None = None, output_path: str | None = None,
) -> Converted:  # fmt: skip
    """A frozen GraphDef, between its inputs and outputs, as an ONNX ModelProto, and None. Raises as `from_keras`."""
    function = "tf2onnx.convert.from_graph_def"
    refuse(function, _OWN_OPERATORS, custom_ops=custom_ops)
    refuse(function, _PYTHON, custom_op_handlers=custom_op_handlers, custom_rewriter=custom_rewriter)
    refuse(function, _ZIP, large_model=large_model)
    if not input_names or not output_names:
        raise ValueError(f"{'output_names' if input_names else 'input_names'} needs to be provided")
    arguments = _arguments(inputs_as_nchw, outputs_as_nchw, extra_opset, shape_override, target)
    arguments |= {"name": name, "tensors_to_rename": dict(tensors_to_rename) if tensors_to_rename else None}
    with _folder() as folder:
        path = folder / "frozen.pb"
        path.write_bytes(graph_def.SerializeToString())
        part = ModelPart(inputs=tuple(input_names), outputs=tuple(output_names))
        return _converted(path, part, opset, arguments, output_path)


def from_tflite(
    tflite_path: str, input_names: Sequence[str] | None = None, output_names: Sequence[str] | None = None,
    opset: int | None = None, custom_ops: Any = None, custom_op_handlers: Any = None, custom_rewriter: Any = None,
    inputs_as_nchw: Sequence[str] | None = None, outputs_as_nchw: Sequence[str] | None = None,
    extra_opset: Sequence[Any] | None = None, shape_override: Mapping[str, Sequence[int]] | None = None,
    target: Sequence[str] | None = None, large_model: bool = False, output_path: str | None = None,
) -> Converted:  # fmt: skip
    """A .tflite file as an ONNX ModelProto, and None. Raises as `from_keras`."""
    function = "tf2onnx.convert.from_tflite"
    refuse(function, _OWN_OPERATORS, custom_ops=custom_ops)
    refuse(function, _PYTHON, custom_op_handlers=custom_op_handlers, custom_rewriter=custom_rewriter)
    refuse(function, _ZIP, large_model=large_model)
    refuse(
        function,
        "only a whole TFLite model can be run and compared",
        input_names=input_names,
        output_names=output_names,
    )
    if not tflite_path:
        raise ValueError("tflite_path needs to be provided")
    arguments = _arguments(inputs_as_nchw, outputs_as_nchw, extra_opset, shape_override, target)
    return _converted(Path(tflite_path), WHOLE, opset, arguments, output_path)


def _arguments(
    inputs_as_nchw: Sequence[str] | None,
    outputs_as_nchw: Sequence[str] | None,
    extra_opset: Sequence[Any] | None,
    shape_override: Mapping[str, Sequence[int]] | None,
    target: Sequence[str] | None,
) -> dict[str, Any]:
    """What every entry point hands on, as JSON. Never empty, so that all else is as tf2onnx has it by default."""
    return {
        "inputs_as_nchw": list(inputs_as_nchw) if inputs_as_nchw else None,
        "outputs_as_nchw": list(outputs_as_nchw) if outputs_as_nchw else None,
        "extra_opset": [[item.domain, item.version] for item in extra_opset] if extra_opset else None,
        "shape_override": {name: list(shape) for name, shape in shape_override.items()} if shape_override else None,
        "target": ([target] if isinstance(target, str) else list(target)) if target else None,
    }


def _converted(
    source: Path, part: ModelPart, opset: int | None, arguments: dict[str, Any], output_path: str | None
) -> Converted:
    import onnx

    given = {key: value for key, value in arguments.items() if value is not None} or {"target": []}
    shapes = {
        name.removesuffix(":0"): tuple(size if size and size > 0 else 0 for size in shape)
        for name, shape in given.get("shape_override", {}).items()
    }
    output = Path(output_path) if output_path else None
    job = Job(source, "onnx", "tf2onnx", "model.onnx", given, output, part, shapes, opset=opset or 0)
    with converted(job) as path:
        return onnx.load(path), None


def _specs(signature: Any) -> list[Any] | None:
    """tf.TensorSpecs; arrays among them stand for their shapes and types, as in tf2onnx."""
    if signature is None:
        return None
    import tensorflow as tf

    return [spec if isinstance(spec, tf.TensorSpec) else tf.TensorSpec(spec.shape, spec.dtype) for spec in signature]


def _as_json(specs: list[Any] | None) -> list[Any] | None:
    return [[spec.shape.as_list(), spec.dtype.name, spec.name] for spec in specs] if specs else None


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="safeconvert-source-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    from safeconvert.compat.tf2onnx.command import main

    main()

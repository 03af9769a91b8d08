"""Save Keras models and TensorFlow functions from memory, as files that stand alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeconvert.adapter_api.protocol import ModelPart
from safeconvert.adapter_api.shapes import natural_order
from safeconvert.compat._agree import SEEDS, Array, difference, noise
from safeconvert.compat._session import require_same
from safeconvert.errors import UnusableInput


@dataclass(frozen=True)
class Frozen:
    """A function's graph with its weights as constants.

    Attributes:
        path: the `.pb`.
        part: its input and output tensors.
        names: names that the function itself has for them, by tensor, as tf2onnx gives them to the ONNX graph.
    """

    path: Path
    part: ModelPart
    names: dict[str, str]


def is_plain(model: Any) -> bool:
    """Whether a file of the model stands alone: layers of Keras only, and none of them holds code."""
    layers = model._flatten_layers()
    return all(type(layer).__module__.startswith("keras.") and type(layer).__name__ != "Lambda" for layer in layers)


def save_keras(function: str, model: Any, folder: Path) -> Path:
    """Write a plain Keras model, and see that the file is that model.

    Raises:
        UnusableInput: the model was never built.
        NotEquivalent: the file holds another function.
    """
    import keras

    if not getattr(model, "inputs", None):
        raise UnusableInput(f"{function}: the model was never built, so that its inputs are unknown", "call it once")
    path = folder / "model.keras"
    model.save(path)
    loaded = keras.models.load_model(path, compile=False)
    shapes = [tensor.shape for tensor in model.inputs]
    dtypes = [keras.backend.standardize_dtype(tensor.dtype) for tensor in model.inputs]
    samples = [noise(shapes, dtypes, seed) for seed in SEEDS]
    require_same(function, "its .keras file", difference(_keras(model), _keras(loaded), samples))
    return path


def freeze_keras(function: str, model: Any, signature: Sequence[Any] | None, folder: Path) -> Frozen:
    """Freeze the inference of a Keras model that has layers or code of its own."""
    import tensorflow as tf

    if signature is None:
        if not getattr(model, "inputs", None):
            raise UnusableInput(
                f"{function}: the model was never built, so that its inputs are unknown", "call it once"
            )
        signature = [tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name) for tensor in model.inputs]
    names = list(getattr(model, "output_names", None) or [])

    @tf.function(input_signature=list(signature))  # type: ignore[untyped-decorator]
    def infer(*tensors: Any) -> Any:
        outputs = tf.nest.flatten(model(list(tensors) if len(tensors) > 1 else tensors[0], training=False))
        return dict(zip(names, outputs, strict=True)) if len(set(names)) == len(outputs) else outputs

    return freeze(function, infer.get_concrete_function(), folder, names)


def freeze(function: str, concrete: Any, folder: Path, order: Sequence[str] = ()) -> Frozen:
    """Freeze a concrete function, and see that the graph is that function.

    Args:
        function: the drop-in's name, for messages.
        concrete: the function.
        folder: where the graph goes.
        order: of the outputs of a function that returns a mapping; else they are sorted by name, as TensorFlow does.

    Raises:
        UnusableInput: it holds what cannot become a constant (lookup tables, for one).
        NotEquivalent: the graph is another function.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    try:
        constant = convert_variables_to_constants_v2(concrete, lower_control_flow=False)
    except (ValueError, tf.errors.OpError, AssertionError) as error:
        raise UnusableInput(f"{function}: TensorFlow cannot freeze it: {' '.join(str(error).split())[:200]}") from error
    path = folder / "frozen.pb"
    path.write_bytes(constant.graph.as_graph_def().SerializeToString())
    specs = [
        spec
        for spec in tf.nest.flatten(concrete.structured_input_signature, expand_composites=True)
        if isinstance(spec, tf.TensorSpec)
    ]
    samples = [noise([s.shape.as_list() for s in specs], [s.dtype.name for s in specs], seed) for seed in SEEDS]

    def live(arrays: Sequence[Array]) -> Sequence[Array]:
        values = [tf.constant(array) for array in arrays]
        return [t.numpy() for t in tf.nest.flatten(concrete._call_flat(values, concrete.captured_inputs))]

    def saved(arrays: Sequence[Array]) -> Sequence[Array]:
        return [tensor.numpy() for tensor in tf.nest.flatten(constant(*map(tf.constant, arrays)))]

    require_same(function, "its frozen graph", difference(live, saved, samples))
    inputs = [tensor.name for tensor in constant.inputs]
    outputs = [tensor.name for tensor in constant.outputs]
    names = {tensor: spec.name for tensor, spec in zip(inputs, specs, strict=True) if spec.name}
    if isinstance(concrete.structured_outputs, dict):
        named = dict(zip(sorted(concrete.structured_outputs), outputs, strict=True))
        outputs = [named[name] for name in order or sorted(named)]
        names |= {tensor: name for name, tensor in named.items()}
    return Frozen(path, ModelPart(inputs=tuple(inputs), outputs=tuple(outputs)), names)


def _keras(model: Any) -> Any:
    import keras

    def run(arrays: Sequence[Array]) -> Sequence[Array]:
        given = list(arrays) if len(arrays) > 1 else arrays[0]
        nested = keras.tree.pack_sequence_as(getattr(model, "_inputs_struct", given), list(arrays))
        return [keras.ops.convert_to_numpy(t) for t in keras.tree.flatten(model(nested, training=False))]

    return run


def export_keras(function: str, model: Any, folder: Path) -> Path:
    """Export a Keras model that has layers or code of its own as a SavedModel, and see that it is that model."""
    if not getattr(model, "inputs", None):
        raise UnusableInput(f"{function}: the model was never built, so that its inputs are unknown", "call it once")
    path = folder / "saved_model"
    model.export(str(path), format="tf_saved_model", verbose=False)
    import keras

    shapes = [tensor.shape for tensor in model.inputs]
    dtypes = [keras.backend.standardize_dtype(tensor.dtype) for tensor in model.inputs]
    samples = [noise(shapes, dtypes, seed) for seed in SEEDS]
    require_same(function, "its SavedModel", difference(_keras(model), _saved(path), samples))
    return path


def save_function(function: str, concrete: Any, trackable: Any, folder: Path) -> Path:
    """Save a concrete function as the serving signature of a SavedModel, and see that it is that function."""
    import tensorflow as tf

    holder = trackable if trackable is not None else tf.Module()
    if trackable is None:
        holder.captured = list(concrete.variables)
    path = folder / "saved_model"
    try:
        tf.saved_model.save(holder, str(path), signatures=concrete)
    except (ValueError, AssertionError, TypeError) as error:
        raise UnusableInput(
            f"{function}: TensorFlow cannot save it: {' '.join(str(error).split())[:200]}",
            "give the trackable_obj that it uses",
        ) from error
    specs = list(concrete.structured_input_signature[1].values()) or list(concrete.structured_input_signature[0])
    samples = [noise([s.shape.as_list() for s in specs], [s.dtype.name for s in specs], seed) for seed in SEEDS]

    def live(arrays: Sequence[Array]) -> Sequence[Array]:
        values = [tf.constant(array) for array in arrays]
        return [t.numpy() for t in tf.nest.flatten(concrete._call_flat(values, concrete.captured_inputs))]

    require_same(function, "its SavedModel", difference(live, _saved(path), samples))
    return path


def _saved(path: Path) -> Any:
    """The serving signature of a SavedModel, its inputs in their order there."""
    import tensorflow as tf

    owner = tf.saved_model.load(str(path))
    signature = owner.signatures["serving_default"]
    names = list(signature.structured_input_signature[1])

    def run(arrays: Sequence[Array]) -> Sequence[Array]:
        outputs = signature(**{name: tf.constant(array) for name, array in zip(names, arrays, strict=True)})
        assert owner is not None  # keeps the variables alive
        return [outputs[name].numpy() for name in sorted(outputs, key=natural_order)]

    return run

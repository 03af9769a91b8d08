"""Quantised files by a recipe of each operator's own: ai-edge-quantizer, which is an extra.

TensorFlow's quantizer takes a list of operators to leave in float, and nothing else by operator. This one takes for each
eight bits, sixteen bits of activations, weights alone in eight bits, or none. It is given the ranges that TensorFlow's calibrator found, so that
what stays in eight bits is computed as in the file that TensorFlow writes.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.errors import UnusableInput

from .._shared.tflite_computed import computed, counted
from .._shared.tflite_model import model_of
from .precision import packed, read

_PACKAGE = "ai-edge-quantizer"
_EIGHT, _SIXTEEN = 8, 16
_TOLD = ("dynamic", "weights", "sixteen", "half")


def means_by_operator(path: str) -> dict[str, Any]:
    """What a recipe can say of each operator of a float file.

    Returns:
        `version` of ai-edge-quantizer, "" where it is not there; `dynamic`, `weights`, `sixteen` and `half`: names of the operators that it
        takes with weights in eight bits and activations quantised while it runs, with weights in eight bits and computed in float, with 16-bit
        activations, and with weights as halves and computed in float.
    """
    try:
        from ai_edge_quantizer import algorithm_manager, qtyping, recipe_manager
    except ImportError:
        return {"version": "", **{key: [] for key in _TOLD}}
    names = {name.value for name in qtyping.TFLOperationName}
    wanted = [one for one in computed(Path(path).read_bytes()) if one.kind in names]
    found = {}
    for key in _TOLD:
        made = recipe_manager.RecipeManager()
        _tell(made, key, ".*", qtyping.TFLOperationName.ALL_SUPPORTED)
        told = {
            one.name: made.get_quantization_configs(qtyping.TFLOperationName(one.kind), one.name)[0] for one in wanted
        }
        found[key] = [name for name, how in told.items() if how != algorithm_manager.AlgorithmName.NO_QUANTIZE]
    return {"version": importlib.metadata.version(_PACKAGE), **found}


def quantize(path: str, recipe: Mapping[str, Sequence[str]], io: str, target: str) -> dict[str, Any]:
    """Write the file of a calibrated float one, in eight bits but for what the recipe says.

    Args:
        path: with the range of every activation beside it.
        recipe: names of the operators by what is told of them: as in `means_by_operator`, and `float`.
        io: what it takes and gives: float32, int8 or uint8.
        target: the `.tflite` to write.

    Returns:
        As `tflite_computed.counted`.

    Raises:
        UnusableInput: ai-edge-quantizer is not there, or fails.
    """
    try:
        from ai_edge_quantizer import qtyping, quantizer
    except ImportError as error:
        raise UnusableInput(
            f"bits by operator: {_PACKAGE} does not load here: {error}", "pip install 'safeconvert[recipes]'"
        ) from error
    content, ranges = _without_ranges(path)
    made, every = quantizer.Quantizer(content), qtyping.TFLOperationName.ALL_SUPPORTED
    made.add_static_config(".*", every, _EIGHT, _EIGHT)
    _set_ends(made, io)
    own, known = {one.name: one for one in computed(content)}, {name.value for name in qtyping.TFLOperationName}
    for key in (*_TOLD, "float"):
        for one in (own[name] for name in recipe.get(key, ())):
            # by its kind: the last operator's scope is the end's too, which is told apart
            kind = qtyping.TFLOperationName(one.kind) if one.kind in known else every
            _tell(made, key, "^" + re.escape("".join(f"{name};" for name in one.results)) + "$", kind)
    try:
        written = made.quantize(ranges, enable_progress_bar=False, enable_progress_report=False).quantized_model
    except (ValueError, RuntimeError, KeyError) as error:
        raise UnusableInput(f"{_PACKAGE}: {' '.join(str(error).split())[:240]}") from error
    content = _plainly_named(bytes(written))
    Path(target).write_bytes(content)
    return counted(content)


def _plainly_named(content: bytes) -> bytes:
    """The file with other names for what was put in: tf2onnx makes names of `_dequant` and `_quantized` of its own, and one name twice is a circle."""
    model = model_of(content)
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.name = re.sub(rb"_dequant$", b"_in_float", re.sub(rb"_quantized$", b"_in_integers", tensor.name))
    return packed(model)


def _tell(made: Any, key: str, scope: str, kind: Any) -> None:
    """Say how the operators of a scope, a regular expression, and a kind are quantised."""
    from ai_edge_quantizer import algorithm_manager

    if key == "dynamic":
        made.add_dynamic_config(scope, kind, _EIGHT)
    elif key == "weights":
        made.add_weight_only_config(scope, kind, _EIGHT)
    elif key == "half":
        cast = algorithm_manager.AlgorithmName.FLOAT_CASTING
        made.add_weight_only_config(scope, kind, _SIXTEEN, algorithm_key=cast)
    elif key == "float":
        made.update_quantization_recipe(scope, kind, algorithm_key="no_quantize")
    else:
        made.add_static_config(scope, kind, _SIXTEEN, _EIGHT)


def _set_ends(made: Any, io: str) -> None:
    """What the file takes and gives."""
    from ai_edge_quantizer import qtyping

    for end in (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT):
        if io == "float32":
            made.update_quantization_recipe(".*", end, algorithm_key="no_quantize")
        elif io == "uint8":
            ends = qtyping.OpQuantizationConfig(
                activation_tensor_config=qtyping.TensorQuantizationConfig(
                    num_bits=_EIGHT, symmetric=False, dtype=qtyping.TensorDataType.UINT
                ),
                weight_tensor_config=qtyping.TensorQuantizationConfig(num_bits=_EIGHT, symmetric=True),
                compute_precision=qtyping.ComputePrecision.INTEGER,
            )
            made.update_quantization_recipe(".*", end, op_config=ends)


def _without_ranges(path: str) -> tuple[bytes, dict[str, dict[str, np.ndarray[Any, Any]]]]:
    """A calibrated file as a plain float one, and the range of each of its tensors."""
    model = read(path)
    ranges = {}
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            numbers = tensor.quantization
            if numbers is not None and numbers.min is not None and len(numbers.min) == 1:
                form = (1,) * (len(tensor.shape) if tensor.shape is not None else 0)
                ranges[tensor.name.decode()] = {
                    "min": np.asarray(numbers.min, np.float32).reshape(form),
                    "max": np.asarray(numbers.max, np.float32).reshape(form),
                }
            tensor.quantization = None
    return packed(model), ranges

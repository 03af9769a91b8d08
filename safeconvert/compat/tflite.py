"""`tf.lite`: `TFLiteConverter` with its own entry points and attributes (TensorFlow 2.21), verified against the source.

Where nothing says what to check on, the representative dataset is.

Optimize, OpsSet, TargetSpec, RepresentativeDataset and Interpreter are TensorFlow's own. A quantised model is another
function than its source: say what may differ with rtol, atol, comparator or max_discrepancy, in the settings file or with
`safeconvert.compat.checking`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safeconvert.adapter_api.protocol import WHOLE, ModelPart
from safeconvert.compat._session import Job, converted, refuse
from safeconvert.errors import UnusableInput

_TENSORFLOW = ("Optimize", "OpsSet", "TargetSpec", "RepresentativeDataset", "Interpreter")

PLAIN = frozenset(
    {
        "experimental_new_converter", "experimental_new_quantizer", "experimental_enable_resource_variables",
        "unfold_batchmatmul", "legalize_custom_tensor_list_ops", "exclude_conversion_metadata",
        "experimental_new_dynamic_range_quantizer", "canonicalizing_inf_as_min_max_float", "experimental_lower_to_saved_model",
        "experimental_use_stablehlo_quantizer", "elide_elementsattrs_if_larger", "serialize_debug_metadata",
    }
)  # fmt: skip
"""Attributes that are handed on as they are: switches and numbers."""

REFUSED = {
    "allow_custom_ops": "the interpreter has no kernel for operators of one's own, so that the target could not be verified",
    "saved_model_dir": "it is TensorFlow's own record of where the model came from",
    "model_origin_framework": "it is TensorFlow's own record of where the model came from",
    "experimental_stablehlo_quantizer_config": "the object cannot be handed to the worker that converts",
    "ir_dump_dir": "files of the compiler are written in the worker, and are gone with it",
    "ir_dump_pass_regex": "files of the compiler are written in the worker, and are gone with it",
    "ir_dump_func_regex": "files of the compiler are written in the worker, and are gone with it",
    "enable_timing": "what the compiler prints goes to the worker's log",
    "print_ir_before": "what the compiler prints goes to the worker's log",
    "print_ir_after": "what the compiler prints goes to the worker's log",
    "print_ir_module_scope": "what the compiler prints goes to the worker's log",
}
"""Attributes that are refused, with the reason."""

OBJECTS = ("optimizations", "representative_dataset", "target_spec", "inference_input_type", "inference_output_type")
_TARGET_SPEC = ("supported_ops", "supported_types")


def __getattr__(name: str) -> Any:
    if name in _TENSORFLOW:
        import tensorflow as tf

        return getattr(tf.lite, name)
    raise AttributeError(
        f"safeconvert.compat.tflite has no {name}; it offers TFLiteConverter, {', '.join(_TENSORFLOW)}"
    )


class TFLiteConverter:
    """Stands where `tf.lite.TFLiteConverter` stood.

    Attributes:
        optimizations, representative_dataset, target_spec, inference_input_type, inference_output_type: as TensorFlow's.
            The other attributes of TensorFlow's converter can be set too (`PLAIN`), or are refused by name (`REFUSED`).
    """

    optimizations: Any
    representative_dataset: Any
    target_spec: Any
    inference_input_type: Any
    inference_output_type: Any

    def __init__(self, save: Callable[[Path], tuple[Path, ModelPart]]) -> None:
        import tensorflow as tf

        object.__setattr__(self, "_save", save)
        object.__setattr__(self, "_plain", {})
        object.__setattr__(self, "optimizations", set())
        object.__setattr__(self, "representative_dataset", None)
        object.__setattr__(self, "target_spec", tf.lite.TargetSpec())
        object.__setattr__(self, "inference_input_type", tf.float32)
        object.__setattr__(self, "inference_output_type", tf.float32)

    @classmethod
    def from_keras_model(cls, model: Any) -> TFLiteConverter:
        """A converter of a Keras model in memory."""
        from safeconvert.compat._capture_tf import export_keras, is_plain, save_keras

        name = "TFLiteConverter.from_keras_model"
        if is_plain(model):
            return cls(lambda folder: (save_keras(name, model, folder), WHOLE))
        return cls(lambda folder: (export_keras(name, model, folder), WHOLE))

    @classmethod
    def from_saved_model(
        cls, saved_model_dir: str, signature_keys: Sequence[str] | None = None, tags: Any = None
    ) -> TFLiteConverter:
        """A converter of a SavedModel. Raises UnusableInput for several signatures, which TFLite files here cannot have."""
        keys = list(signature_keys or [])
        if len(keys) > 1:
            raise UnusableInput(
                f"TFLiteConverter.from_saved_model: signature_keys {keys} cannot be honoured: one signature is verified",
                "convert each signature to a file of its own",
            )
        part = ModelPart(signature=keys[0] if keys else "", tags=tuple(sorted(tags)) if tags else ())
        return cls(lambda folder: (Path(saved_model_dir), part))

    @classmethod
    def from_concrete_functions(cls, funcs: Sequence[Any], trackable_obj: Any = None) -> TFLiteConverter:
        """A converter of one concrete function. Raises UnusableInput for several."""
        from safeconvert.compat._capture_tf import save_function

        if len(funcs) != 1:
            raise UnusableInput(
                f"TFLiteConverter.from_concrete_functions: {len(funcs)} functions cannot be honoured: one is verified",
                "convert each to a file of its own",
            )
        name = "TFLiteConverter.from_concrete_functions"
        return cls(lambda folder: (save_function(name, funcs[0], trackable_obj, folder), WHOLE))

    @classmethod
    def experimental_from_jax(cls, serving_funcs: Any, inputs: Any) -> TFLiteConverter:
        """Always refused: JAX functions are not among the formats."""
        raise UnusableInput(
            "TFLiteConverter.experimental_from_jax cannot be honoured: JAX functions are not among the formats",
            "make it a SavedModel with jax2tf, and use from_saved_model",
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if name in OBJECTS:
            object.__setattr__(self, name, value)
        elif name in PLAIN:
            self._plain[name] = value
        elif name in REFUSED:
            refuse("TFLiteConverter", REFUSED[name], **{name: value})
        elif name.startswith("_experimental"):
            raise UnusableInput(
                f"TFLiteConverter: {name} cannot be honoured: it is private to TensorFlow", "leave it out"
            )
        else:
            raise AttributeError(
                f"TFLiteConverter has no attribute {name}; TensorFlow's would take it and pass it over"
            )

    def __getattr__(self, name: str) -> Any:
        if name in PLAIN:
            return self._plain.get(name)
        raise AttributeError(f"TFLiteConverter has no attribute {name}")

    def convert(self) -> bytes:
        """The .tflite file's content.

        Raises:
            NotEquivalent: the file is not the same function within what may differ.
            UnusableInput: an attribute that cannot be honoured, by name.
        """
        with _folder() as folder:
            samples = self._samples()
            arguments = self._arguments(_written(samples, folder))
            source, part = self._save(folder)
            optimize = "default" if self.optimizations else "none"
            job = Job(
                source, "tflite", "tflite_converter", "model.tflite", arguments, part=part, optimize=optimize,
                inputs=_as_inputs(samples, folder),
            )  # fmt: skip
            with converted(job) as path:
                return path.read_bytes()

    def _arguments(self, representative: Path | None) -> dict[str, Any]:
        import tensorflow as tf

        spec, plain = self.target_spec, tf.lite.TargetSpec()
        for name, value in vars(spec).items():
            if name not in _TARGET_SPEC and value != getattr(plain, name, None):
                refuse(
                    "TFLiteConverter", "only supported_ops and supported_types are", **{f"target_spec.{name}": value}
                )
        return {
            "optimizations": sorted(tf.lite.Optimize(item).name for item in self.optimizations or ()),
            "supported_ops": sorted(item.name for item in spec.supported_ops),
            "supported_types": sorted(tf.as_dtype(item).name for item in spec.supported_types),
            "inference_input_type": tf.as_dtype(self.inference_input_type).name,
            "inference_output_type": tf.as_dtype(self.inference_output_type).name,
            "representative_dataset": str(representative) if representative else None,
            "attributes": dict(self._plain),
        }

    def _samples(self) -> list[dict[str, Any]]:
        """The representative dataset: arrays by input name, or by position where it gives no names."""
        given = getattr(self.representative_dataset, "input_gen", self.representative_dataset)
        if given is None:
            return []
        import numpy as np

        samples = []
        for sample in given():
            if isinstance(sample, tuple) and len(sample) == 2 and isinstance(sample[0], str):
                sample = sample[1]  # (signature key, arrays by name); one signature is converted
            named = sample.items() if isinstance(sample, dict) else enumerate(sample)
            samples.append({str(name): np.asarray(array) for name, array in named})
        if not samples:
            raise UnusableInput("TFLiteConverter: representative_dataset gives no samples")
        return samples


def _written(samples: list[dict[str, Any]], folder: Path) -> Path | None:
    """The samples in a file, by number and by input."""
    from safeconvert.inputs.store import write_arrays

    numbered = {f"{n:06d}/{name}": array for n, sample in enumerate(samples) for name, array in sample.items()}
    return write_arrays(numbered, folder / "representative.npz") if numbered else None


def _as_inputs(samples: list[dict[str, Any]], folder: Path) -> Path | None:
    """The samples as inputs to check on, where they have one shape."""
    import numpy as np

    from safeconvert.inputs.store import write_arrays

    if len({tuple((name, array.shape[1:]) for name, array in sample.items()) for sample in samples}) != 1:
        return None
    stacked = {name: np.concatenate([sample[name] for sample in samples]) for name in samples[0]}
    return write_arrays(stacked, folder / "inputs.npz")


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="safeconvert-source-") as folder:
        yield Path(folder)

"""What is fuzzed: for each kind of file its seeds, and how one of them is mutated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import onnx

from .mutators import (
    archive,
    arrays,
    certificates,
    flatbuffer,
    hdf5,
    images,
    json_text,
    pickle_ops,
    protobuf,
    toml_text,
)
from .mutators.plain import Mutator, flipped, repeated
from .seeds import Files

_LISTS = Path(__file__).parents[2] / "adapters" / "_shared" / "untrusted" / "operators"
_TOUCHY = (
    "WriteFile",
    "ReadFile",
    "PrintV2",
    "PyFunc",
    "EagerPyFunc",
    "RestoreV2",
    "SaveV2",
    "MatchingFiles",
    "ImmutableConst",
    "TensorListGetItem",
)
_EXTERNAL = (
    "location",
    "offset",
    "length",
    "checksum",
    "external.bin",
    "../outside",
    "*/_ORT_MEM_ADDR_/*",
    "ai.onnx.ml",
)
_KERAS = (
    "Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "Dense", "Sequential", "Functional", "InputLayer", "Activation", "function",
    "keras.layers", "keras.src.layers", "keras.utils", "keras", "builtins", "os", "relu", "get_file", "registered_name", "class_name",
    "config", "module", "StringLookup", "Embedding", "GRU", "RandomFlip", "float16", "string", "channels_first",
)  # fmt: skip
_TORCH = (
    "torch.ops.aten.add.Tensor", "torch.ops.aten.from_file.default", "torch.os.system", "as_int", "as_tensor", "as_expr", "expr_str",
    "s0", "Eq(s0, 1)", "s0**s0", "__import__('os')", "weight_0", "custom_obj_0", "opaque_obj_0", "use_pickle", "tensor_meta",
)  # fmt: skip
_SETTINGS = (
    "flags", "flags.torch2onnx", "flags.convert", "limits", "limits.seconds", "inputs", "verify", "repair", "adapters", "gate",
    "gate.signers", "tflite", "logs", "rtol", "atol", "seed", "samples", "input-shape", "input_range", "tolerance", "comparator", "key",
    "containment", "off", "require", "auto", "folders", "python", "environments", "strategies", "core_layers", "comparators", "evidence",
    "signers", "since", "until", "model", "accepted", "obligation", "reason", "defaults", "jobs", "command", "source", "output",
    "torch2onnx", "verify", "mean", "std", "scale", "resize", "channel_order", "interpolation",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes:
        name: of the kind.
        seeds: for each seed the name of what is opened, and of all that belongs to it.
        mutators: by the end of a file's name; files that none is for stay.
    """

    name: str
    seeds: Mapping[str, tuple[str, ...]]
    mutators: Mapping[str, Callable[[], Mutator]]

    def mutant(self, seeds: Mapping[str, Files], number: int, seed: int) -> tuple[str, Files]:
        """The name of what is opened, and the files, of one mutant: a function of the kind, its number and the seed."""
        random = Random(f"{self.name} {seed} {number}")
        main = random.choice(list(self.seeds))
        files = dict(seeds[main])
        changeable = [name for name in files if self._mutator(name) is not None]
        opened = [name for name in changeable if name == main or name.startswith(f"{main}/saved_model")]
        chosen = random.choice(opened if opened and random.random() < 0.8 else changeable)
        if chosen != main and random.random() < 0.1:
            del files[chosen]
            return main, files
        mutate = self._mutator(chosen)
        assert mutate is not None
        files[chosen] = repeated(mutate, random)(files[chosen], random)
        return main, files

    def _mutator(self, name: str) -> Mutator | None:
        return next((make() for end, make in self.mutators.items() if name.endswith(end)), None)


@cache
def _onnx() -> Mutator:
    return protobuf.mutator((*sorted({schema.name for schema in onnx.defs.get_all_schemas()}), *_EXTERNAL))


@cache
def _tensorflow() -> Mutator:
    return protobuf.mutator((*(_LISTS / "tensorflow.txt").read_text(encoding="ascii").split(), *_TOUCHY))


def _keras_member(name: str) -> Mutator:
    return json_text.mutator(_KERAS) if name.endswith(".json") else hdf5.mutator(_KERAS)


def _torch_member(name: str) -> Mutator:
    if name.endswith(".json"):
        return json_text.mutator(_TORCH)
    return pickle_ops.mutate if name.endswith((".pkl", ".pt")) else flipped


MODELS = (
    Kind("onnx", {"pool.onnx": (), "branches.onnx": (), "external.onnx": ("external.bin",)},
         {".onnx": _onnx, ".bin": lambda: flipped}),
    Kind("saved_model", {"plain": (), "branches": ()},
         {"saved_model.pb": _tensorflow, ".pb": lambda: flipped, ".index": lambda: flipped, "-00001": lambda: flipped}),
    Kind("frozen_graph", {"frozen.pb": ()}, {".pb": _tensorflow}),
    Kind("tflite", {"float.tflite": (), "int8.tflite": ()}, {".tflite": lambda: flatbuffer.mutate}),
    Kind("keras", {"functional.keras": (), "sequential.keras": ()}, {".keras": lambda: archive.mutator(_keras_member)}),
    Kind("hdf5", {"functional.h5": (), "sequential.h5": ()}, {".h5": lambda: hdf5.mutator(_KERAS)}),
    Kind("exported_program", {"two.pt2": (), "net.pt2": ()}, {".pt2": lambda: archive.mutator(_torch_member)}),
    Kind("torchscript", {"traced.pt": (), "scripted.pt": (), "weights.pth": ()},
         {".pt": lambda: archive.mutator(_torch_member), ".pth": lambda: archive.mutator(_torch_member)}),
)  # fmt: skip
"""Opened and run in workers."""

DOCUMENTS = (
    Kind("settings", {"safeconvert.toml": (), "pyproject.toml": (), "preset.toml": (), "accepted.toml": (), "jobs.toml": ("model.onnx",), "jobs.jsonl": ("model.onnx",)},
         {".toml": lambda: toml_text.mutator(_SETTINGS), ".jsonl": lambda: json_text.mutator(_SETTINGS)}),
    Kind("certificate", {"selu.keras.rejected.certificate.json": ("selu.keras.rejected", "selu.keras.rejected.evidence.zip", "selu.onnx")},
         {".certificate.json": lambda: certificates.mutate, ".zip": lambda: archive.mutator(lambda name: json_text.mutator(()) if name.endswith(".json") else images.mutate)}),
    Kind("arrays", {"inputs.npy": (), "inputs.npz": ()}, {".npy": lambda: arrays.npy, ".npz": lambda: arrays.NPZ}),
    Kind("images", {"images": ()},
         {".csv": lambda: flipped, **{end: lambda: images.mutate for end in (".png", ".jpg", ".webp", ".bmp")}}),
)  # fmt: skip
"""Read by safeconvert's own process."""

"""Every attack that a model file could be: what it would do, and the words with which it is refused.

Tests hold each against the inspection; `bench/attacks.py` lets the inspection out and shows what the containment of workers keeps.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"


class Effect(StrEnum):
    """What an attack does where nothing stops it."""

    WRITES = "writes a file, or runs a command"
    READS = "reads a file of the machine into the outputs"
    NONE = "nothing that is seen here: its framework refuses it itself, or lacks what it needs"


@dataclass(frozen=True)
class Attack:
    """A model file that does more than compute.

    Attributes:
        framework: the adapter that opens it.
        program: the module of `programs/` that makes it.
        name: its function there.
        file: the model's file or folder within the attack's `in/`.
        effect: what it does with `--trust-pickle`.
        says: words of the refusal.
    """

    framework: str
    program: str
    name: str
    file: str
    effect: Effect
    says: str

    @property
    def id(self) -> str:
        """A name for tables and test reports."""
        return f"{self.program}: {self.name}"


def make(program: str, folder: Path) -> None:
    """Make every attack of a program, each in a folder of its name. Raises CalledProcessError."""
    subprocess.run([sys.executable, str(PROGRAMS / f"{program}.py"), str(folder)], check=True, capture_output=True)


def _listed(framework: str, program: str, file: str, *rows: tuple[str, Effect, str]) -> tuple[Attack, ...]:
    return tuple(Attack(framework, program, name, file, effect, says) for name, effect, says in rows)


_WRITES, _READS, _NONE = Effect.WRITES, Effect.READS, Effect.NONE
EXPORTED_PROGRAM = _listed(
    "torch", "exported_program", "model.pt2",
    ("symbolic_size", _WRITES, "is not arithmetic"),
    ("guard", _WRITES, "is no comparison of sizes"),
    ("pickled_weights", _WRITES, "layer.bias is a pickle"),
    ("pickled_samples", _WRITES, "data/sample_inputs/model.pt: more than tensors is pickled in it"),
    ("opaque_constant", _WRITES, "lies in opaque_obj_0, which is no tensor"),
    ("argument_name", _WRITES, "is no identifier"),
    ("weight_path", _WRITES, "is not plain text"),
    ("text_constant", _WRITES, "is not plain text"),
    ("imported_container", _NONE, "imports antigravity.fly"),
    ("called_function", _NONE, "operator 'torch.os.system' is not one that only computes"),
    ("file_read", _READS, "operator 'torch.ops.aten.from_file.default' is not one that only computes"),
    ("compiled_library", _NONE, "data/aotinductor/model/net.so: compiled code"),
    ("older_layout", _WRITES, "serialized_state_dict.pt: more than tensors is pickled in it"),
    ("member_twice", _NONE, "models/model.json: two members have this name"),
    ("unpacks_to_much", _NONE, "its members unpack to more than"),
)  # fmt: skip
TORCHSCRIPT = _listed(
    "torch", "torchscript", "model.pt",
    ("file_read", _READS, "operator torch.from_file is not one that only computes"),
    ("file_written", _WRITES, "operator torch.from_file is not one that only computes"),
    ("tensor_saved", _WRITES, "operator torch.save is not one that only computes"),
    ("state_set", _WRITES, "operator torch.from_file is not one that only computes"),
    ("as_a_method", _NONE, "operator from_file is not one that only computes"),
    ("by_namespace", _WRITES, "operator ops.aten.from_file is not one that only computes"),
    ("under_another_name", _WRITES, "operator torch.from_file is not one that only computes"),
)  # fmt: skip
TENSORFLOW = _listed(
    "tf", "tensorflow_files", "model",
    ("file_written", _WRITES, "operator WriteFile of node"),
    ("file_read", _READS, "operator ReadFile of node"),
    ("printed_to_file", _WRITES, "operator PrintV2 of node"),
    ("deep_in_the_library", _WRITES, "operator WriteFile of node"),
    ("at_load", _WRITES, "operator WriteFile of node"),
    ("variables_of_others", _READS, "operator RestoreV2 of node"),
    ("variables_saved", _WRITES, "operator SaveV2 of node"),
    ("files_listed", _READS, "operator MatchingFiles of node"),
    ("python_called", _NONE, "operator EagerPyFunc of node"),
    ("memory_mapped", _READS, "operator ImmutableConst of node"),
    ("lines_read", _READS, "Dataset of node"),
    ("asset_outside", _READS, "InitializeTableFromTextFileV2 of node"),
    ("linked_variables", _NONE, "a link that leaves the SavedModel's folder"),
    ("another_checkpoint", _NONE, "operator RestoreV2 of node"),
    ("graph_in_chunks", _NONE, "holds saved_model.cpb beside saved_model.pb"),
)  # fmt: skip
FROZEN_GRAPH = _listed(
    "tf", "tensorflow_files", "model.pb",
    ("frozen_write", _WRITES, "operator WriteFile of node"),
    ("frozen_read", _READS, "operator ReadFile of node"),
)  # fmt: skip
TFLITE = _listed(
    "tflite", "tflite_files", "model.tflite",
    ("file_read", _NONE, "operator 'ReadFile' of node"),
    ("under_another_name", _NONE, "operator 'WriteFile' of node"),
    ("unknown_operator", _NONE, "operator 'Somebodys' of node"),
    ("weights_elsewhere", _NONE, "its weights lie in another file"),
)  # fmt: skip
KERAS = _listed(
    "keras", "keras_files", "model.keras",
    ("code_in_a_lambda", _WRITES, "which runs code of its own on load"),
    ("other_module", _NONE, "a class that Keras does not have: os.system"),
    ("other_function", _NONE, "a class that Keras does not have: keras.utils.get_file"),
    ("other_model", _WRITES, "which loads another model's file"),
    ("words_of_a_file", _NONE, "reads its vocabulary from"),
    ("external_data", _NONE, "lie in "),
    ("external_link", _NONE, "is a link to "),
    ("virtual_data", _NONE, "lie in "),
    ("member_twice", _NONE, "two of its members have the same name"),
    ("archive_behind_hdf5", _WRITES, "is an archive and an HDF5 file at once"),
)  # fmt: skip
KERAS_HDF5 = _listed(
    "keras", "keras_files", "model.h5",
    ("code_in_an_older_file", _WRITES, "which runs code of its own on load"),
    ("external_data_in_an_older_file", _NONE, "lie in "),
    ("hdf5_behind_archive", _WRITES, "is an archive and an HDF5 file at once"),
)  # fmt: skip
ONNX = _listed(
    "onnx", "onnx_files", "model.onnx",
    ("above", _NONE, "outside the model's folder"),
    ("absolute", _NONE, "outside the model's folder"),
    ("linked", _NONE, "outside the model's folder"),
    ("linked_folder", _NONE, "outside the model's folder"),
    ("open_descriptor", _NONE, "outside the model's folder"),
    ("said_twice", _NONE, "says 2 times where its data lie"),
    ("in_an_attribute", _NONE, "outside the model's folder"),
    ("in_a_function", _NONE, "outside the model's folder"),
    ("own_memory", _NONE, "outside the model's folder"),
    ("own_operator", _NONE, "ONNX Runtime cannot load it"),
)  # fmt: skip
PICKLES = _listed(
    "torch", "pickles", "model.pt",
    ("module", _WRITES, "runs code of its own on load"),
    ("bare", _WRITES, "runs code of its own on load"),
    ("older_archive", _NONE, "not a model file of a known format"),
    ("said_to_be_torchscript", _NONE, "an object of class posix system"),
) + _listed("torch", "pickles", "model.pth", ("among_weights", _WRITES, "runs code of its own on load"))  # fmt: skip
ALL = EXPORTED_PROGRAM + TORCHSCRIPT + TENSORFLOW + FROZEN_GRAPH + TFLITE + KERAS + KERAS_HDF5 + ONNX + PICKLES

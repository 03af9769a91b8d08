"""Graphs read from the native files themselves, between which a proof is end to end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from safeconvert.compare.contract import Contract
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated, Export
from safeconvert.core.faults import ExporterVerdict
from safeconvert.core.files import size_of
from safeconvert.core.proof import READER
from safeconvert.core.signature import TensorSpec
from safeconvert.errors import NoVerdict, SafeconvertError
from safeconvert.inputs.store import Chunk
from safeconvert.verification.form_check import against_first, as_another_form
from safeconvert.verification.native import unchanged_contract
from safeconvert.verification.types import Counted, ExporterCheck
from safeconvert.workers.engine import call_engine
from safeconvert.workers.run import Run

_LARGE = 1 << 28  # bytes


@dataclass(frozen=True)
class NativeModel:
    """A native model that was run.

    Attributes:
        side: `source` or `target`.
        path, format: of its file.
        chunks: the inputs, as it was fed.
        outputs: its own.
        form: its ONNX form, and what became of that.
    """

    side: str
    path: Path
    format: str
    chunks: Sequence[Chunk]
    outputs: Evaluated
    form: tuple[Export, ExporterCheck]

    @property
    def read(self) -> NativeForm | None:
        """The ONNX form, where that was read from this file and is the model; None otherwise."""
        exported, check = self.form
        if exported.file != self.path or exported.path is None or check.contract is None:
            return None
        return NativeForm(exported.path, READER, check.contract) if check.verdict is ExporterVerdict.EQUAL else None

    @property
    def at_hand(self) -> NativeForm | None:
        """The graph of its file, where that is there already: an ONNX file itself, or what was read; None where it is still to be read."""
        if self.format == "onnx":
            return NativeForm(self.path, "", unchanged_contract(self.outputs.signature, self.outputs.signature))
        return self.read


@dataclass(frozen=True)
class NativeForm:
    """A graph that was read from a file, and how its tensors are those of the native model; no reader for an ONNX file."""

    path: Path
    reader: str
    contract: Contract


@dataclass(frozen=True)
class Unread:
    """Why a file has no such graph, in one line."""

    reason: str


def native_form(
    run: Run,
    model: NativeModel,
    counted: Counted,
    settings: VerifySettings,
    reading: Callable[[], Path] | None = None,
) -> NativeForm | Unread:
    """Read a native file, unless that was done, and compare the graph with the native model on the inputs that count, as an exporter's.

    Args:
        run: the surroundings.
        model: the native model.
        counted: the samples that give verdicts.
        settings: what counts as equal.
        reading: what gives the graph, as `read_again`, where that was begun before.
    """
    known = model.at_hand
    if known is not None:
        return known
    again = partial(read_again, run, model.side, (model.path, model.format), model.outputs.signature.inputs)
    try:
        path = (reading or again)()
    except SafeconvertError as error:
        return Unread(f"the {model.side} file is not read: {error.message}")
    made = Export(READER, path, "")
    check = against_first(run, model.outputs, made, model.chunks, settings, counted, model.side)
    check = as_another_form(run, ((made, check), model.form), model.chunks, model.side, settings)
    if check.verdict is not ExporterVerdict.EQUAL or check.contract is None:
        return Unread(
            f"the graph that was read of the {model.side} is not shown to be the {model.side}: {check.reason}"
        )
    return NativeForm(path, READER, check.contract)


def read_beside(
    run: Run, side: str, file: tuple[Path, str], inputs: Sequence[TensorSpec], opset: int = 0
) -> Export | None:
    """The graph that is read from a native file as its ONNX form, which is not known to be the model yet; None for a file that is not read.

    A large file is not.

    Args:
        run, side, file, inputs: as `read_again`.
        opset: that would be requested of an exporter.
    """
    if not readable_beside(*file):
        return None
    path = file[0]
    try:
        return Export(READER, read_again(run, side, file, inputs), "", opset, path)
    except SafeconvertError:
        return None


def readable_beside(path: Path, format_name: str) -> bool:
    """Whether a file is read while other work goes on; a large one is not, since that takes memory too."""
    return format_name != "onnx" and size_of(path) < _LARGE


def read_again(run: Run, side: str, file: tuple[Path, str], inputs: Sequence[TensorSpec]) -> Path:
    """A native file read into an ONNX file.

    Args:
        run: the surroundings.
        side: `source` or `target`.
        file: its path and format.
        inputs: of the model, for formats that do not say what they are.

    Raises:
        NoVerdict: its reader does not know something, which is named.
    """
    target = run.folder("read") / f"{side}.onnx"
    with run.phases.phase(f"reading the {side} file"):
        given = [{"name": one.name, "shape": list(one.shape), "dtype": one.dtype} for one in inputs]
        unknown = call_engine(
            run,
            "read_file",
            f"reading the {side} file",
            {"path": str(file[0]), "format_name": file[1], "target": str(target), "inputs": given},
        )
    if unknown:
        raise NoVerdict(str(unknown))
    return target

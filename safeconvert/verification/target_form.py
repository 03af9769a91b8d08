"""The ONNX form of a target: the graph that is read from its file where that is shown to be the target, else what an exporter makes of it.

To read a file takes a tenth of the time of exporting it, an end-to-end proof needs its graph anyway, and no exporter can be at fault. Where a target
is not its source, and where no proof comes of what was read, the exporter's form is made: localization and repair work on that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Export, Wanted, export
from safeconvert.core.faults import ExporterVerdict
from safeconvert.core.proof import READER
from safeconvert.core.signature import Signature
from safeconvert.inputs.store import Chunk
from safeconvert.verification.form_check import against_export, against_first
from safeconvert.verification.interface import request_like
from safeconvert.verification.native import feed_across
from safeconvert.verification.native_forms import read_beside
from safeconvert.verification.source import Source
from safeconvert.verification.types import Counted, ExporterCheck, Verification
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class TargetFile:
    """A target that was opened.

    Attributes:
        request: how.
        format: of the file.
        signature: of the model.
        opset: ONNX opset requested of an exporter; 0 leaves it to that.
    """

    request: ModelRequest
    format: str
    signature: Signature
    opset: int


def target_file(source: Source, path: Path, format_name: str, signature: Signature) -> TargetFile:
    """A target as it is opened beside its source, of which only the file is at hand."""
    request = request_like(path, source.session.signature, source.request.trust_pickle)
    return TargetFile(request, format_name, signature, source.exported.opset)


def first_form(run: Run, target: TargetFile) -> Export:
    """The graph that is read from a file, which nothing is known of yet; what an exporter makes of one that is not read. Never raises."""
    file = Path(target.request.path), target.format
    return read_beside(run, "target", file, target.signature.inputs, target.opset) or exported_form(run, target)


def exported_form(run: Run, target: TargetFile) -> Export:
    """What the first exporter that manages to makes of a target. Never raises for an exporter's failure."""
    return export(run, "convert", target.format, target.request, target.signature, Wanted("target", target.opset))


def checked_form(
    run: Run, target: TargetFile, form: Export, fed: Sequence[Chunk], source: Source, found: Verification,
    settings: VerifySettings,
) -> Verification:  # fmt: skip
    """A verification with an ONNX form of its target, run and compared: the given one, or an exporter's where what was read is not the target, or
    where the target is not the source.

    Args:
        run: the surroundings.
        target: the target.
        form: its ONNX form, as far as is known.
        fed: the inputs, as the target is fed them.
        source: what it was compared with.
        found: of the target; its form and the check of that are replaced.
        settings: what counts as equal.
    """

    def checked(made: Export) -> Verification:
        look = against_first if found.native.equal else against_export
        seen = fed[-1].stop
        counted = Counted(source.held_out[source.held_out < seen], source.joined[source.joined < seen])
        check: ExporterCheck = look(run, found.outputs, made, fed, settings, counted, "target")
        return replace(found, exported=made, exporter=check)

    if form.adapter == READER and found.native.equal:
        whole = checked(form)
        if whole.exporter.verdict is ExporterVerdict.EQUAL:
            return whole
    return checked(exported_form(run, target) if form.adapter == READER else form)


def with_exporters_form(
    run: Run, target: TargetFile, source: Source, found: Verification, settings: VerifySettings
) -> Verification:
    """A verification with an exporter's form in place of one that was read; any other as it is.

    Args:
        run, target, source, found, settings: as `checked_form`; the target was run on the first of the source's inputs at least.

    Raises:
        SafeconvertError: what it was run on cannot be made again.
    """
    if found.exported.adapter != READER:
        return found
    chunks = source.data.chunks[: len(found.outputs.outputs)]
    fed = feed_across(found.contract, chunks, run.folder("feed"))
    as_target = [replace(chunk, arrays=files) for chunk, files in zip(chunks, fed, strict=True)]
    return checked_form(run, target, exported_form(run, target), as_target, source, found, settings)

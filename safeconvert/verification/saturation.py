"""Outputs behind a softmax, sigmoid, tanh or argmax compared before it, where it hides what the model computes.

The numbers there are read off both ONNX forms, which have been compared with their native models. A target whose saturated outputs are
the source's, and whose logits are not, is another function.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.comparison import Comparison
from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.layout import undo_permutation
from safeconvert.compare.output_pair import Array
from safeconvert.compare.saturated import is_saturated, only_label
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import evaluate, open_model
from safeconvert.core.text import first_line
from safeconvert.errors import NoVerdict, SafeconvertError
from safeconvert.inputs.store import Chunk, picked
from safeconvert.registry.manifest import framework
from safeconvert.verification.native import feed_across
from safeconvert.verification.source import Source
from safeconvert.verification.types import Verification
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run
from safeconvert.workers.session import load_files

_MOST = 64  # samples on which logits are compared


@dataclass(frozen=True)
class Logits:
    """What came of looking before the saturation.

    Attributes:
        different: one line where the target is another function there; else "".
        remarks: for the certificate: what was compared, and what could not be.
    """

    different: str = ""
    remarks: tuple[str, ...] = ()


def before_saturation(run: Run, source: Source, found: Verification, settings: VerifySettings) -> Logits:
    """Compare what saturated outputs were before; nothing where none is saturated.

    Args:
        run, source, settings: of the run.
        found: of a target whose outputs are equal.

    Raises:
        NoVerdict: a saturated output cannot be compared before its saturation.
    """
    saturated, labels = _saturated(source)
    indices = [index for index, tensor in enumerate(found.contract.outputs) if tensor.source.name in saturated]
    if not indices:
        return Logits("", labels)
    try:
        return _compared(run, source, found, settings, indices, labels)
    except SafeconvertError as error:
        names = ", ".join(found.contract.outputs[index].source.name for index in indices)
        raise NoVerdict(
            f"output {names}: saturated on these inputs, and not comparable before the saturation: {first_line(str(error))}",
            "give inputs on which it is not saturated: --inputs",
        ) from error


def _saturated(source: Source) -> tuple[set[str], tuple[str, ...]]:
    """Outputs that are saturated, or are labels; and a line for each of which all inputs that count have one label."""
    values: dict[str, list[Array]] = {}
    for chunk, files in zip(source.data.chunks, source.outputs.outputs, strict=True):
        rows = [int(number) - chunk.start for number in source.held_out if chunk.start <= number < chunk.stop]
        for name, array in load_files(files).items() if rows else ():
            fits = not chunk.whole and array.shape[:1] == (chunk.stop - chunk.start,)
            values.setdefault(name, []).append(array[rows] if fits else array[None])
    saturated, lines = set(), []
    for name, parts in values.items():
        if len({part.shape[1:] for part in parts}) != 1:
            continue
        joined = np.concatenate(parts)
        if is_saturated(joined) or joined.dtype.kind in "iu":
            saturated.add(name)
        label = only_label(joined)
        if label is not None:
            lines.append(
                f"output {name}: all {len(joined)} held-out inputs have label {label}; labels tell nothing apart"
            )
    return saturated, tuple(lines)


def _compared(
    run: Run,
    source: Source,
    found: Verification,
    settings: VerifySettings,
    indices: list[int],
    labels: tuple[str, ...],
) -> Logits:
    outputs = found.contract.outputs
    sides = (_places(source.outputs.signature.outputs, [outputs[p].source.name for p in indices]),
             _places(found.outputs.signature.outputs, [outputs[p].target.name for p in indices]))  # fmt: skip
    if source.exported.path is None or found.exported.path is None:
        return Logits(
            "", (*labels, "saturated outputs were not compared before the saturation: a side has no ONNX form")
        )
    folder = run.folder("logits")
    targets = [folder / "source.onnx", folder / "target.onnx"]
    request = CallFunction(
        framework("onnx", run.adapters).folder,
        "expose_logits",
        {
            "paths": [str(source.exported.path), str(found.exported.path)],
            "targets": [str(path) for path in targets],
            "indices": [list(pair) for pair in zip(*sides, strict=True)],
        },
    )
    answer = run.pool.worker("onnx").call("onnx", "reading what is saturated", request)
    both, remarks = [], list(labels)
    for index, first, second, kinds in zip(indices, *sides, answer, strict=True):
        name = outputs[index].source.name
        if kinds["source"] and kinds["target"]:
            both.append((index, first, second, kinds["source"]))
        elif kinds["source"]:
            remarks.append(
                f"output {name} was not compared before its {kinds['source']}: the target's graph ends otherwise"
            )
    if not both:
        return Logits("", tuple(remarks))
    numbers = source.counted[np.linspace(0, len(source.counted) - 1, min(_MOST, len(source.counted))).astype(int)]
    chunks = picked(source.data.chunks, np.unique(numbers), folder)
    ours = _run(run, targets[0], source, found, chunks, settings, True)
    theirs = _run(run, targets[1], source, found, chunks, settings, False)
    figures = _figures(ours, theirs, chunks, both, found, settings)
    limit = run.settings.verify.rounding
    for index, _, _, kind in both:
        name = outputs[index].source.name
        one = next(output for output in figures.outputs if output.name == name)
        if one.disagreements and not one.relative <= limit:
            line = f"output {name} is equal behind its {kind} and not before it: relative {one.relative:.3g} on {figures.samples} inputs"
            return Logits(line, tuple(remarks))
        remarks.append(f"output {name}: compared before its {kind} too, relative {one.relative:.3g}")
    return Logits("", tuple(remarks))


def _places(specs: object, names: list[str]) -> list[int]:
    known = [spec.name for spec in specs]  # type: ignore[attr-defined]
    return [known.index(name) for name in names]


def _run(
    run: Run,
    path: Path,
    source: Source,
    found: Verification,
    chunks: list[Chunk],
    settings: VerifySettings,
    ours: bool,
) -> list[dict[str, Array]]:
    """Logits of one side's ONNX form for each chunk; inputs correspond by name where all names are the same, else by position."""
    native = source.outputs.signature if ours else found.outputs.signature
    candidates = tuple(tuple(size or 0 for size in spec.shape) for spec in native.inputs)
    session = open_model(run, "onnx", "onnx", ModelRequest(str(path), candidate_shapes=candidates))
    files = (
        [dict(chunk.arrays) for chunk in chunks] if ours else feed_across(found.contract, chunks, run.folder("feed"))
    )
    theirs = [spec.name for spec in session.signature.inputs]
    own = [spec.name for spec in native.inputs]
    names = dict(zip(own, own if set(own) == set(theirs) else theirs, strict=True))
    feeds = [{names[name]: path for name, path in one.items()} for one in files]
    return [load_files(one) for one in evaluate(run, session, feeds, "running up to the saturation").outputs]


def _figures(
    ours: list[dict[str, Array]],
    theirs: list[dict[str, Array]],
    chunks: list[Chunk],
    both: list[tuple[int, int, int, str]],
    found: Verification,
    settings: VerifySettings,
) -> Comparison:
    """Distances of the logits, by the outputs' names; those of a softmax from their largest, which it does not see."""
    figures = Accumulator(VerifySettings("allclose", settings.tolerance))
    for chunk, left, right in zip(chunks, ours, theirs, strict=True):
        sides: tuple[dict[str, Array], dict[str, Array]] = ({}, {})
        for index, one, two, kind in both:
            tensor = found.contract.outputs[index]
            mine, other = left[f"before_{one}"], right[f"before_{two}"]
            if tensor.permutation is not None and other.ndim == len(tensor.permutation):
                other = undo_permutation(other, tensor.permutation)
            if kind in ("Softmax", "LogSoftmax") and mine.shape == other.shape and mine.ndim:
                mine, other = (side - side.max(axis=-1, keepdims=True) for side in (mine, other))
            for side, array in zip(sides, (mine, other), strict=True):
                side[tensor.source.name] = array[None] if chunk.whole else array
        figures.add(*sides, np.arange(chunk.start, chunk.stop))
    return figures.result()


def with_logits(run: Run, source: Source, found: Verification, settings: VerifySettings) -> Verification:
    """A verification of an equal target, refused where what is behind a saturation is not equal before it."""
    if not found.native.equal:
        return found
    logits = before_saturation(run, source, found, settings)
    found = replace(found, remarks=(*found.remarks, *logits.remarks))
    if not logits.different:
        return found
    return replace(found, native=replace(found.native, equal=False), reason=logits.different)

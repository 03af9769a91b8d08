"""Inputs on which two models differ, the worst first: what each model says of them, and a small image where they are one."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.exchange import comparable_outputs
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated
from safeconvert.core.signature import TensorSpec
from safeconvert.errors import UnusableInput
from safeconvert.inputs.generate import GeneratedInputs
from safeconvert.inputs.images import ImageInputs, read_image_file
from safeconvert.inputs.interface import InputSet
from safeconvert.inputs.store import Chunk
from safeconvert.verification.native import compare
from safeconvert.workers.session import load_files

Array = np.ndarray[Any, Any]
LIMIT = 24
"""Samples shown."""
_SIDE = 112  # pixels of an image's longer side
_OUTPUTS = 4  # shown of one sample
_BEST = 3  # labels shown of one output
_LABELLED = ("label", "top1", "topk")


def differing_samples(
    inputs: InputSet,
    specs: Sequence[TensorSpec],
    chunks: Sequence[Chunk],
    contract: Contract,
    source: Evaluated,
    target: Evaluated,
    settings: VerifySettings,
) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """At most `LIMIT` samples that disagree or are beyond tolerance, and images of them by file name.

    Those that disagree go first, and of these the most distant ones.

    Args:
        inputs: the samples.
        specs: the source's inputs.
        chunks: the samples as the source was fed them.
        contract: contract of the two models.
        source, target: their outputs.
        settings: how outputs are compared.
    """
    figures = compare(contract, source, target, chunks, settings)
    unequal = {int(number) for number in figures.unequal()}
    result = figures.result()
    disagreeing = set(result.disagreeing)
    found: list[tuple[bool, float, dict[str, Any], Mapping[str, Array]]] = []
    for chunk, ours, theirs in zip(chunks, source.outputs, target.outputs, strict=True):
        wanted = [number for number in range(chunk.start, chunk.stop) if number in unequal]
        if not wanted:
            continue
        left, right = comparable_outputs(contract, load_files(ours), load_files(theirs))
        fed = load_files(chunk.arrays)
        for number in wanted:
            row = number - chunk.start
            outputs, distance = _outputs(left, right, row, chunk.stop - chunk.start, result)
            entry: dict[str, Any] = {"number": number, "name": _name(inputs, number), "disagrees": number in disagreeing,
                     "truth": inputs.labels[number] if inputs.labels is not None and number < inputs.count else None,
                     "distance": _number(distance), "outputs": outputs}  # fmt: skip
            found.append((number not in disagreeing, -distance, entry, {n: a[row] for n, a in fed.items()}))
        found = sorted(found, key=lambda item: item[:2])[:LIMIT]
    images: dict[str, bytes] = {}
    entries = []
    for _, _, entry, arrays in found:
        thumbnail, note = _thumbnail(inputs, specs, entry["number"], arrays)
        entries.append({**entry, "picture": "", "note": note})
        if thumbnail is not None:
            suffix = "png" if thumbnail.startswith(b"\x89PNG") else "jpg"
            entries[-1]["picture"] = f"samples/{entry['number']}.{suffix}"
            images[entries[-1]["picture"]] = thumbnail
    return entries, images


def _outputs(
    left: Mapping[str, Array], right: Mapping[str, Array], row: int, rows: int, result: Comparison
) -> tuple[list[dict[str, Any]], float]:
    """What both sides gave for one sample, and the largest relative distance of an output."""
    found, farthest = [], 0.0
    for output in result.outputs:
        one, two = (_flat(side[output.name], row, rows) for side in (left, right))
        apart = scale = math.inf
        if one.shape == two.shape:
            with np.errstate(invalid="ignore"):
                apart = float(np.abs(one - two).max(initial=0.0))
            scale = float(np.abs(one).max(initial=0.0))
        relative = 0.0 if apart == 0 else apart / scale if scale and math.isfinite(apart / scale) else math.inf
        farthest = max(farthest, relative)
        shown = _labels if output.comparator in _LABELLED else _values
        found.append({"name": output.name, "comparator": output.comparator, "max_abs": _number(apart),
                      "relative": _number(relative), "source": shown(one), "target": shown(two)})  # fmt: skip
    return found[:_OUTPUTS], farthest


def _flat(array: Array, row: int, rows: int) -> Array:
    """One sample's values as real numbers; an output without a sample axis counts for each sample."""
    one = array[row] if array.shape[:1] == (rows,) else array
    return np.asarray(one.astype(np.complex128 if one.dtype.kind == "c" else np.float64)).ravel()


def _labels(values: Array) -> dict[str, Any]:
    """The best labels with their scores, best first."""
    order = np.argsort(-values, kind="stable")[:_BEST]
    return {"labels": [[int(label), _number(float(values[label]))] for label in order]}


def _values(values: Array) -> dict[str, Any]:
    """The first few numbers, and how many there are."""
    return {"values": [_number(float(abs(v) if np.iscomplexobj(v) else v)) for v in values[:6]], "size": values.size}


def _name(inputs: InputSet, number: int) -> str:
    if number >= inputs.count:
        return f"made-up input {number - inputs.count}"
    if isinstance(inputs, ImageInputs):
        return inputs.name(inputs.files[number])
    if isinstance(inputs, GeneratedInputs):
        return f"input {number} ({inputs.kinds[number % len(inputs.kinds)]})"
    return f"input {number}"


def _thumbnail(
    inputs: InputSet, specs: Sequence[TensorSpec], number: int, arrays: Mapping[str, Array]
) -> tuple[bytes | None, str]:
    """A small image as PNG or JPEG, or None and why there is none."""
    if isinstance(inputs, ImageInputs) and number < inputs.count:
        try:
            image = read_image_file(inputs.files[number]).convert("RGB")
        except UnusableInput as error:
            return None, error.message
        image.thumbnail((_SIDE, _SIDE))
        return _encoded(image), ""
    for spec in specs:
        pixels = _pixels(arrays[spec.name], spec.layout)
        if pixels is not None:
            return _encoded(Image.fromarray(pixels)), ""
    first = np.asarray(arrays[specs[0].name]).ravel()
    return None, f"{specs[0].name}: " + ", ".join(f"{value:.4g}" for value in first[:8]) + (
        ", …" if first.size > 8 else ""
    )


def _pixels(array: Array, layout: str | None) -> Array | None:
    """An array as 8-bit pixels, its values stretched from the least to the largest; None where it is no image."""
    if array.ndim != 3 or array.dtype.kind not in "fiu":
        return None
    if layout == "NCHW" or (layout is None and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3)):
        array = array.transpose(1, 2, 0)
    height, width, channels = array.shape
    if channels not in (1, 3) or min(height, width) < 4:
        return None
    step = -(-max(height, width) // _SIDE)
    values = array[::step, ::step].astype(np.float64)
    low, high = values.min(), values.max()
    stretched = (values - low) / (high - low) * 255 if high > low else np.full(values.shape, 127.0)
    return np.asarray(np.rint(stretched).astype(np.uint8)[..., 0] if channels == 1 else np.rint(stretched), np.uint8)


def _encoded(image: Image.Image) -> bytes:
    """PNG for what is tiny, where JPEG would smear; else JPEG."""
    file = io.BytesIO()
    if max(image.size) <= 32:
        image.save(file, "PNG", optimize=True)
    else:
        image.save(file, "JPEG", quality=80, optimize=True)
    return file.getvalue()


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else repr(value)

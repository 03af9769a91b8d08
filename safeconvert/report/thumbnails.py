"""The inputs that disagreed, as the page shows them: the image, and what each model says."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

from PIL import Image

from safeconvert.certificate.archive import Evidence
from safeconvert.certificate.untrusted_json import mapping, mappings, number, sequence, text
from safeconvert.certify.samples import LIMIT

_LARGEST = 20 << 10  # bytes of one thumbnail: 24 of them leave room on a page of 1.5 MB
_FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg"}


def sample_views(evidence: Evidence | None, predicate: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows of differing inputs, and why it shows none."""
    content = evidence.content if evidence is not None else {}
    entries = list(mappings(content.get("samples")))[:LIMIT]
    files = evidence.files if evidence is not None else {}
    clean = predicate.get("verdict") == "verified" and not sequence(predicate.get("faults"))
    return {
        "samples": [_sample(entry, files) for entry in entries],
        "samples_text": f"{len(entries)} of those on which {text(content.get('samples_of') or 'the target')} differs, the "
        "farthest first. Numbers are labels with their scores; how far apart they are is relative to the output's largest value.",
        "no_samples": "" if clean else "Which inputs differed was not recorded, or the evidence is not at hand.",
    }


def _sample(entry: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
    outputs = list(mappings(entry.get("outputs")))
    first = outputs[0] if outputs else {}
    thumbnail, tiny, why = _thumbnail(str(entry.get("picture") or ""), files)
    note = str(entry.get("note") or "") or why
    source, target = (_said(mapping(first.get(side))) for side in ("source", "target"))
    name = text(entry.get("name"))
    distance = number(entry.get("distance"))
    return {
        "name": name, "picture": thumbnail, "tiny": tiny, "note": note, "source": source, "target": target,
        "disagrees": entry.get("disagrees") is True, "truth": "" if entry.get("truth") is None else text(entry["truth"]),
        "distance": "-" if distance is None else f"{distance:.3g}",
        "alt": f"{name}: the source says {source}, the target {target}",
    }  # fmt: skip


def _thumbnail(name: str, files: Mapping[str, bytes]) -> tuple[str, bool, str]:
    """(data URI, whether it is tiny, why there is none)."""
    if not name:
        return "", False, "no image"
    data = files.get(name)
    if data is None:
        return "", False, "the evidence file does not hold this image"
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind, tiny = _FORMATS[str(image.format)], max(image.size) <= 32
            image.load()
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, Image.DecompressionBombError):
        return "", False, "this image cannot be read any more"
    if len(data) > _LARGEST:
        return "", False, "this image is too large to show"
    return f"data:{kind};base64,{base64.b64encode(data).decode()}", tiny, ""


def _said(side: Mapping[str, Any]) -> str:
    """The best label with its score, or the first values."""
    labels = [sequence(pair) for pair in sequence(side.get("labels"))]
    if labels and len(labels[0]) == 2:
        label, score = labels[0]
        return f"{text(label)} ({_short(score)})"
    values = ", ".join(_short(value) for value in sequence(side.get("values"))[:4])
    return f"{values}{', …' if (number(side.get('size')) or 0) > 4 else ''}" if values else "-"


def _short(value: object) -> str:
    found = number(value)
    return "-" if found is None else f"{found:.3g}"

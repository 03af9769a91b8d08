"""Why a framework failed, out of messages of many lines: what an operator said, rather than the stack or the step that it is wrapped in."""

from __future__ import annotations

import re

from safeconvert.core.text import first_line

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_OPENINGS = (
    "in user code:",
    "The following operation failed in the TorchScript interpreter",
    "Exception encountered when calling",
    "Failed to export the model",
    "Failed to convert the exported program",
    "Graph execution error",
    "Detected at node",
    "Traceback ",
)
"""How messages begin that say only that something went wrong further in: TensorFlow's, TorchScript's, Keras' and torch.onnx' own."""
_NAMED = re.compile(r"^\s*(?:[\w.]+\.)?\w*(?:Error|Exception|Unsupported): (?P<why>\S.*)$")
_SUMMARY = re.compile(r"^<class '[\w.]+'>: (?P<why>\S.*)$")
_FRAMES = re.compile(r'^(?:File "|Traceback |Stack trace|Arguments received by|\[\[)')


def cause_line(text: str, limit: int = 240) -> str:
    """The line that says why, cut to `limit` characters; the first line that says something where none of the known openings hides it."""
    lines = [line for line in _COLOURS.sub("", text).splitlines() if line.strip()]
    if not lines or not lines[0].strip().startswith(_OPENINGS):
        return first_line(text, limit)
    for pattern, place in ((_SUMMARY, 0), (_NAMED, -1)):  # torch.onnx lists what was first at the top
        found = [match["why"] for line in lines if (match := pattern.match(line))]
        if found:
            return first_line(found[place], limit)
    plain = [line for line in lines if not line[0].isspace() and not line.startswith((*_OPENINGS, "- "))]
    return first_line("\n".join(line for line in plain if not _FRAMES.match(line)) or text, limit)

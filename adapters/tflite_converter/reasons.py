"""What TensorFlow's converter stumbled over, out of pages of MLIR: operator, type of its numbers, and layer."""

from __future__ import annotations

import re

_TYPES = {"i64": "int64", "i32": "int32", "i16": "int16", "i8": "int8", "i1": "bool", "f16": "float16", "bf16": "bfloat16",
          "f32": "float32", "f64": "float64"}  # fmt: skip


def reason(text: str) -> str:
    """The operators that TFLite lacks, each with its layer where the text tells it; the text's first line where it names none."""
    details = text.partition("Details:\n")[2].partition("\n\n")[0]
    found = dict.fromkeys(re.findall(r"^\s*tf\.(\w+)\((\S*)", details, re.MULTILINE))
    if not found:
        return " ".join(next((line for line in text.splitlines() if line.strip()), "").split())[:400]
    parts = []
    for operator, first in found:
        kind = re.search(r"x?([a-z]+\d+)>", first)
        numbers = f" of {_TYPES.get(kind.group(1), kind.group(1))}" if kind else ""
        layer = re.search(rf'fused\["{operator}:", "([^"@]+)', text)
        at = f" at layer {layer.group(1)}" if layer else ""
        parts.append(f"operator {operator}{numbers}{at}")
    return f"{', '.join(parts)}: TFLite has no operator of its own for it"

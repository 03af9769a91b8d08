"""Rewrites of ONNX graphs that keep the function: one rule a module, named after it, `rewrite(model, reads) -> model`.

A rule brings a graph into a form that some converter is known to handle. Its docstring names the converter, the version
and the fault. `reads` holds the operators that the converter at hand knows (empty where it does not declare them); most rules do
not look at it. A rule may change the model that it is given, and gives every new
constant a new name. What is applied, in which order, stands in the converter's
manifest, and `safeconvert.rewrite.legalize` holds each result against what went in.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def names() -> tuple[str, ...]:
    """The rules there are."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py")))

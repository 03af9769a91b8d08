"""What the programs beside this file print: the facts of each check as one JSON object, a failed check as its error."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.workers.templates import Templates, sharing

HERE = Path(__file__).parent
if not hasattr(np, "object"):  # tf2onnx 1.17 itself says np.object, which numpy 2 no longer has
    np.object = object  # type: ignore[attr-defined]


def state(*checks: Callable[[], dict[str, Any]]) -> None:
    """Run checks one after another in a folder of their own, and print what they found, by their names."""
    out = os.fdopen(os.dup(1), "w")  # the converters' chatter goes to stderr
    os.dup2(2, 1)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), Templates() as made, sharing(made):
        for check in checks:
            begun = time.monotonic()
            try:
                found[check.__name__] = check()
            except Exception as error:  # noqa: BLE001 - the test that asks for this check says what was raised
                traceback.print_exc()
                found[check.__name__] = {"raised": f"{type(error).__name__}: {error}"}
            sys.stderr.write(f"{check.__name__}: {time.monotonic() - begun:.1f} s\n")
    out.write(json.dumps(found))
    out.close()


def gap(ours: Any, theirs: Any) -> float:
    """The largest difference of two arrays, relative to the second's largest value."""
    one, two = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert one.shape == two.shape, (one.shape, two.shape)
    return float(np.abs(one - two).max() / np.abs(two).max())


def run_onnx(model: Any, *arrays: Any) -> list[Any]:
    """The outputs of a ModelProto, or of a file."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model if isinstance(model, str) else model.SerializeToString())
    names = [value.name for value in session.get_inputs()]
    return session.run(None, dict(zip(names, arrays, strict=True)))


def interface(model: Any) -> list[Any]:
    """What a caller sees of a ModelProto: its name and opset, and its tensors' names, types and sizes.

    A free size that tf2onnx numbers by itself has another number in each process.
    """
    graph = model.graph
    tensors = [
        [
            value.name,
            value.type.tensor_type.elem_type,
            [re.sub(r"^unk__\d+$", "?", dim.dim_param) or dim.dim_value for dim in value.type.tensor_type.shape.dim],
        ]
        for value in [*graph.input, *graph.output]
    ]
    return [graph.name, graph.doc_string, sorted([o.domain, o.version] for o in model.opset_import), tensors]


def verdict(outcome: Any) -> dict[str, Any]:
    """The verdict of one conversion, and how many repairs it took."""
    predicate = outcome.predicate
    accepted = sum(trial["outcome"] == "accepted" for trial in predicate["trials"])
    return {
        "verdict": predicate["verdict"],
        "accepted": accepted,
        "attempts": [a["outcome"] for a in predicate["attempts"]],
    }


def refusal(convert: Callable[[], Any]) -> dict[str, Any]:
    """What a conversion by a wrong converter, of which nothing is repaired, raises."""
    from safeconvert import NotEquivalent
    from safeconvert.compat import checking

    with checking(config=HERE / "unrepaired.toml") as checked:
        try:
            convert()
        except NotEquivalent as error:
            return {
                "not equivalent": str(error),
                "certificate": error.certificate["verdict"],
                "figures": error.certificate["verification"]["source native vs target native"]["equal"],
                "kinds": [fault["kind"] for fault in error.certificate["faults"]],
                "recorded": verdict(checked.last)["verdict"],
            }
    return {"returned": True}

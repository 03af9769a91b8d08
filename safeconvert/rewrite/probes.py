"""Whether two ONNX graphs give the same values on a few inputs, in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx

from safeconvert.graph.sessions import open_session

_SPATIAL = 224
"""Size of a free dimension behind the first two: images are let through, and so are sequences."""
_RTOL, _ATOL = 1e-4, 1e-5

Feeds = list[np.ndarray[Any, Any]]


class NotComparable(Exception):
    """The first graph does not run on the probes."""


def probes(model: onnx.ModelProto) -> list[Feeds]:
    """Two sets of seeded inputs: numbers of magnitudes from a tenth to hundreds, and normal ones.

    Integers are 0 and 1, the indices of any table. A free batch is 2 on the first and 1 on the second.
    """
    known = {tensor.name for tensor in model.graph.initializer}
    inputs = [value.type.tensor_type for value in model.graph.input if value.name not in known]
    generator = np.random.default_rng(0)
    sets = []
    for number in range(2):
        feeds = []
        for tensor in inputs:
            sizes = [
                dim.dim_value or ((2, 1)[number] if axis == 0 else _SPATIAL if axis > 1 else 3)
                for axis, dim in enumerate(tensor.shape.dim)
            ]
            dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type))
            drawn = generator.normal(size=sizes)
            if number == 0:
                drawn = drawn * 10 ** generator.uniform(-1, 2, sizes)
            feeds.append(np.asarray(drawn if dtype.kind == "f" else generator.integers(0, 2, sizes)).astype(dtype))
        sets.append(feeds)
    return sets


def difference(before: onnx.ModelProto, after: onnx.ModelProto, fed: Sequence[Feeds]) -> str:
    """In what the outputs of two graphs with the same inputs differ on probes; "" where they do not.

    Raises:
        NotComparable: `before` runs on none of them.
    """
    try:
        first = _session(before)
    except Exception as error:
        raise NotComparable(f"the graph does not load: {error}") from error
    compared, failure = 0, ""
    for feeds in fed:
        try:
            expected = _run(first, feeds)
        except Exception as error:  # noqa: BLE001 - as above
            failure = str(error)
            continue
        try:
            given = _run(_session(after), feeds)
        except Exception as error:  # noqa: BLE001 - as above
            return f"the rewritten graph does not run: {' '.join(str(error).split())[:160]}"
        compared += 1
        for number, (one, two) in enumerate(zip(expected, given, strict=True)):
            if one.shape != two.shape:
                return f"output {number} has shape {list(two.shape)} instead of {list(one.shape)}"
            if not _equal(one, two):
                return f"output {number} differs"
    if not compared:
        raise NotComparable(f"the graph does not run on probes: {failure}")
    return ""


def _equal(one: np.ndarray[Any, Any], two: np.ndarray[Any, Any]) -> bool:
    if one.dtype.kind != "f":
        return bool(np.array_equal(one, two))
    left, right = one.astype(np.float64), two.astype(np.float64)
    finite = np.isfinite(left)
    if not np.array_equal(left[~finite], right[~finite], equal_nan=True) or not np.isfinite(right[finite]).all():
        return False
    largest = np.abs(left[finite]).max(initial=0.0)
    rough = 50.0 if one.dtype == np.float16 else 1.0
    return bool((np.abs(left[finite] - right[finite]) <= rough * (_ATOL + _RTOL * largest)).all())


def _session(model: onnx.ModelProto) -> Any:
    return open_session(model, optimized=False)


def _run(session: Any, feeds: Feeds) -> Feeds:
    names = [value.name for value in session.get_inputs()]
    return list(session.run(None, dict(zip(names, feeds, strict=True))))

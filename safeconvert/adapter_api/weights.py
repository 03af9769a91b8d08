"""Find the weights of a native model that an ONNX constant came from, and what they have to become. Runs in workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from safeconvert.compare.relation import find
from safeconvert.errors import UnusableInput

Array = np.ndarray[Any, Any]


def replacements(native: Mapping[str, Array], changes: Sequence[tuple[Array, Array]]) -> dict[str, Array]:
    """The native weights that change, by name.

    A weight is found by its values: exactly equal, in some order of axes. Nothing is matched loosely.

    Args:
        native: every weight of the native model by name.
        changes: old and new value of each changed constant.

    Raises:
        UnusableInput: a changed weight is in no native one as it is (folded, quantised), or in several.
    """
    found: dict[str, Array] = {}
    for number, (old, new) in enumerate(changes):
        candidates = [(name, value) for name, value in native.items() if _same_values(old, value)]
        fitting = [
            (name, value, relation) for name, value in candidates if (relation := find([old], [value], 0.0)) is not None
        ]
        if len(fitting) != 1:
            raise UnusableInput(f"changed weight {number} is in {len(fitting)} of the target's own weights, not in one")
        name, value, relation = fitting[0]
        found[name] = relation.to_target(new.astype(value.dtype), value.shape)
    return found


def _same_values(old: Array, value: Array) -> bool:
    if old.size != value.size or old.dtype.kind != value.dtype.kind:
        return False
    return bool(np.array_equal(np.sort(old.ravel()), np.sort(value.ravel())))

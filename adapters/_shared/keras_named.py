"""Names in Keras models: of outputs, so that what is exported has these and not `output_0`, `output_1`, and of operations, none twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

_MOST = 10_000  # operations of one kind, beyond those of any graph


def by_output_name(model: Any) -> tuple[Any, tuple[str, ...]]:
    """The same layers with a dictionary of outputs, and its names in the order of the model's outputs.

    A SavedModel's or a TFLite file's signature takes its names from there. A model that is not functional, that has a dictionary
    already, or two outputs of one name, stays as it is, without names.
    """
    names = tuple(getattr(model, "output_names", None) or ())
    if not names or isinstance(model.output, dict) or len({*names}) != len(model.outputs):
        return model, ()
    return keras.Model(model.inputs, dict(zip(names, model.outputs, strict=True)), name=model.name), names


def keep_free(names: Iterable[str]) -> None:
    """Have Keras give none of these names, in this process, to an operation that it names itself: a model has no name twice."""
    counts: dict[str, int] = {}
    for name in names:
        kind, _, number = name.rpartition("_")
        counts.setdefault(name, 0)
        if number.isdecimal() and int(number) <= _MOST:
            counts[kind] = max(counts.get(kind, 0), int(number))
    for kind, count in counts.items():
        while keras.backend.get_uid(kind) <= count:  # each look counts one as given
            pass

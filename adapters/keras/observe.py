"""The inner tensors of a Keras model, as its layers give them when it is called eagerly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras.src.ops.operation import Operation

from safeconvert.adapter_api.intermediates import Intermediate

_MOST = 4096  # tensors of one call


def observe(model: Any, packed: Any, names: Mapping[int, str]) -> list[Intermediate]:
    """What each layer gives, in the order in which they run; a model in a model by its layers.

    Args:
        model: called in inference mode.
        packed: its inputs, nested as it takes them.
        names: by identity of each of these tensors, the input's name.
    """
    known = dict(names)
    found: list[Intermediate] = []
    kept: list[Any] = []  # so that no tensor gets the identity of one that is gone

    def seen(operation: Any, given: Any, result: Any) -> None:
        taken = [known[id(leaf)] for leaf in keras.tree.flatten(given) if id(leaf) in known]
        for leaf in keras.tree.flatten(result):
            if not keras.ops.is_tensor(leaf) or id(leaf) in known or len(found) >= _MOST:
                continue
            kept.append(leaf)
            reads = taken or [one.tensor for one in found[-1:]]
            name = f"{operation.name}:{len(found)}"
            value = keras.ops.convert_to_numpy(leaf)
            value = value.astype(np.float32) if value.dtype.kind == "V" or value.dtype.name == "bfloat16" else value
            found.append(Intermediate(operation.name, type(operation).__name__, name, tuple(reads), value))
            known[id(leaf)] = name

    with _watched(seen):
        model(packed, training=False)
    return found


@contextmanager
def _watched(seen: Any) -> Iterator[None]:
    """Tell of every call of a layer or operation, after it."""
    original = Operation.__call__

    def call(self: Any, *arguments: Any, **keywords: Any) -> Any:
        result = original(self, *arguments, **keywords)
        seen(self, (arguments, list(keywords.values())), result)
        return result

    Operation.__call__ = call
    try:
        yield
    finally:
        Operation.__call__ = original

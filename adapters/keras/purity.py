"""What a Keras model's outputs depend on beside its inputs: states of its layers that calls change, and seeds among them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


class Watch:
    """The variables that nobody trains, as they were before the first call.

    Layers that draw random numbers at inference keep the state of their seed there; stateful recurrent layers their states.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._before = {variable.path: np.array(keras.ops.convert_to_numpy(variable)) for variable in _states(model)}

    def found(self) -> list[str]:
        """A line each, of the calls so far."""
        changed = [
            variable.path
            for variable in _states(self._model)
            if not np.array_equal(keras.ops.convert_to_numpy(variable), self._before.get(variable.path, np.empty(0)))
        ]
        drawn = [path for path in changed if "seed_generator" in path]
        return [
            *(f"draws random numbers at {path.split('/')[0]}" for path in drawn),
            *(f"changes its own {path} while it runs" for path in changed if path not in drawn),
        ]


def _states(model: Any) -> list[Any]:
    """Variables that nobody trains, and the states of recurrent layers, which Keras does not count among them."""
    kept = [
        getattr(layer, "states", None) if getattr(layer, "stateful", False) else None
        for layer in model._flatten_layers()
    ]
    found = [*model.non_trainable_variables, *(one for one in keras.tree.flatten(kept) if one is not None)]
    return list({variable.path: variable for variable in found}.values())

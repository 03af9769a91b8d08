"""The contract of a set of inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from safeconvert.inputs.preprocessing import Preprocessing

Array = np.ndarray[Any, Any]


class InputSet(Protocol):
    """Samples for a model, decoded when asked for."""

    @property
    def names(self) -> tuple[str, ...]:
        """The model's inputs."""
        ...

    @property
    def count(self) -> int:
        """How many samples there are."""
        ...

    @property
    def origin(self) -> str:
        """Where they come from, for a person."""
        ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """What sorts of samples there are."""
        ...

    @property
    def preprocessing(self) -> Preprocessing | None:
        """What was done to images."""
        ...

    @property
    def labels(self) -> tuple[int | None, ...] | None:
        """Ground truth, where a labels.csv says it."""
        ...

    @property
    def whole(self) -> bool:
        """Whether a sample is a whole call: what axis 0 of `chunk` counts is then no axis of the model's own."""
        ...

    def digest(self, at: Path | None = None) -> str:
        """SHA-256 over the samples' bytes as they were generated, or as they lie on disk: where they were opened, or `at` a path."""
        ...

    def chunk(self, start: int, stop: int) -> dict[str, Array]:
        """Samples start..stop by input name, samples along axis 0 (an axis of its own where they are `whole`)."""
        ...

"""Samples that belong together: each call of a model that has no batch takes several rows of what was given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safeconvert.inputs.interface import Array, InputSet
from safeconvert.inputs.preprocessing import Preprocessing


@dataclass(frozen=True)
class Calls:
    """Rows of other inputs, `size` of them a call; rows that fill no call are left out."""

    rows: InputSet
    size: int
    labels: tuple[int | None, ...] | None = None
    whole: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The model's inputs."""
        return self.rows.names

    @property
    def count(self) -> int:
        """How many calls there are."""
        return self.rows.count // self.size

    @property
    def origin(self) -> str:
        """Where the rows come from, and how many make a call."""
        return f"{self.rows.origin}, {self.size} rows a call"

    @property
    def kinds(self) -> tuple[str, ...]:
        """What sorts of rows there are."""
        return self.rows.kinds

    @property
    def preprocessing(self) -> Preprocessing | None:
        """What was done to images."""
        return self.rows.preprocessing

    def digest(self, at: Path | None = None) -> str:
        """SHA-256 over the rows."""
        return self.rows.digest(at)

    def chunk(self, start: int, stop: int) -> dict[str, Array]:
        """Calls start..stop by input name, calls along axis 0 and a call's rows along axis 1."""
        arrays = self.rows.chunk(start * self.size, stop * self.size)
        return {name: array.reshape(stop - start, self.size, *array.shape[1:]) for name, array in arrays.items()}

"""Tables of inputs, read by a worker: a damaged one may end the process that reads it, and a small one become any size."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.inputs.columns import NO_LABEL
from safeconvert.inputs.interface import Array
from safeconvert.inputs.records import Field
from safeconvert.registry.manifest import framework
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run

_WINDOW = 1 << 26  # bytes that are fetched at once
_MOST = 4096  # rows that are


class Tables:
    """Rows of Parquet and Arrow files as records.

    Args:
        run: the surroundings.
        files: in order.

    Raises:
        UnusableInput: they cannot be read, or hold something else than numbers or images.
    """

    def __init__(self, run: Run, files: Sequence[Path]) -> None:
        self.files = tuple(files)
        self._run = run
        run.pool.allow(self.files)
        self._folder = run.folder("tables")
        labels = self._folder / "labels.npy"
        self._table: Mapping[str, Any] = self._call("describe_tables", target=str(labels))
        self.count: int = sum(self._table["rows"])
        self.images: bool = self._table["images"]
        self.labels = _labels(labels) if self._table["label"] else None
        self._first, self._window = 0, list[Mapping[str, Field]]()
        self._rows = 1

    def read(self, start: int, stop: int) -> list[Mapping[str, Field]]:
        """Rows start..stop; more are fetched at once, and kept until others are asked for."""
        stop = min(stop, self.count)
        if not (self._first <= start and stop <= self._first + len(self._window)):
            self._first = start
            self._window = self._fetched(start, min(self.count, max(stop, start + self._rows)))
            bytes_each = sum(map(_size, self._window[0].values())) if self._window else 1
            self._rows = max(1, min(_MOST, _WINDOW // max(1, bytes_each)))
        return self._window[start - self._first : stop - self._first]

    def _fetched(self, start: int, stop: int) -> list[Mapping[str, Field]]:
        target = str(self._folder / "rows")
        written = self._call("table_rows", table=self._table, start=start, stop=stop, target=target)
        arrays = [self._loaded(Path(path)) for path in written]
        if self.images:
            content, ends = arrays[0].tobytes(), [0, *arrays[1].tolist()]
            return [{"": content[low:high]} for low, high in itertools.pairwise(ends)]
        fields = self._table["fields"]
        names = fields if len(fields) > 1 else [""]
        if any(len(array) != stop - start for array in arrays):
            raise UnusableInput(f"--inputs {self.files[0]}: rows {start} to {stop - 1} are not all there")
        return [dict(zip(names, row, strict=True)) for row in zip(*arrays, strict=True)]

    def _loaded(self, path: Path) -> Array:
        """An array that the worker wrote, where it was told to; the file is gone then."""
        if path.parent != self._folder or path.is_symlink():
            raise UnusableInput(f"--inputs {self.files[0]}: its reader wrote elsewhere", "do not trust this file")
        found: Array = np.load(path, allow_pickle=False)
        path.unlink()
        return found

    def _call(self, function: str, **arguments: Any) -> Any:
        onnx = framework("onnx", self._run.adapters)
        request = CallFunction(onnx.folder, function, {"paths": [str(file) for file in self.files], **arguments})
        try:
            return self._run.pool.worker("tables").call("onnx", f"reading {self.files[0].name}", request)
        except AdapterFailure as failure:
            raise UnusableInput(
                f"--inputs {self.files[0]}: cannot be read: {failure.cause}",
                "take it again from where it was made",
                failure.log,
            ) from failure


def _labels(path: Path) -> list[int | None] | None:
    found = [None if label == NO_LABEL else int(label) for label in np.load(path, allow_pickle=False)]
    return found if any(label is not None for label in found) else None


def _size(value: Field) -> int:
    return value.nbytes if isinstance(value, np.ndarray) else len(value)

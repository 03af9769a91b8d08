"""The inner tensors of a native model, as it computes them itself. Runs inside a worker.

A framework's model may offer `intermediates(feeds)` beside `predict`: what its layers give for one call, in the order in which they
run. Faults of exporters are localized against it, since an exporter's graph is no witness in its own case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from safeconvert.adapter_api.feeding import Arrays
from safeconvert.core.arrays import save_array
from safeconvert.errors import UnusableInput

Array = np.ndarray[Any, Any]
_MOST = 1 << 30  # bytes of all tensors of a request; those that go beyond it are left out


@dataclass(frozen=True)
class Intermediate:
    """One tensor that a layer gives.

    Attributes:
        layer: its name in the native model: `conv2d_3`, `features.3.conv`.
        operator: what it is there: `Conv2D`, `aten.conv2d`.
        tensor: the tensor's own name, once in a model.
        reads: names of the tensors that it is made of, inputs of the model among them; weights are not.
        value: of one call.
    """

    layer: str
    operator: str
    tensor: str
    reads: tuple[str, ...]
    value: Array


@dataclass(frozen=True)
class NativeTensor:
    """An intermediate tensor of a few calls, as files.

    Attributes:
        layer, operator, tensor, reads: as `Intermediate`.
        files: its `.npy` file of each call.
    """

    layer: str
    operator: str
    tensor: str
    reads: tuple[str, ...]
    files: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> NativeTensor:
        """The inverse of `to_json`."""
        return NativeTensor(data["layer"], data["operator"], data["tensor"], tuple(data["reads"]), tuple(data["files"]))

    def load(self) -> list[Array]:
        """Its values, one array a call."""
        return [np.load(path, allow_pickle=False) for path in self.files]


@runtime_checkable
class Observable(Protocol):
    """A model that shows its inner tensors."""

    def intermediates(self, feeds: Arrays) -> Sequence[Intermediate]:
        """The inner tensors of one call, in the order in which they are computed.

        Raises:
            UnusableInput: this model cannot show them; the message says why.
        """
        ...


def save_intermediates(model: object, chunks: Sequence[Mapping[str, str]], folder: str) -> list[dict[str, Any]]:
    """The inner tensors of a few calls, written to files.

    Args:
        model: an opened model.
        chunks: for each call the `.npy` file of each input.
        folder: where the tensors go.

    Returns:
        A `NativeTensor` as JSON for each tensor that every call has.

    Raises:
        UnusableInput: the model has none to show.
    """
    if not isinstance(model, Observable):
        raise UnusableInput("its adapter does not show inner tensors")
    calls = []
    for chunk in chunks:
        found = model.intermediates({name: np.load(path, allow_pickle=False) for name, path in chunk.items()})
        calls.append({one.tensor: one for one in found})
    left = _MOST
    shown = []
    for number, (tensor, first) in enumerate(calls[0].items()):
        each = [call[tensor] for call in calls if tensor in call]
        size = sum(one.value.nbytes for one in each)
        if len(each) != len(calls) or size > left or first.value.dtype.kind not in "fiub":
            continue
        left -= size
        files = []
        for index, one in enumerate(each):
            path = Path(folder) / f"inner-{number:05d}-{index}.npy"
            save_array(path, one.value)
            files.append(str(path))
        shown.append(NativeTensor(first.layer, first.operator, tensor, first.reads, tuple(files)).to_json())
    return shown

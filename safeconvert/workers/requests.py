"""What a worker can be requested to do; `_worker.Service` answers, and says what each request gives.

The worker's side imports the standard library only and reads plain JSON, so that these classes live on the host's side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


class Request(Protocol):
    """One line that goes to a worker."""

    def to_json(self) -> dict[str, Any]:
        """The request with its operation under "op"."""
        ...


@dataclass(frozen=True)
class ImportModules:
    """Import modules ahead of need."""

    modules: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """As `Request`."""
        return {"op": "import", "modules": list(self.modules)}


@dataclass(frozen=True)
class LoadAdapter:
    """Import an adapter, and with it its framework. `folder` is the adapter's."""

    folder: Path

    def to_json(self) -> dict[str, Any]:
        """As `Request`."""
        return {"op": "load", "adapter": str(self.folder)}


@dataclass(frozen=True)
class ReadVersions:
    """The installed versions of packages, None for those that are not installed; nothing is imported."""

    packages: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """As `Request`."""
        return {"op": "versions", "packages": list(self.packages)}


@dataclass(frozen=True)
class CallFunction:
    """Call a function of an adapter.

    Attributes:
        folder: the adapter's.
        function: its name in `adapter.py`.
        arguments: by name; what JSON can hold, and paths.
        modules: what it will import, where the folder has no manifest that says so; only spares time.
    """

    folder: Path
    function: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    modules: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """As `Request`."""
        arguments = {name: str(value) if isinstance(value, Path) else value for name, value in self.arguments.items()}
        return {"op": "call", "adapter": str(self.folder), "function": self.function, "arguments": arguments}


@dataclass(frozen=True)
class OpenModel:
    """Load a model with an adapter of a framework: its handle and signature.

    Attributes:
        folder: the adapter's.
        model: a `ModelRequest` as JSON.
    """

    folder: Path
    model: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As `Request`."""
        return {"op": "open", "adapter": str(self.folder), "arguments": {"request": dict(self.model)}}


@dataclass(frozen=True)
class RunModel:
    """Feed chunk files to an opened model: the files of its outputs, chunk by chunk.

    Attributes:
        handle: as `OpenModel` gave it.
        chunks: for each chunk the `.npy` file of each input.
        folder: where the outputs go.
    """

    handle: int
    chunks: Sequence[Mapping[str, Path]]
    folder: Path

    def to_json(self) -> dict[str, Any]:
        """As `Request`."""
        chunks = [{name: str(path) for name, path in chunk.items()} for chunk in self.chunks]
        return {"op": "run", "handle": self.handle, "chunks": chunks, "folder": str(self.folder)}


@dataclass(frozen=True)
class TryModel(RunModel):
    """Feed chunk files to an opened model: whether it runs on them. That it does not is an answer, and no failure."""

    def to_json(self) -> dict[str, Any]:
        """As `Request`."""
        return super().to_json() | {"op": "accepts"}


@dataclass(frozen=True)
class ObserveModel(RunModel):
    """Feed chunk files to an opened model: its inner tensors, call by call; see `adapter_api.intermediates`."""

    def to_json(self) -> dict[str, Any]:
        """As `Request`."""
        return super().to_json() | {"op": "observe"}


@dataclass(frozen=True)
class ListImpurities:
    """What the outputs of an opened model depend on beside its inputs: a line each; see `Session.impurities`."""

    handle: int

    def to_json(self) -> dict[str, Any]:
        """As `Request`."""
        return {"op": "impurities", "handle": self.handle}


@dataclass(frozen=True)
class ListOthers:
    """Functions that the file of an opened model holds beside the one that runs, by name; see `Session.others`."""

    handle: int

    def to_json(self) -> dict[str, Any]:
        """As `Request`."""
        return {"op": "others", "handle": self.handle}


@dataclass(frozen=True)
class CloseModel:
    """Forget an opened model."""

    handle: int

    def to_json(self) -> dict[str, Any]:
        """As `Request`."""
        return {"op": "close", "handle": self.handle}

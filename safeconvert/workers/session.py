"""The parent's side of running a model: open it in a worker, and send it chunk files."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.adapter_api.intermediates import NativeTensor
from safeconvert.adapter_api.protocol import ConvertReply, ConvertRequest, ModelRequest
from safeconvert.core.progress import Advance
from safeconvert.core.signature import Signature
from safeconvert.errors import AdapterFailure
from safeconvert.registry.manifest import Adapter
from safeconvert.workers.requests import (
    CallFunction,
    CloseModel,
    ListImpurities,
    ListOthers,
    ObserveModel,
    OpenModel,
    RunModel,
    TryModel,
)
from safeconvert.workers.worker import Worker

Files = Mapping[str, Path]
_numbers: Iterator[int] = itertools.count()


@dataclass(frozen=True)
class Session:
    """An opened model in a worker. Valid while that worker's process lives."""

    adapter: Adapter
    worker: Worker
    generation: int
    handle: int
    signature: Signature
    path: Path

    @property
    def alive(self) -> bool:
        """Whether the process that holds the model is still the worker's."""
        return self.worker.generation == self.generation and self.worker.running

    def run(self, chunks: Sequence[Files], folder: Path, advance: Advance | None = None) -> list[dict[str, Path]]:
        """Run the model over chunk files; the outputs' files, chunk by chunk.

        Args:
            chunks: for each chunk the `.npy` file of each input.
            folder: where the outputs go; each call writes into a folder of its own below it.
            advance: called after each chunk.

        Raises:
            AdapterFailure: the framework raised, died or went past a limit.
        """
        results = []
        for chunk in chunks:
            destination = folder / f"run-{next(_numbers)}"
            destination.mkdir(parents=True)
            request = RunModel(self.handle, [chunk], destination)
            answer = self.worker.call(self.adapter.name, f"running {self.path.name}", request)
            results.append({name: self._own(Path(path), destination) for name, path in answer[0].items()})
            if advance is not None:
                advance(1)
        return results

    def accepts(self, chunks: Sequence[Files], folder: Path) -> bool:
        """Whether the model runs on chunk files. Raises AdapterFailure where the worker dies of them."""
        path = folder / f"run-{next(_numbers)}"
        path.mkdir(parents=True)
        request = TryModel(self.handle, chunks, path)
        return bool(self.worker.call(self.adapter.name, f"trying inputs on {self.path.name}", request))

    def observe(self, chunks: Sequence[Files], folder: Path) -> list[NativeTensor]:
        """The model's inner tensors on chunk files, each of them one call.

        Args:
            chunks: for each call the `.npy` file of each input.
            folder: where the tensors go, in a folder of this call's own below it.

        Raises:
            UnusableInput: the model does not show them.
            AdapterFailure: the framework raised, died or went past a limit.
        """
        destination = folder / f"run-{next(_numbers)}"
        destination.mkdir(parents=True)
        request = ObserveModel(self.handle, chunks, destination)
        answer = self.worker.call(self.adapter.name, f"observing {self.path.name}", request)
        found = [NativeTensor.from_json(one) for one in answer]
        for path in (path for one in found for path in one.files):
            self._own(Path(path), destination)
        return found

    def impurities(self) -> tuple[str, ...]:
        """What the outputs depend on beside the inputs, as "draws random numbers at NODE" or "changes its own STATE while it runs".

        Some frameworks tell by the operators of the file, some by what changed in the calls so far; () where nothing is known of any.

        Raises:
            AdapterFailure: the framework raised, died or went past a limit.
        """
        request = ListImpurities(self.handle)
        return tuple(self.worker.call(self.adapter.name, f"reading {self.path.name}", request))

    def others(self) -> tuple[str, ...]:
        """Functions that the file holds beside the one that runs, by name: signatures, methods; () where it holds none, or its format has none.

        Raises:
            AdapterFailure: the framework raised, died or went past a limit.
        """
        return tuple(self.worker.call(self.adapter.name, f"reading {self.path.name}", ListOthers(self.handle)))

    def close(self) -> None:
        """Forget the model; the worker lives on."""
        self.worker.call(self.adapter.name, f"closing {self.path.name}", CloseModel(self.handle))

    def _own(self, path: Path, destination: Path) -> Path:
        """An output file, which has to lie where it was to be written. Raises AdapterFailure."""
        if path.parent != destination or path.is_symlink() or not path.is_file():
            cause = "it names an output that does not lie in the folder for outputs"
            raise AdapterFailure(self.adapter.name, f"running {self.path.name}", cause, self.worker.log, died=True)
        return path


def open_session(worker: Worker, adapter: Adapter, request: ModelRequest) -> Session:
    """Load a model in a worker.

    Raises:
        UnusableInput: the adapter says that the file cannot be used.
        AdapterFailure: the framework raised, died or went past a limit.
    """
    path = Path(request.path)
    answer = worker.call(adapter.name, f"loading {path.name}", OpenModel(adapter.folder, request.to_json()))
    return Session(adapter, worker, worker.generation, answer["handle"], Signature.from_json(answer["signature"]), path)


def run_converter(worker: Worker, adapter: Adapter, request: ConvertRequest) -> ConvertReply:
    """One step of a route.

    Raises:
        UnusableInput, AdapterFailure: as for `open_session`.
    """
    call = CallFunction(adapter.folder, "convert", {"request": request.to_json()})
    return ConvertReply.from_json(worker.call(adapter.name, f"converting {Path(request.model.path).name}", call))


def load_files(files: Files) -> dict[str, np.ndarray[Any, Any]]:
    """Arrays of output files, by name."""
    return {name: np.load(path, allow_pickle=False) for name, path in files.items()}

"""One call of a torch model, to see that it runs and what it gives: on the user's values where there are any, never on zeros alone.

Zeros are no length of a sequence and no divisor, and in an attention mask they forbid everything; ones are tried after them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.signature import TensorSpec

from .torch_trees import Call

Arguments = Mapping[str, torch.Tensor]


def trials(specs: Sequence[TensorSpec], given: Arguments | None, batch: int = 1) -> Iterator[dict[str, torch.Tensor]]:
    """Arguments to try: the given values where all fit, zeros, ones; a free batch has `batch` samples."""
    if given is not None and all(spec.name in given and _fits(spec, given[spec.name]) for spec in specs):
        yield {spec.name: given[spec.name].to(getattr(torch, spec.dtype)) for spec in specs}
    for value in (0, 1):
        yield {
            spec.name: torch.full(
                [batch if size is None else size for size in spec.shape], value, dtype=getattr(torch, spec.dtype)
            )
            for spec in specs
        }


def run_once(call: Call, tried: Iterator[Arguments] | Sequence[Arguments]) -> tuple[Any, str]:
    """The outputs of the first arguments that go through and "", or None and the complaint about the first ones.

    TorchScript is not optimized for it: that costs seconds at the first calls of each shape, and here each is the only one.
    """
    complaint = ""
    for arguments in tried:
        try:
            with torch.inference_mode(), torch.jit.optimized_execution(False):
                return call(arguments), ""
        except Exception as error:  # noqa: BLE001 - a foreign module may raise anything; it is the answer here
            complaint = complaint or _line(error)
    return None, complaint


def given_values(names: Sequence[str], request: ModelRequest) -> list[dict[str, np.ndarray]]:
    """The user's arrays by input, as one call each way they may be meant: of their first rows, and of their first entry.

    By name where the names are the inputs', else in the order of the arguments.
    """
    if not request.sample:
        return []
    try:
        loaded = np.load(Path(request.sample), allow_pickle=False)
        arrays = {"": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return []  # opening the inputs proper says what is wrong with them
    if len(arrays) != len(names):
        return []
    by_name = arrays if set(arrays) == set(names) else dict(zip(names, arrays.values(), strict=True))
    ordered = {name: by_name[name] for name in names}
    if not all(array.ndim and len(array) for array in ordered.values()):
        return [ordered]
    whole = [ordered] if all(array.ndim == 1 for array in ordered.values()) else []
    rows, entry = ({name: array[at] for name, array in ordered.items()} for at in (slice(0, 1), 0))
    return [*whole, rows, entry]


def _fits(spec: TensorSpec, value: torch.Tensor) -> bool:
    return len(spec.shape) == value.dim() and all(
        own in (None, size) for own, size in zip(spec.shape, value.shape, strict=True)
    )


def _line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:240]

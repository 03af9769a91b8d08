"""How a target is to be held against its source, as the Python API is told: once for `convert`, `verify` and the drop-ins.

Whatever is None is taken from the project's settings file, and where that says nothing, from the defaults.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.compare.layout import Override
from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.config import parsing
from safeconvert.config.options import DataOptions
from safeconvert.config.settings import Settings
from safeconvert.errors import UnusableInput
from safeconvert.inputs.store import write_arrays

Inputs = str | PathLike[str] | np.ndarray[Any, Any] | Mapping[str, np.ndarray[Any, Any]]


Shape = Sequence[int | None]


@dataclass(frozen=True)
class Checks:
    """How to check.

    Attributes:
        inputs: a folder of images, `.npy` or `.npz`; or an array, or arrays by input name, samples along axis 0.
            None generates inputs.
        preprocessing: preset or TOML file for a folder of images.
        samples: use at most so many inputs, or generate so many.
        seed: of generated inputs and of the split.
        input_shape: of a model that does not declare it, one shape or a shape by input name; None is a free dimension.
        input_range: by integer input, the lowest value and one past the highest.
        comparator: `label`, `top1`, `topk`, `allclose`, `cosine`, `exact` or `package.module:function`.
        rtol, atol: |source - target| <= atol + rtol * (largest |source| output of the sample).
        tolerance: (rtol, atol) by output name.
        top_k: labels compared by `topk`.
        max_discrepancy: share of inputs that may differ.
        target_layout: `keep`, `NCHW->NHWC` or `NHWC->NCHW`, for all tensors or by name, where shapes do not tell.
        key: Ed25519 private key that signs the certificate.
        timeout: seconds that one call of a converter may take.
        memory: MiB that one worker may take.
    """

    inputs: Inputs | None = None
    preprocessing: str | None = None
    samples: int | None = None
    seed: int | None = None
    input_shape: Shape | Mapping[str, Shape] | None = None
    input_range: Mapping[str, tuple[int, int]] | None = None
    comparator: str | None = None
    rtol: float | None = None
    atol: float | None = None
    tolerance: Mapping[str, tuple[float, float]] | None = None
    top_k: int | None = None
    max_discrepancy: float | None = None
    target_layout: Override | Mapping[str, Override] | None = None
    key: str | PathLike[str] | None = None
    timeout: float | None = None
    memory: int | None = None

    def over(self, flags: Mapping[str, Any]) -> Checks:
        """These, with what is None taken from a settings file's flags."""
        parsed = dict(flags)
        for name, parse in _PARSERS.items():
            if name in parsed:
                parsed[name] = parse(parsed[name])
        missing = {
            field.name: parsed[field.name]
            for field in fields(self)
            if getattr(self, field.name) is None and field.name in parsed
        }
        return replace(self, **missing)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Input shapes by name; "" is the only or first input, 0 a free dimension."""
        given = self.input_shape
        if given is None:
            return {}
        by_name = given if isinstance(given, Mapping) else {"": given}
        return {name: tuple(size or 0 for size in shape) for name, shape in by_name.items()}

    def layouts(self) -> dict[str, Override]:
        """Orders of dimensions by name; "" is for all tensors. Raises UnusableInput for an unknown one."""
        given = self.target_layout
        if given is None:
            return {}
        by_name = given if isinstance(given, Mapping) else {"": given}
        return parsing.layouts([f"{name}={order}" if name else order for name, order in by_name.items()])

    def comparison(self, settings: Settings) -> VerifySettings:
        """What counts as equal; what is not said here is as configured."""
        configured = settings.verify
        return VerifySettings(
            comparator=self.comparator or None,
            tolerance=Tolerance(_or(self.rtol, configured.rtol), _or(self.atol, configured.atol)),
            tolerances={name: Tolerance(*pair) for name, pair in (self.tolerance or {}).items()},
            top_k=self.top_k or configured.top_k,
            max_discrepancy=_or(self.max_discrepancy, configured.max_discrepancy),
            cosine_threshold=configured.cosine_threshold,
        )

    @contextmanager
    def data(self) -> Iterator[DataOptions]:
        """What the models are run on; arrays in memory lie in a temporary file meanwhile."""
        options = DataOptions(None, self.preprocessing or "", self.samples, dict(self.input_range or {}), self.seed)
        if self.inputs is None:
            yield options
        elif isinstance(self.inputs, str | PathLike):
            yield replace(options, path=Path(self.inputs))
        else:
            with tempfile.TemporaryDirectory(prefix="safeconvert-inputs-") as folder:
                yield replace(options, path=_written(self.inputs, Path(folder)))


_PARSERS: dict[str, Callable[[list[str]], Any]] = {
    "input_shape": parsing.shapes,
    "input_range": parsing.ranges,
    "target_layout": parsing.layouts,
    "tolerance": lambda texts: {
        name: (tolerance.rtol, tolerance.atol) for name, tolerance in parsing.tolerances(texts).items()
    },
}


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _written(arrays: object, folder: Path) -> Path:
    """Arrays as a file that workers read. Raises UnusableInput for what holds no numbers."""
    by_name = {str(name): np.asarray(value) for name, value in arrays.items()} if isinstance(arrays, Mapping) else {}
    single = None if by_name else np.asarray(arrays)
    for array in by_name.values() if single is None else [single]:
        if array.dtype.kind not in "biuf" or array.ndim == 0:
            raise UnusableInput(
                f"inputs: an array of {array.dtype} with {array.ndim} dimensions holds no samples",
                "give numbers with the samples along axis 0",
            )
    if single is not None:
        np.save(folder / "inputs.npy", single, allow_pickle=False)
        return folder / "inputs.npy"
    return write_arrays(by_name, folder / "inputs.npz")

"""What one command was called with: the values of its flags, from the command line, the Python API or a settings file, as options.

On the command line and in settings files some flags are text in a small language (`parsing`); the Python API takes Python's
own types. Here both become the same.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.compare.layout import Override
from safeconvert.compare.settings import DropSettings, Tolerance, VerifySettings
from safeconvert.config import parsing
from safeconvert.config.options import ConvertOptions, DataOptions, ModelOptions, VerifyOptions
from safeconvert.config.origin import origin_of
from safeconvert.config.project_file import Project, flag_values, open_project
from safeconvert.config.settings import Settings, project_settings
from safeconvert.core.containment import Mode
from safeconvert.core.cut import Cut
from safeconvert.errors import UnusableInput
from safeconvert.inputs.store import write_arrays


@dataclass(frozen=True)
class Request:
    """The flags of one run and its settings.

    Attributes:
        values: by the name of the Python parameter; what was not given is not in it.
        settings: with the limits that were given.
        project: the settings file, or None.
    """

    values: Mapping[str, Any]
    settings: Settings
    project: Project | None = None

    def path(self, name: str) -> Path | None:
        """The value of a flag that is a path; None where it was not given."""
        value = self.values.get(name)
        return Path(value) if value else None

    def flag(self, name: str, otherwise: bool = False) -> bool:
        """The value of a flag that is on or off."""
        return bool(self.values.get(name, otherwise))

    def model(self) -> ModelOptions:
        """How the models are opened."""
        cut = Cut(self._names("from_node"), self._names("to_node"))
        return ModelOptions(self.shapes(), self.values.get("model", ""), self.flag("trust_pickle"), cut=cut)

    def _names(self, flag: str) -> tuple[str, ...]:
        """The value of a flag that names one or several nodes."""
        given = self.values.get(flag) or ()
        return (given,) if isinstance(given, str) else tuple(given)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Input shapes by name; "" is the only or first input, 0 a free size."""
        by_name = _by_name(self.values.get("input_shape"))
        return {name: tuple(size or 0 for size in shape) for name, shape in by_name.items()}

    def layouts(self) -> dict[str, Override]:
        """Orders of dimensions by name; "" is for all tensors. Raises UnusableInput for an unknown one."""
        by_name = _by_name(self.values.get("target_layout"))
        return parsing.layouts([f"{name}={order}" if name else order for name, order in by_name.items()])

    def comparison(self) -> VerifySettings:
        """What counts as equal; what was not given is as configured."""
        configured, given = self.settings.verify, self.values
        return VerifySettings(
            comparator=given.get("comparator") or None,
            tolerance=Tolerance(given.get("rtol", configured.rtol), given.get("atol", configured.atol)),
            atol_given=given.get("atol") is not None,
            tolerances={name: Tolerance(*pair) for name, pair in given.get("tolerance", {}).items()},
            top_k=given.get("top_k", configured.top_k),
            max_discrepancy=given.get("max_discrepancy", configured.max_discrepancy),
            cosine_threshold=configured.cosine_threshold,
            drop=self._drop(),
            also_on=parsing.runtimes(self._names("also_on")),
            nonfinite=self.flag("allow_nonfinite"),
        )

    def _drop(self) -> DropSettings | None:
        """The metric that decides; None where neither it nor how far it may fall was given."""
        given, usual = self.values, DropSettings()
        if given.get("metric") is None and given.get("max_drop") is None:
            return None
        return DropSettings(given.get("metric", usual.metric), given.get("max_drop", usual.allowed))

    @contextmanager
    def data(self) -> Iterator[DataOptions]:
        """What the models are run on; arrays in memory lie in a temporary file meanwhile."""
        given = self.values
        options = DataOptions(
            limit=given.get("samples"),
            ranges=dict(given.get("input_range", {})),
            seed=given.get("seed"),
            preprocessing=given.get("preprocessing", ""),
            target_preprocessing=given.get("target_preprocessing", ""),
            min_held_out=given.get("min_held_out"),
            nonfinite=self.flag("allow_nonfinite"),
            shard=parsing.shard(given["shard"]) if given.get("shard") else None,
        )
        inputs = given.get("inputs")
        if inputs is None:
            yield options
        elif isinstance(inputs, str | PathLike):
            yield replace(options, path=Path(inputs))
        else:
            with tempfile.TemporaryDirectory(prefix="safeconvert-inputs-") as folder:
                yield replace(options, path=_written(inputs, Path(folder)))


def requested(command: str, given: Mapping[str, Any], config: Path | None = None) -> Request:
    """What the Python API was called with; what is not given, or None, comes from the project's settings file.

    Args:
        command: whose flags count in the settings file.
        given: flags by the name of the Python parameter.
        config: the settings file; None takes the nearest one.

    Raises:
        UnusableInput: the settings file cannot be used, or a value means nothing.
    """
    project = open_project(config, bool(given.get("trust_project")))
    values = flag_values(project, command) | {name: value for name, value in given.items() if value is not None}
    return request_of(values, project)


def request_of(values: Mapping[str, Any], project: Project | None) -> Request:
    """The request of all the values in force. Raises UnusableInput as `requested`."""
    parsed = {name: _parsed(name, value) for name, value in values.items() if value is not None}
    return Request(parsed, _limited(project_settings(project), parsed), project)


def conversion(request: Request, source: Path, target_format: str, data: DataOptions) -> ConvertOptions:
    """The options of a conversion; "" as the format is for a target that is there already."""
    given = request.values
    return ConvertOptions(
        source=source,
        target_format=target_format,
        output=request.path("output"),
        model=request.model(),
        data=data,
        verify=request.comparison(),
        layouts=request.layouts(),
        route=given.get("route", ""),
        routes=str(given.get("routes", "")),
        opset=given.get("opset", 0),
        optimize=given.get("optimize", "none"),
        io=given.get("io", "float32"),
        key=request.path("key"),
        keep_precision=request.flag("keep_precision"),
        bake_preprocessing=request.flag("bake_preprocessing"),
        repair=request.flag("repair", True),
        layer_analysis=given.get("layer_analysis", ""),
        layer_errors=request.path("model_explorer") is not None,
        origin=origin_of(request.project),
    )


def verification(request: Request, source: Path, target: Path, data: DataOptions) -> VerifyOptions:
    """The options of a verification."""
    return VerifyOptions(
        source=source,
        target=target,
        model=request.model(),
        data=data,
        verify=request.comparison(),
        layouts=request.layouts(),
        certificate=request.path("certificate"),
        key=request.path("key"),
        origin=origin_of(request.project),
    )


_PARSERS: dict[str, Callable[[Sequence[str]], Any]] = {
    "input_shape": parsing.shapes,
    "input_range": parsing.ranges,
    "target_layout": parsing.layouts,
    "tolerance": lambda texts: {
        name: (tolerance.rtol, tolerance.atol) for name, tolerance in parsing.tolerances(texts).items()
    },
}


def _parsed(name: str, value: Any) -> Any:
    """A value as the Python API takes it; the texts of a flag that may be given several times are parsed."""
    texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return _PARSERS[name](value) if texts and name in _PARSERS else value


def _by_name(value: Any) -> Mapping[str, Any]:
    return {} if value is None else value if isinstance(value, Mapping) else {"": value}


def _limited(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """The settings with the limits and permissions that were given."""
    limits, tflite = settings.limits, settings.tflite
    if "timeout" in values:
        limits = replace(limits, seconds=values["timeout"])
    if "memory" in values:
        import psutil

        limits = replace(limits, memory_share=values["memory"] * 2**20 / psutil.virtual_memory().total)
    if values.get("containment"):
        if values["containment"] not in tuple(Mode):
            raise UnusableInput(f"--containment {values['containment']}: unknown", f"one of {', '.join(Mode)}")
        limits = replace(limits, containment=values["containment"])
    inputs = settings.inputs
    if values.get("search") is not None:
        if not 0 <= values["search"] < math.inf:
            raise UnusableInput(f"--search {values['search']}: no number of seconds", "give 0 or more")
        inputs = replace(inputs, search=float(values["search"]))
    if values.get("allow_select_tf_ops"):
        tflite = replace(tflite, select_tf_ops=True)
    if values.get("tflite_runtime"):
        tflite = replace(tflite, runtime=parsing.deciding_runtime(values["tflite_runtime"], "--tflite-runtime"))
    return replace(settings, limits=limits, inputs=inputs, tflite=tflite)


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

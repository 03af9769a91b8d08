"""What the engine is given to localize an exporter's faults: ONNX forms, and their native model on a few calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from safeconvert.adapter_api.intermediates import NativeTensor
from safeconvert.compare.contract import Contract


@dataclass(frozen=True)
class OnnxForm:
    """One exporter's graph.

    Attributes:
        adapter: the exporter.
        path: the ONNX file.
        contract: of the native model and this graph.
    """

    adapter: str
    path: str
    contract: Contract

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> OnnxForm:
        """The inverse of `asdict`."""
        return OnnxForm(data["adapter"], data["path"], Contract.from_json(data["contract"]))


@dataclass(frozen=True)
class ExportProblem:
    """An ONNX form to compare with its native model.

    Attributes:
        form: the graph that is wrong, or whose layers' native names are wanted.
        donors: other exporters' graphs of the same model.
        tensors: the native model's inner tensors on a few calls.
        feeds: for each call the `.npy` file of each input.
        outputs: for each call the `.npy` file of each output.
        rtol: how far equal tensors may be apart, of a tensor's largest magnitude.
        folder: where the graph goes that is put together.
    """

    form: OnnxForm
    donors: tuple[OnnxForm, ...]
    tensors: tuple[NativeTensor, ...]
    feeds: tuple[Mapping[str, str], ...]
    outputs: tuple[Mapping[str, str], ...]
    rtol: float
    folder: str

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> ExportProblem:
        """The inverse of `to_json`."""
        return ExportProblem(
            OnnxForm.from_json(data["form"]),
            tuple(OnnxForm.from_json(one) for one in data["donors"]),
            tuple(NativeTensor.from_json(one) for one in data["tensors"]),
            tuple(data["feeds"]),
            tuple(data["outputs"]),
            data["rtol"],
            data["folder"],
        )

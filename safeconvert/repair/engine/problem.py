"""What a repair is given: two ONNX graphs, the inputs that may steer it, and what counts as equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from safeconvert.compare.contract import Contract
from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.core.faults import FaultKind
from safeconvert.localize.settings import RepairSettings


@dataclass(frozen=True)
class Chunk:
    """Samples start..stop of the source's inputs, an `.npy` file for each.

    Attributes:
        whole: one sample that is a whole call; its arrays have no sample axis.
    """

    start: int
    stop: int
    arrays: Mapping[str, str]
    whole: bool = False


@dataclass(frozen=True)
class Problem:
    """One pair to localize, and to repair where `repair` is True.

    Attributes:
        source, target: ONNX files.
        contract: which tensors of the two files correspond.
        chunks: the source's inputs, by the names of its ONNX file.
        steering: numbers of the samples that may steer decisions.
        verify: what counts as equal.
        settings: limits.
        folder: where the repaired graph and its changed weights are written.
        repair: False only localizes.
        search_path: folder in which a user's comparator is looked for.
        layer_analysis: back end of the published layer analysis, `onnxruntime` or `tvm`; "" leaves it out.
    """

    source: str
    target: str
    contract: Contract
    chunks: tuple[Chunk, ...]
    steering: tuple[int, ...]
    verify: VerifySettings
    settings: RepairSettings
    folder: str
    repair: bool = True
    search_path: str = ""
    layer_analysis: str = ""

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Problem:
        """The inverse of `to_json`."""
        verify = data["verify"]
        return Problem(
            **{
                **data,
                "contract": Contract.from_json(data["contract"]),
                "chunks": tuple(Chunk(**chunk) for chunk in data["chunks"]),
                "steering": tuple(data["steering"]),
                "verify": VerifySettings(
                    **{
                        **verify,
                        "tolerance": Tolerance(**verify["tolerance"]),
                        "tolerances": {name: Tolerance(**value) for name, value in verify["tolerances"].items()},
                    }
                ),
                "settings": RepairSettings(
                    **{
                        **data["settings"],
                        "strategies": tuple(FaultKind(kind) for kind in data["settings"]["strategies"]),
                        "core_layers": tuple(data["settings"]["core_layers"]),
                    }
                ),
            }
        )

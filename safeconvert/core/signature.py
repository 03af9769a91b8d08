"""What a model declares about its inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Quantization:
    """Affine quantisation of a tensor: real = scale * (stored - zero_point)."""

    scale: float
    zero_point: int


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model.

    Attributes:
        name: the name in the model file.
        shape: one entry a dimension, batch first; None is a dimension that is free.
        dtype: numpy name (`float32`, `int64`, …).
        layout: `NCHW` or `NHWC` (also for 3-D and 5-D: channels second or last) where the format itself declares it,
            else None.
        quantization: set where stored integers stand for real values.
        computed: of an output, the 16-bit type that the model computes in where `dtype` is wider; "" otherwise.
        position: place among the file's inputs or outputs, which callers may count, where it is not the place in the signature;
            -1 where they go by name alone.
        open: axes behind the batch whose size in `shape` is this run's only: the model takes others.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    layout: str | None = None
    quantization: Quantization | None = None
    open: tuple[int, ...] = ()
    position: int | None = None
    computed: str = ""

    @property
    def numbers(self) -> np.dtype[Any] | None:
        """The numpy type, or None where numpy has none of that name that holds numbers (`bfloat16`, `string`)."""
        import numpy as np  # here: adapters in environments of their own may have none

        try:
            found = np.dtype(self.dtype)
        except TypeError:
            return None
        return found if found.kind in "biuf" else None

    @property
    def batch(self) -> int | None:
        """The fixed batch size, or None where it is free."""
        return self.shape[0] if self.shape else None


@dataclass(frozen=True)
class Signature:
    """Inputs and outputs in the model's own order."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form that `from_json` reads back."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Signature:
        """The inverse of `to_json`."""
        return Signature(tuple(map(_spec, data["inputs"])), tuple(map(_spec, data["outputs"])))


def has_batch(signature: Signature) -> bool:
    """Whether axis 0 of every input and output counts samples, as far as the declared shapes tell.

    It does not where an input has no axes, where inputs fix it to different sizes, or where they fix it to one size and an
    output to another.
    """
    if not all(spec.shape for spec in signature.inputs):
        return False
    fixed = {spec.shape[0] for spec in signature.inputs} - {None}
    if len(fixed) > 1:
        return False
    return not fixed or all(spec.shape and spec.shape[0] in {None, *fixed} for spec in signature.outputs)


def _spec(data: Mapping[str, Any]) -> TensorSpec:
    quantization = data.get("quantization")
    return TensorSpec(
        name=data["name"],
        shape=tuple(data["shape"]),
        dtype=data["dtype"],
        layout=data.get("layout"),
        quantization=Quantization(**quantization) if quantization else None,
        open=tuple(data.get("open", ())),
        position=data.get("position"),
        computed=data.get("computed", ""),
    )

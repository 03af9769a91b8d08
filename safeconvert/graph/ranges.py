"""The integers that an input takes, as data; the host reads it without loading onnx."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class IntegerRange:
    """What an input is fed.

    Attributes:
        low, high: the lowest value, and one past the highest.
        near: values at which a comparison, a bound or a division changes its answer, ascending, within the range.
        far: lowest and one past the highest of the numbers tried apart, far from zero; None where there are none.
        rows: rows of the smallest table that it indexes; 0 where it indexes none.
    """

    low: int
    high: int
    near: tuple[int, ...] = ()
    far: tuple[int, int] | None = None
    rows: int = 0

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return asdict(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> IntegerRange:
        """The inverse of `to_json`."""
        far = data["far"]
        return IntegerRange(data["low"], data["high"], tuple(data["near"]), tuple(far) if far else None, data["rows"])

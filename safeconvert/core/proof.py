"""How sure an equivalence is: sampled, or proven, and between what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

PROOF = "proof.json"
"""Name of the proof object in the evidence file."""
READER = "reader"
"""In the place of an exporter, in a proof object: the graph was read from the native file itself."""


class ProofLevel(StrEnum):
    """What was shown beyond the inputs that were tried; each includes the ones before it."""

    SAMPLED = "sampled"
    """Equal on the held-out inputs, and no more is claimed."""
    ONNX = "onnx"
    """The two ONNX forms compute the same for every input of the stated sizes, over the reals; that each form is its native model is sampled."""
    NATIVE = "native"
    """Proven between graphs that were read from the native files themselves, by no exporter or converter; ONNX files are their own."""


@dataclass(frozen=True)
class ProofRecord:
    """A proof, or why there is none.

    Attributes:
        level: what was shown.
        reason: why no more; "" where nothing is missing.
        apart: largest relative difference of constants that were taken for one another (folded in float32 by a converter).
        sizes: by input of the source's ONNX form the shape that the proof is for.
        alone: whether the models take other sizes too, for which it shows nothing.
        axioms: how often each axiom spoke.
        unproven: where the target first computes something that the source does not.
        document: the proof object, as the evidence file holds it; {} where there is none.
    """

    level: ProofLevel
    reason: str
    apart: float = 0.0
    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    alone: bool = False
    axioms: Mapping[str, int] = field(default_factory=dict)
    unproven: tuple[Mapping[str, Any], ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As the certificate has it."""
        return {
            "level": self.level.value,
            "reason": self.reason,
            "apart": self.apart,
            "sizes": {name: list(shape) for name, shape in self.sizes.items()},
            "alone": self.alone,
            "axioms": dict(self.axioms),
            "unproven": [dict(one) for one in self.unproven],
            **(
                {"object": {"path": PROOF, "sha256": hashlib.sha256(encoded(self.document)).hexdigest()}}
                if self.document
                else {}
            ),
        }


def encoded(document: Mapping[str, Any]) -> bytes:
    """The bytes of a proof object, the same for the same content."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

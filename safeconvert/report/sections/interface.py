"""What a user of the target has to do otherwise than with the source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.certificate.untrusted_json import mapping, mappings, sequence, text
from safeconvert.report.sections.numbers import ROWS


def obligations(predicate: Mapping[str, Any]) -> dict[str, Any]:
    """The obligations, the inputs and outputs of both sides, and the preprocessing."""
    contract = mapping(predicate.get("contract"))
    tensors = []
    for role in ("inputs", "outputs"):
        for tensor in mappings(contract.get(role)):
            source, target = mapping(tensor.get("source")), mapping(tensor.get("target"))
            tensors.append({"role": role[:-1], "source": _spec(source),
                            "target": _spec(target), "order": text(tensor.get("permutation") or "unchanged"),
                            "reason": text(tensor.get("reason"))})  # fmt: skip
    recipe = mapping(contract.get("preprocessing"))
    verified = predicate.get("verdict") == "verified"
    return {
        "obligations": [text(item) for item in sequence(predicate.get("obligations"))[:ROWS]],
        "no_obligations": "Nothing: it takes and gives the same as the source."
        if verified
        else "Nothing was recorded.",
        "tensors": tensors,
        "preprocessing": [(str(key), text(value)) for key, value in recipe.items()],
    }


def _spec(tensor: Mapping[str, Any]) -> str:
    sizes = ["?" if size is None else text(size) for size in sequence(tensor.get("shape"))]
    return f"{text(tensor.get('name'))} [{', '.join(sizes)}] {text(tensor.get('dtype'))}"

"""Outputs that tell nothing about a target: without elements, or never above the absolute tolerance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from safeconvert.compare.scale import not_compared
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated
from safeconvert.errors import NoVerdict
from safeconvert.verification.native import real_scales, unchanged_contract
from safeconvert.workers.session import load_files


def blind_outputs(path: Path, outputs: Evaluated, settings: VerifySettings) -> Mapping[str, str]:
    """By output that is not compared, why; named in the certificate.

    Args:
        path: the source, for the message.
        outputs: of the source on all inputs.
        settings: as the user gave them.

    Raises:
        NoVerdict: no output is compared.
    """
    contract = unchanged_contract(outputs.signature, outputs.signature)
    elements: Counter[str] = Counter()
    for files in outputs.outputs:
        elements.update({name: array.size for name, array in load_files(files).items()})
    blind = not_compared(settings, real_scales(contract, outputs), elements)
    if len(blind) == len(elements):
        why = "; ".join(f"{name} {reason}" for name, reason in blind.items())
        raise NoVerdict(
            f"{path}: nothing to compare: {why or 'it has no outputs'}",
            "give inputs on which it answers with --inputs, or a smaller --atol",
        )
    return blind

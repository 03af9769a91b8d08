"""safeconvert: convert deep-learning models with the real converters, and prove the target is still the same model.

`convert` and `verify` are the plain API. The package imports no deep-learning framework: frameworks and converters run in
worker processes (`workers`), and what is offered here is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safeconvert.api import convert as convert
    from safeconvert.api import verify as verify
    from safeconvert.errors import NoRoute as NoRoute
    from safeconvert.errors import NotEquivalent as NotEquivalent
    from safeconvert.errors import NoVerdict as NoVerdict
    from safeconvert.errors import SafeconvertError as SafeconvertError
    from safeconvert.errors import UnusableInput as UnusableInput
    from safeconvert.report.outcome import Outcome as Outcome

__version__ = "0.1.0"

_PLACES = {
    "convert": "api",
    "verify": "api",
    "NoRoute": "errors",
    "NotEquivalent": "errors",
    "NoVerdict": "errors",
    "SafeconvertError": "errors",
    "UnusableInput": "errors",
    "Outcome": "report.outcome",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'safeconvert' has no attribute '{name}'")
    return getattr(importlib.import_module(f"safeconvert.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})

"""Is it the same function? Layout contract, comparators, discrepancy and bounds, as pure code on arrays.

`safeconvert.verify(source, target)` is the plain API, and this package has its name: so it can be called.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safeconvert.report.outcome import Outcome


class _Verify(ModuleType):
    def __call__(self, *arguments: Any, **options: Any) -> Outcome:
        """`safeconvert.api.verify`; see there."""
        from safeconvert.api import verify

        return verify(*arguments, **options)


sys.modules[__name__].__class__ = _Verify

"""The keywords of the Python API, from the table of flags: `python -m tests.docs.reference` writes `config/keywords.py`."""

from __future__ import annotations

from safeconvert.config.flags import keywords
from tests.command import ROOT

MODULE = ROOT / "safeconvert" / "config" / "keywords.py"
_HEAD = '''"""The keywords of `safeconvert.convert` and `safeconvert.verify`, for type checkers and editors.

Written from `config.flags` by `python -m tests.docs.reference`; change them there. None, or a keyword left out, takes what the
settings file says, and then the default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, TypedDict

import numpy as np

from safeconvert.compare.layout import Override

Place = str | PathLike[str]
Inputs = Place | np.ndarray[Any, Any] | Mapping[str, np.ndarray[Any, Any]]
"""A folder of images, `.npy` or `.npz`; or an array, or arrays by input name, samples along axis 0."""
Shape = Sequence[int | None]
"""None is a free size."""
'''


def module() -> str:
    """The module's text."""
    parts = [_HEAD]
    for command in ("convert", "verify"):
        lines = [
            f"class {command.title()}Keywords(TypedDict, total=False):",
            f'    """Of `safeconvert.{command}`."""',
            "",
        ]
        for name, flag in keywords(command).items():
            lines += [f"    {name}: {flag.takes} | None", f'    """{flag.text}"""']
        parts.append("\n".join(lines) + "\n")
    return "\n\n".join(parts)

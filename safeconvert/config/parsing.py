"""Parse the command line's small languages: shapes, ranges, layouts, tolerances."""

from __future__ import annotations

import re
from collections.abc import Sequence

from safeconvert.compare.layout import Override
from safeconvert.compare.settings import Tolerance
from safeconvert.core.runtimes import DECIDING, Runtime
from safeconvert.errors import UnusableInput

_LAYOUTS: dict[str, Override] = {"keep": "keep", "nchw->nhwc": "NCHW->NHWC", "nhwc->nchw": "NHWC->NCHW"}


def shapes(texts: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """`1,3,224,224` or `name=1,16`; 0 (or ?) is a free dimension. "" is the key of a shape without a name."""
    found = {}
    for text in texts:
        name, sizes = _named(text)
        try:
            found[name] = tuple(0 if size.strip() in ("?", "") else int(size) for size in sizes.split(","))
        except ValueError:
            raise UnusableInput(f"--input-shape {text}: not whole numbers", "write it as 1,3,224,224") from None
        if any(size < 0 for size in found[name]):
            raise UnusableInput(f"--input-shape {text}: a size below zero", "0 stands for a free dimension")
    return found


def ranges(texts: Sequence[str]) -> dict[str, tuple[int, int]]:
    """`name=0:30522`: the lowest value, and one past the highest."""
    found = {}
    for text in texts:
        name, limits = _named(text)
        low, _, high = limits.partition(":")
        try:
            found[name] = (int(low), int(high))
        except ValueError:
            raise UnusableInput(f"--input-range {text}: not two whole numbers", "write it as name=0:30522") from None
        if not name or found[name][0] >= found[name][1]:
            raise UnusableInput(f"--input-range {text}: no name, or an empty range", "write it as name=0:30522")
    return found


def layouts(texts: Sequence[str]) -> dict[str, Override]:
    """`keep`, `NCHW->NHWC` or `NHWC->NCHW`, for all tensors or as `name=…`."""
    found: dict[str, Override] = {}
    for text in texts:
        name, layout = _named(text)
        if layout.lower() not in _LAYOUTS:
            raise UnusableInput(f"--target-layout {text}: unknown", f"one of {', '.join(_LAYOUTS.values())}")
        found[name] = _LAYOUTS[layout.lower()]
    return found


def tolerances(texts: Sequence[str]) -> dict[str, Tolerance]:
    """`output=rtol,atol` for single outputs."""
    found = {}
    for text in texts:
        name, numbers = _named(text)
        try:
            rtol, atol = (float(number) for number in numbers.split(","))
        except ValueError:
            raise UnusableInput(f"--tolerance {text}: not two numbers", "write it as output=1e-4,1e-5") from None
        if not name:
            raise UnusableInput(f"--tolerance {text}: names no output", "write it as output=1e-4,1e-5")
        found[name] = Tolerance(rtol, atol)
    return found


def _named(text: str) -> tuple[str, str]:
    name, separator, rest = text.rpartition("=")
    return (name, rest) if separator else ("", text)


def shard(text: str) -> tuple[int, int]:
    """`2/8`: which part, from 1, and of how many. Raises UnusableInput."""
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    number, of = (int(found[1]), int(found[2])) if found is not None else (0, 0)
    if not 1 <= number <= of:
        raise UnusableInput(f"--shard {text}: no part of a whole", "write the second of eight parts as 2/8")
    return number, of


def deciding_runtime(name: str, where: str) -> Runtime:
    """The runtime that TFLite files are judged by.

    Args:
        name: of the runtime.
        where: the flag or setting that names it.

    Raises:
        UnusableInput: it is unknown, or none that a verdict is of.
    """
    if name not in DECIDING:
        raise UnusableInput(f"{where} {name}: no runtime that a verdict can be of", f"one of {', '.join(DECIDING)}")
    return Runtime(name)


def runtimes(names: Sequence[str]) -> tuple[Runtime, ...]:
    """Runtimes by their names, each once. Raises UnusableInput for an unknown one."""
    for name in names:
        if name not in tuple(Runtime):
            raise UnusableInput(f"--also-on {name}: unknown", f"one of {', '.join(Runtime)}")
    return tuple(dict.fromkeys(Runtime(name) for name in names))

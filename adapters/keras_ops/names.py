"""What the ends of a Keras model are called: as in the graph, where Keras and what is exported of it take the name."""

from __future__ import annotations

import itertools
import keyword
import re
from collections.abc import Callable, Iterator


def input_name(name: str, taken: set[str]) -> str:
    """A name for an input, which `taken` is given.

    It becomes an argument's in a SavedModel: it begins with a letter, a digit or a dot, is no word of Python's, and differs from those of the other
    inputs by more than its case and characters that an argument's name cannot have.
    """
    base = _plain(name).lstrip("_->") or "value"
    base = f"v_{base}" if keyword.iskeyword(base) or base == "self" else base
    arguments = {_argument(other) for other in taken}
    return _free(base, taken, lambda candidate: _argument(candidate) not in arguments)


def output_name(name: str, taken: set[str]) -> str:
    """A name for an output, none of those in `taken`, which is given it."""
    return _free(_plain(name) or "value", taken, lambda candidate: candidate not in taken)


def _plain(name: str) -> str:
    """With an underscore for each character that TensorFlow's scopes do not take, which is what onnx2keras makes of a slash."""
    return re.sub(r"[^A-Za-z0-9_.>-]", "_", name.removesuffix(":0"))


def _argument(name: str) -> str:
    """What TensorFlow knows an argument by."""
    plain = re.sub(r"[^a-z0-9_]", "_", name.lower())
    return plain if plain[0].isalpha() else f"arg_{plain}"


def _free(base: str, taken: set[str], allowed: Callable[[str], bool]) -> str:
    name = next(candidate for candidate in _candidates(base) if allowed(candidate))
    taken.add(name)
    return name


def _candidates(base: str) -> Iterator[str]:
    yield base
    for number in itertools.count(1):
        yield f"{base}_{number}"

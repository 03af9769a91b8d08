"""Comparators that a user brings: `package.module:function`.

The function is called as `function(source, target)` with the same output of both models, arrays of shape (n, ...) in
the source's order of dimensions, and returns for each sample either

* bool (n,): whether the sample agrees, or
* float (n,): a distance in the function's own unit; the sample agrees where it is at most the output's `atol`.

It may be called several times, each time with some of the samples, so its answer for one sample must not depend on the
others. Samples with NaN or Inf are mismatches whatever it returns.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from safeconvert.compare.comparators import COMPARATORS, Agreement, Comparator
from safeconvert.compare.output_pair import Pair
from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.errors import UnusableInput


def resolve(kind: str, search_path: str = "") -> Comparator:
    """The comparator of a kind: a built-in one, or a user's.

    Args:
        kind: a name of `COMPARATORS` or `package.module:function`.
        search_path: folder in which the module is looked for first.

    Raises:
        UnusableInput: there is no such comparator.
    """
    return COMPARATORS[kind] if kind in COMPARATORS else _comparator(kind, load(kind, search_path))


def require_comparator(kind: str | None, search_path: str) -> None:
    """Raise UnusableInput where a requested comparator is not there, before anything takes time."""
    if kind is not None:
        resolve(kind, search_path)


def load(reference: str, search_path: str = "", what: str = "comparator") -> Callable[[Any, Any], Any]:
    """Import `package.module:function`, which is a comparator, or what else is said.

    Raises:
        UnusableInput: the reference is malformed, or the module or function is not there, or is no function.
    """
    module_name, _, function_name = reference.partition(":")
    if not module_name or not function_name.isidentifier():
        raise UnusableInput(f"{what} {reference!r} is not of the form package.module:function")
    path = [search_path] if search_path else []
    sys.path[:0] = path
    try:
        found = getattr(import_module(module_name), function_name)
    except (ImportError, SyntaxError, ValueError) as error:
        raise UnusableInput(
            f"{what} {reference}: cannot import {module_name}: {error}",
            "run where that module can be imported, or put its folder on PYTHONPATH",
        ) from error
    except AttributeError as error:
        raise UnusableInput(f"{what} {reference}: {error}") from error
    finally:
        for folder in path:
            sys.path.remove(folder)
    if not callable(found):
        raise UnusableInput(f"{what} {reference}: {function_name} is a {type(found).__name__}, not a function")
    return found  # type: ignore[no-any-return]


def _comparator(reference: str, function: Callable[[Any, Any], Any]) -> Comparator:
    def compared(pair: Pair, tolerance: Tolerance, settings: VerifySettings) -> Agreement:
        try:
            answer = np.asarray(function(pair.source, pair.target))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise UnusableInput(
                f"comparator {reference} failed on output {pair.name}: {type(error).__name__}: {error}"
            ) from error
        count = len(pair.source)
        if answer.shape != (count,) or answer.dtype.kind not in "bf":
            raise UnusableInput(
                f"comparator {reference} gave {answer.dtype} {list(answer.shape)} for {count} samples",
                f"return bool or float of shape [{count}]: one entry for each sample",
            )
        agree = answer if answer.dtype.kind == "b" else answer <= tolerance.atol
        return Agreement(agree, np.zeros(count, dtype=bool), np.ones(count, dtype=bool))

    return compared

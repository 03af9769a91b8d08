"""Metrics: a score from 0 to 1 of each sample of one model's outputs.

`accuracy` scores 1 where the label of the largest class score is the sample's. `agreement` is the accuracy against the labels that the
source gives, for inputs without labels: whatever the true labels are, no accuracy falls by more than it does. A user's own,
`package.module:function`, is called as `function(outputs, labels)` with one model's outputs by the source's names, arrays (n, ...) in
the source's order of dimensions, and the labels, int (n,), or None where there are none; it returns the scores, (n,), which must not
depend on the other samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from safeconvert.compare.comparators import is_scores
from safeconvert.compare.custom import load
from safeconvert.compare.output_pair import is_finite
from safeconvert.compare.settings import METRICS
from safeconvert.errors import UnusableInput

Array = np.ndarray[Any, Any]
ACCURACY, AGREEMENT = METRICS
Outputs = Mapping[str, Array]


def metric_for(requested: str, labelled: bool) -> str:
    """The metric that is meant: the requested one, else accuracy where there are labels and agreement where there are none.

    Raises:
        UnusableInput: no such metric, or accuracy without labels.
    """
    name = requested or (ACCURACY if labelled else AGREEMENT)
    if name not in METRICS and ":" not in name:
        raise UnusableInput(f"--metric {name}: unknown", f"one of {', '.join(METRICS)}, or package.module:function")
    if name == ACCURACY and not labelled:
        raise UnusableInput(
            "--metric accuracy: no input has a label",
            "put labels.csv into the folder of images (file,label) or beside the array (row,label), or give --metric agreement",
        )
    return name


def scores(
    name: str, source: Outputs, target: Outputs, labels: Array | None, search_path: str = ""
) -> tuple[Array, Array]:
    """The scores of both models on the same samples, float64 (n,) each; 0 where an output of the target is not finite.

    Args:
        name: as `metric_for` gave it.
        source, target: outputs by the source's names.
        labels: of the samples, int (n,); None where there are none.
        search_path: folder in which a user's module is looked for first.

    Raises:
        UnusableInput: the metric cannot be computed of these outputs.
    """
    if name in METRICS:
        output = _classes(source)
        truth = _labels(source[output]) if name == AGREEMENT else labels
        ours, theirs = ((_labels(side[output]) == truth).astype(np.float64) for side in (source, target))
    else:
        function = load(name, search_path, "--metric")
        ours, theirs = (_own(name, function, side, labels) for side in (source, target))
    finite = np.all([_all_finite(array) for array in target.values()], axis=0)
    return ours, np.where(finite, theirs, 0.0)


def class_scores(source: Outputs, target: Outputs) -> tuple[Array, Array] | None:
    """Both models' class scores on the same samples, (n, classes) each; None where the output is a label.

    Raises:
        UnusableInput: none of the outputs holds any, or several do.
    """
    output = _classes(source)
    if _are_labels(source[output]):
        return None
    ours, theirs = (side[output].reshape(len(side[output]), -1) for side in (source, target))
    return ours, theirs


def _classes(outputs: Outputs) -> str:
    """The one output that holds class scores, or labels."""
    found = [name for name, array in outputs.items() if is_scores(array.shape) or _are_labels(array)]
    if len(found) == 1:
        return found[0]
    shapes = ", ".join(f"{name} {array.dtype} {list(array.shape)}" for name, array in outputs.items())
    raise UnusableInput(
        f"--metric: {len(found) or 'none'} of the outputs {'hold' if len(found) > 1 else 'holds'} class scores ({shapes})",
        "give one of your own: --metric package.module:function",
    )


def _are_labels(array: Array) -> bool:
    return array.dtype.kind in "iu" and int(np.prod(array.shape[1:])) == 1


def _labels(array: Array) -> Array:
    flat = array.reshape(len(array), -1)
    return flat[:, 0] if _are_labels(array) else flat.argmax(axis=1)


def _all_finite(array: Array) -> Array:
    if array.dtype.kind not in "fc":
        return np.ones(len(array), dtype=bool)
    return np.asarray(is_finite(array.reshape(len(array), -1)).all(axis=1))


def _own(name: str, function: Callable[[Any, Any], Any], outputs: Outputs, labels: Array | None) -> Array:
    try:
        answer = np.asarray(function(dict(outputs), labels))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise UnusableInput(f"--metric {name} failed: {type(error).__name__}: {error}") from error
    count = len(next(iter(outputs.values())))
    if answer.shape != (count,) or answer.dtype.kind not in "biuf":
        raise UnusableInput(
            f"--metric {name} gave {answer.dtype} {list(answer.shape)} for {count} samples",
            f"return a score from 0 to 1 for each sample: shape [{count}]",
        )
    values: Array = answer.astype(np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise UnusableInput(
            f"--metric {name} gave scores from {values.min():g} to {values.max():g}", "return scores from 0 to 1"
        )
    return values

"""Activations, spelled out in clipping, sigmoid and arithmetic.

Identities: relu(x) = clip(x, 0, ∞); max(x, c) = clip(x, c, ∞); clip(clip(x, a, b), c, d) = clip(x, clip(a; c, d), clip(b; c, d));
clip(s·x, a, b) = s·clip(x, a/s, b/s) for a number s > 0; hardsigmoid(x) = clip(αx + β, 0, 1); hardswish(x) = x·hardsigmoid(x) with
α = 1/6 and β = ½; swish(x) = x·σ(x); gelu(x) = x·½·(1 + erf(x/√2)) (ONNX operators of these names, opsets 6 to 24).
"""

from __future__ import annotations

import math

import numpy as np

from safeconvert.prove.search.forms.affine import parts, scale, shift
from safeconvert.prove.search.forms.arithmetic import elementwise, product
from safeconvert.prove.search.step import Step
from safeconvert.prove.search.terms import Array, TermStore
from safeconvert.prove.search.values import Value, along_axes


def relu(step: Step) -> list[Value] | None:
    """Relu."""
    value = step.value(0)
    return None if value is None else [clipped(step.store, value, 0.0, math.inf)]


def clip(step: Step) -> list[Value] | None:
    """Clip, with bounds as attributes (opset 6) or constants (11)."""
    value = step.value(0)
    bounds = []
    for number, name, otherwise in ((1, "min", -math.inf), (2, "max", math.inf)):
        given = step.constant(number)
        if number < len(step.operands) and step.value(number) is not None:
            return None
        bounds.append(float(given.reshape(-1)[0]) if given is not None else float(step.attributes.get(name, otherwise)))
    if value is None or not step.floating or bounds[0] > bounds[1]:
        return None
    return [clipped(step.store, value, bounds[0], bounds[1])]


def maximum(step: Step) -> list[Value] | None:
    """Max of a tensor and one number."""
    return _bounded(step, lower=True)


def minimum(step: Step) -> list[Value] | None:
    """Min of a tensor and one number."""
    return _bounded(step, lower=False)


def hard_sigmoid(step: Step) -> list[Value] | None:
    """HardSigmoid."""
    value = step.value(0)
    if value is None:
        return None
    return [_hard_sigmoid(step.store, value, float(step.attributes["alpha"]), float(step.attributes["beta"]))]


def hard_swish(step: Step) -> list[Value] | None:
    """HardSwish."""
    value = step.value(0)
    if value is None:
        return None
    made = product(step.store, value, _hard_sigmoid(step.store, value, 1 / 6, 0.5))
    return None if made is None else [made]


def swish(step: Step) -> list[Value] | None:
    """Swish (opset 24): x·σ(αx)."""
    value = step.value(0)
    if value is None:
        return None
    inner = scale(value, step.store, step.attributes.get("alpha", 1.0))
    made = product(step.store, value, elementwise(step.store, "Sigmoid", inner))
    return None if made is None else [made]


def gelu(step: Step) -> list[Value] | None:
    """Gelu (opset 20), the exact form."""
    value = step.value(0)
    if value is None or step.attributes.get("approximate", "none") != "none":
        return None
    store = step.store
    error = elementwise(store, "Erf", scale(value, store, 1 / math.sqrt(2)))
    made = product(store, value, scale(shift(error, store, 1.0), store, 0.5))
    return None if made is None else [made]


def leaky_relu(step: Step) -> list[Value] | None:
    """LeakyRelu: PRelu with one slope."""
    value = step.value(0)
    if value is None:
        return None
    return [_prelu(step.store, value, step.attributes["alpha"])]


def prelu(step: Step) -> list[Value] | None:
    """PRelu with a constant slope."""
    value, slope = step.value(0), step.constant(1)
    if value is None or slope is None or slope.dtype.kind != "f":
        return None
    along = along_axes(slope, value)
    return None if along is None else [_prelu(step.store, value, along)]


def clipped(store: TermStore, value: Value, low: float, high: float) -> Value:
    """clip(value, low, high); a positive number in front of the value is drawn out."""
    if value.term.operator == "clip":
        inner = value.term.setting
        bounds = tuple(min(max(bound, low), high) for bound in inner)
        return _clip(store, Value(store.terms[value.term.operands[0]], value.groups), *bounds)
    _, factor, offset = parts(store, value.term)
    number = float(factor.reshape(-1)[0]) if factor is not None and factor.size == 1 else 1.0
    if number <= 0 or number == 1.0 or (offset is not None and offset.size != 1):
        return _clip(store, value, low, high)
    inner_value = scale(value, store, 1.0 / number)
    return scale(_clip(store, inner_value, low / number, high / number), store, number)


def _clip(store: TermStore, value: Value, low: float, high: float) -> Value:
    low, high = (_rounded(bound) for bound in (low, high))
    return elementwise(store, "clip", value, (low, high))


def _rounded(bound: float) -> float:
    """A bound to 22 bits: folded numbers in front of it were rounded to float32 by one converter and not by another."""
    return bound if not math.isfinite(bound) or bound == 0 else float(f"{bound:.6g}")


def _bounded(step: Step, lower: bool) -> list[Value] | None:
    if len(step.operands) != 2 or not step.floating:
        return None
    value = step.value(0) or step.value(1)
    array = step.constant(1) if step.value(0) is not None else step.constant(0)
    if value is None or array is None or array.size != 1 or array.ndim > len(value.groups):
        return None
    bound = float(array.reshape(-1)[0])
    return [clipped(step.store, value, *((bound, math.inf) if lower else (-math.inf, bound)))]


def _hard_sigmoid(store: TermStore, value: Value, alpha: float, beta: float) -> Value:
    inner = shift(scale(value, store, alpha), store, beta)
    return clipped(store, inner, 0.0, 1.0)


def _prelu(store: TermStore, value: Value, slope: Array | float) -> Value:
    numbers = np.asarray(slope, np.float64)
    form = numbers.shape if numbers.ndim else (1,) * len(value.term.shape)
    term = store.term("prelu", value.term.shape, (value.term.number,), (), (numbers.reshape(form),))
    return Value(term, value.groups)

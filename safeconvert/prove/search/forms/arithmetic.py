"""Arithmetic by element.

Identities: a−b = a+(−1)·b; a/b = a·(1/b); a+b = b+a; a·b = b·a; (a·s)·b = (a·b)·s for one number s;
(a+s)+b = (a+b)+s for constants s; a² = a·a; a^½ = √a.
"""

from __future__ import annotations

import numpy as np

from safeconvert.prove.search.forms.affine import parts, scale, scaled, shift, shifted
from safeconvert.prove.search.forms.pairing import Pairing, pairing
from safeconvert.prove.search.refine import base_of, refined
from safeconvert.prove.search.step import Step
from safeconvert.prove.search.terms import Array, TermStore
from safeconvert.prove.search.values import Value, along_axes, constant

_FLOATS = "f"


def add(step: Step) -> list[Value] | None:
    """Add, of floats. Integers wrap around and stay what they are."""
    return _one(_summed(step, step.operands[0], step.operands[1], 1.0))


def subtract(step: Step) -> list[Value] | None:
    """Sub, of floats."""
    return _one(_summed(step, step.operands[0], step.operands[1], -1.0))


def multiply(step: Step) -> list[Value] | None:
    """Mul, of floats."""
    one, two = step.operands[0], step.operands[1]
    if isinstance(one, Value) and isinstance(two, Value):
        return _one(product(step.store, one, two))
    value, array = (one, two) if isinstance(one, Value) else (two, one)
    return _one(_by_constant(step.store, value, array)) if isinstance(value, Value) else None


def divide(step: Step) -> list[Value] | None:
    """Div, of floats; by zero nowhere, since a constant divisor of zero is left alone and others are reciprocals on both sides."""
    one, two = step.operands[0], step.operands[1]
    if not step.floating:
        return None
    if isinstance(two, Value):
        inverse = elementwise(step.store, "reciprocal", two)
        if isinstance(one, Value):
            return _one(product(step.store, one, inverse))
        return _one(_by_constant(step.store, inverse, one)) if one is not None else None
    if not isinstance(one, Value) or two is None or two.dtype.kind != _FLOATS or bool((two == 0).any()):
        return None
    return _one(_by_constant(step.store, one, 1.0 / two.astype(np.float64)))


def power(step: Step) -> list[Value] | None:
    """Pow with 2 or ½ as exponent."""
    value, exponent = step.value(0), step.constant(1)
    if not step.floating or value is None or exponent is None or exponent.size != 1:
        return None
    if float(exponent.reshape(-1)[0]) == 2.0:
        return _one(product(step.store, value, value))
    return [elementwise(step.store, "sqrt", value)] if float(exponent.reshape(-1)[0]) == 0.5 else None


def negate(step: Step) -> list[Value] | None:
    """Neg: (−1)·x."""
    value = step.value(0)
    return None if value is None else [scale(value, step.store, -1.0)]


def batch_normalization(step: Step) -> list[Value] | None:
    """BatchNormalization at inference: x·s + (β − μ·s) with s = γ/√(σ²+ε), along the second axis."""
    value = step.value(0)
    arrays = [step.constant(number) for number in range(1, 5)]
    if value is None or (len(step.node.output) > 1 and any(step.node.output[1:])) or len(value.groups) < 2:
        return None
    if any(array is None for array in arrays):
        return None
    gamma, beta, mean, variance = (np.asarray(array, np.float64) for array in arrays)
    factor = gamma / np.sqrt(variance + float(step.attributes.get("epsilon", 1e-5)))
    form = (1, -1) + (1,) * (len(value.groups) - 2)
    along, offset = (along_axes(a.reshape(form), value) for a in (factor, beta - mean * factor))
    if along is None or offset is None:
        return None
    return [shift(scale(value, step.store, along), step.store, offset)]


def elementwise(store: TermStore, operator: str, value: Value, setting: tuple[object, ...] = ()) -> Value:
    """An operator on every element by itself, which any order of axes commutes with."""
    base, cuts = base_of(store, value.term)
    if cuts is None:
        return Value(store.term(operator, value.term.shape, (value.term.number,), setting), value.groups)
    return Value(refined(store, store.term(operator, base.shape, (base.number,), setting), cuts), value.groups)


def product(store: TermStore, one: Value, two: Value) -> Value | None:
    """a·b, with single numbers drawn out in front."""
    (one, left), (two, right) = _without_number(store, one), _without_number(store, two)
    made = _meet(store, "mul", one, two)
    return None if made is None else scale(made, store, left * right)


def _summed(step: Step, one: object, two: object, sign: float) -> Value | None:
    store = step.store
    if isinstance(one, Value) and isinstance(two, Value):
        if sign < 0:
            two = scale(two, store, sign)
        (one, left), (two, right) = _without_offset(store, one), _without_offset(store, two)
        made = _meet(store, "add", one, two)
        if made is None or (left is None and right is None):
            return made
        if len(made.term.shape) != len(one.term.shape) or len(made.term.shape) != len(two.term.shape):
            return None
        return _shift_both(store, made, (one, left), (two, right))
    value, array = (one, two) if isinstance(one, Value) else (two, one)
    if not isinstance(value, Value) or not isinstance(array, np.ndarray) or array.dtype.kind != _FLOATS:
        return None
    if value is two:
        value = scale(value, store, sign)
    else:
        array = sign * array.astype(np.float64)
    along = along_axes(array, value)
    return None if along is None else shift(value, store, along)


def _shift_both(
    store: TermStore, made: Value, one: tuple[Value, Array | None], two: tuple[Value, Array | None]
) -> Value | None:
    """The offsets of both operands, each in the order of axes of the sum."""
    first, second = (one, two) if one[0].term.number <= two[0].term.number else (two, one)
    met = pairing(first[0], second[0])
    if met is None:
        return None
    term = made.term
    if first[1] is not None:
        term = shifted(store, term, first[1])
    if second[1] is not None:
        offset = second[1] if second[1].ndim else second[1].reshape((1,) * len(met.axes))
        term = shifted(store, term, offset.transpose(np.argsort(met.axes)))
    return Value(term, made.groups)


def _meet(store: TermStore, operator: str, one: Value, two: Value) -> Value | None:
    """A commutative operator on two values; the one whose term came first gives the axes their order."""
    if two.term.number < one.term.number:
        one, two = two, one
    met: Pairing | None = pairing(one, two)
    if met is None:
        return None
    return Value(store.term(operator, met.shape, (one.term.number, two.term.number), met.axes), met.groups)


def _by_constant(store: TermStore, value: Value, array: object) -> Value | None:
    if not isinstance(array, np.ndarray) or array.dtype.kind != _FLOATS:
        return None
    along = along_axes(array, value)
    if along is None:
        return product(store, value, constant(store, array))
    return scale(value, store, along)


def _without_number(store: TermStore, value: Value) -> tuple[Value, float]:
    """A value without the single number that it is multiplied with, and that number."""
    core, factor, offset = parts(store, value.term)
    if factor is None or factor.size != 1 or offset is not None:
        return value, 1.0
    return Value(core, value.groups), float(factor.reshape(-1)[0])


def _without_offset(store: TermStore, value: Value) -> tuple[Value, Array | None]:
    """A value without the constant that is added to it, and that constant."""
    core, factor, offset = parts(store, value.term)
    if offset is None:
        return value, None
    return Value(core if factor is None else scaled(store, core, factor), value.groups), offset


def _one(value: Value | None) -> list[Value] | None:
    return None if value is None else [value]

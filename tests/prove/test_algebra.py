"""The identities themselves: proven by z3 over the reals where they are algebraic, tried in full where they are finite."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import z3

from safeconvert.prove.kernel.layout import Value, canonical, reshaped, transposed
from safeconvert.prove.kernel.terms import Refused, Store

x, y, s, t, a, b, c, d = z3.Reals("x y s t a b c d")


def clip(value: z3.ArithRef, low: z3.ArithRef, high: z3.ArithRef) -> z3.ArithRef:
    """As ONNX has it: min(max(value, low), high)."""
    raised = z3.If(value > low, value, low)
    return z3.If(raised < high, raised, high)


def windows(signal: list[z3.ArithRef], taps: list[z3.ArithRef], pads: tuple[int, int]) -> list[z3.ArithRef]:
    zero = [z3.RealVal(0)]
    padded = zero * pads[0] + signal + zero * pads[1]
    return [
        sum((w * v for w, v in zip(taps, padded[i:], strict=False)), z3.RealVal(0))
        for i in range(len(padded) - len(taps) + 1)
    ]


signal, taps = list(z3.Reals("x0 x1 x2 x3")), list(z3.Reals("w0 w1 w2"))
other, zeros = list(z3.Reals("y0 y1 y2 y3")), [z3.RealVal(0)] * 3
mean, root, gamma, beta = z3.Reals("mean root gamma beta")

IDENTITIES: dict[str, tuple[list[z3.BoolRef], list[tuple[z3.ArithRef, z3.ArithRef]]]] = {
    "affine maps compose": ([], [((x * s + b) * t + c, x * (s * t) + (b * t + c))]),
    "a factor goes into weights": ([], list(zip(
        [v * s for v in windows(signal, taps, (1, 1))], windows(signal, [w * s for w in taps], (1, 1)), strict=True))),
    "sums": ([s != 0], [
        ((a + b) + (c + d), (a + c) + (b + d)), (a - b, a + (-1) * b), (s * a + t * b, s * (a + (t / s) * b)),
        (a * x + t * (b * x), (a + t * b) * x),
    ]),
    "products": ([y != 0], [((s * a) * (t * b), s * t * (a * b)), (x / y, x * (1 / y))]),
    "batch normalization": ([root > 0], [((x - mean) / root * gamma + beta, x * (gamma / root) + (beta - mean * (gamma / root)))]),
    "clips": ([s > 0], [
        (clip(clip(x, a, b), c, d), clip(x, clip(a, c, d), clip(b, c, d))), (clip(s * x, a, b), s * clip(x, a / s, b / s)),
    ]),
    "activations spelled out": ([], [(x * clip(x + 3, z3.RealVal(0), z3.RealVal(6)) / 6, x * clip(x / 6 + z3.Q(1, 2), z3.RealVal(0), z3.RealVal(1)))]),
    "products with a matrix": ([], [((x * s + a) * c + (y * s + b) * d, x * (s * c) + y * (s * d) + (a * c + b * d))]),
    "convolutions": ([], [
        *zip(windows([v * s for v in signal], taps, (1, 1)), windows(signal, [w * s for w in taps], (1, 1)), strict=True),
        *zip(windows([z3.RealVal(0), *signal], taps, (0, 1)), windows(signal, taps, (1, 1)), strict=True),
    ]),
    "convolutions of groups": ([], [
        (one * s + a + two, one * s + a) for one, two in zip(windows(signal, taps, (1, 1)), windows(other, zeros, (1, 1)), strict=True)
    ]),
    "products of groups": ([], [((x * s + a) * c + (y * s + b) * d + t * 0, x * (s * c) + y * (s * d) + (a * c + b * d))]),
    "shuffles": ([], [(x * 0 + y * s, y * s)]),
    "reductions over whole axes": ([], [((s * x + a) + (s * y + b), s * (x + y) + (a + b))]),
}  # fmt: skip
WRONG: dict[str, tuple[list[z3.BoolRef], tuple[z3.ArithRef, z3.ArithRef]]] = {
    "a clip through a negative number": ([s < 0], (clip(s * x, a, b), s * clip(x, a / s, b / s))),
    "an offset through padding": ([], (windows([v + a for v in signal], taps, (1, 1))[0],
                                       windows(signal, taps, (1, 1))[0] + a * (taps[0] + taps[1] + taps[2]))),
    "a factor that is no multiple of the other": ([s != 0, t != 0], (s * a + t * b, s * (a + b))),
    "a factor that varies along the sum": ([], (s * x + t * y, s * (x + y))),
}  # fmt: skip


def counterexample(assumed: list[z3.BoolRef], one: z3.ArithRef, two: z3.ArithRef) -> z3.CheckSatResult:
    solver = z3.Solver()
    solver.set("timeout", 20_000)
    solver.add(*assumed, one != two)
    return solver.check()


@pytest.mark.parametrize("name", list(IDENTITIES))
def test_an_identity_holds_for_all_reals(name: str) -> None:
    assumed, pairs = IDENTITIES[name]
    assert all(counterexample(assumed, *pair) == z3.unsat for pair in pairs)


@pytest.mark.parametrize("name", list(WRONG))
def test_without_its_condition_it_does_not(name: str) -> None:
    assumed, pair = WRONG[name]
    assert counterexample(assumed, *pair) == z3.sat


def held(array: np.ndarray, groups: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """A term's numbers as a tensor of these groups holds them."""
    order = [axis for group in groups for axis in group]
    return array.transpose(order).reshape([math.prod(array.shape[axis] for axis in group) for group in groups])


SHAPES = [
    shape for rank in (1, 2, 3) for shape in itertools.product((1, 2, 3, 4), repeat=rank) if math.prod(shape) == 12
] + [(12,), (6, 2), (2, 6)]


def test_moves_of_elements_are_those_of_numpy() -> None:
    """Reshapes of transposes of reshapes of twelve numbers."""
    tried = 0
    for first, second, third in itertools.product(SHAPES, repeat=3):
        for order in itertools.permutations(range(len(second))):
            found = _moved(first, second, order)
            if found is None:
                continue
            cut, groups, again = found
            numbers = np.arange(12).reshape(first).reshape(second).transpose(order)
            assert (held(np.arange(12).reshape(cut), groups) == numbers).all(), (first, second, order)
            last = again(third)
            if last is not None:
                tried += 1
                assert (held(np.arange(12).reshape(last[0]), last[1]) == numbers.reshape(third)).all(), (
                    first,
                    second,
                    order,
                    third,
                )
    assert tried > 1000


Groups = tuple[tuple[int, ...], ...]
Moved = tuple[tuple[int, ...], Groups, Callable[[tuple[int, ...]], tuple[tuple[int, ...], Groups] | None]]


def _moved(first: tuple[int, ...], second: tuple[int, ...], order: tuple[int, ...]) -> Moved | None:
    store = Store()
    sizes, groups = canonical(first)
    value = Value(store.term("cut", sizes), groups)
    try:
        value = transposed(store, reshaped(store, value, second), order)
    except Refused:
        return None

    def again(shape: tuple[int, ...]) -> tuple[tuple[int, ...], Groups] | None:
        try:
            last = reshaped(store, value, shape)
        except Refused:
            return None
        return last.term.shape, last.groups

    return value.term.shape, value.groups, again

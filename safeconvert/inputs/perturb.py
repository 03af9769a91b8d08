"""Given samples, changed: noise, contrast, borders, mixtures. Seeded; of a sample's own shape and type, and within its type's range.

Real samples of one label leave a classifier saturated, and a fault behind the saturation unseen; what lies around and between them
does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from safeconvert.inputs.interface import Array, InputSet
from safeconvert.inputs.preprocessing import Preprocessing
from safeconvert.inputs.statistics import Looks


def _noisy(random: np.random.Generator, one: Array, two: Array, look: Looks) -> Array:
    return one + random.normal(size=one.shape) * look.deviation * 0.1


def _drowned(random: np.random.Generator, one: Array, two: Array, look: Looks) -> Array:
    return one + random.normal(size=one.shape) * look.deviation


def _mixed(random: np.random.Generator, one: Array, two: Array, look: Looks) -> Array:
    share = random.uniform(0.3, 0.7)
    return share * one + (1 - share) * two


def _stretched(random: np.random.Generator, one: Array, two: Array, look: Looks) -> Array:
    return look.mean + (one - look.mean) * 2.0


def _pale(random: np.random.Generator, one: Array, two: Array, look: Looks) -> Array:
    """Next to no contrast, which shows what is added to a variance."""
    return np.asarray(look.mean + (one - look.mean) * 10.0 ** random.uniform(-2.5, -0.5))


def _faint(random: np.random.Generator, one: Array, two: Array, look: Looks) -> Array:
    """Next to nothing, which shows what is added to a norm or a divisor."""
    return np.asarray(one * 10.0 ** random.uniform(-4.0, -2.0))


def _gated(random: np.random.Generator, one: Array, two: Array, look: Looks) -> Array:
    """Zero in most places."""
    return np.where(random.random(one.shape) < 0.2, one, 0.0)


def _bordered(random: np.random.Generator, one: Array, two: Array, look: Looks) -> Array:
    """The outermost values along every axis of four or more far off, which shows what happens at borders."""
    made = one.copy()
    for axis, size in enumerate(one.shape):
        if size >= 4:
            for edge in (0, size - 1):
                index = tuple(edge if other == axis else slice(None) for other in range(one.ndim))
                made[index] = look.mean + random.choice([-2.0, 2.0]) * look.deviation
    return made


def _inverted(random: np.random.Generator, one: Array, two: Array, look: Looks) -> Array:
    return 2 * look.mean - one


_KINDS: dict[str, Callable[[np.random.Generator, Array, Array, Looks], Array]] = {
    "noisy": _noisy, "mixed": _mixed, "bordered": _bordered, "pale": _pale, "drowned": _drowned, "stretched": _stretched,
    "inverted": _inverted, "faint": _faint, "gated": _gated,
}  # fmt: skip


@dataclass(frozen=True)
class PerturbedInputs:
    """Changed samples of others; sample i is of kind i modulo the number of kinds.

    Attributes:
        given: the samples that are changed.
        count: how many are made.
        seed: of everything drawn.
        looks: what the given samples look like, by input.
    """

    given: InputSet
    count: int
    seed: int
    looks: Mapping[str, Looks]
    labels: tuple[int | None, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The model's inputs."""
        return self.given.names

    @property
    def origin(self) -> str:
        """Where they come from."""
        return f"{self.given.origin}, changed with seed {self.seed}"

    @property
    def kinds(self) -> tuple[str, ...]:
        """How they are changed."""
        return tuple(_KINDS)

    @property
    def preprocessing(self) -> Preprocessing | None:
        """None: they are made of what the model is fed."""
        return None

    @property
    def whole(self) -> bool:
        """As the given ones."""
        return self.given.whole

    def digest(self, at: Path | None = None) -> str:
        """That of the given ones, which with seed and count say all."""
        return self.given.digest(at)

    def chunk(self, start: int, stop: int) -> dict[str, Array]:
        """Samples start..stop."""
        made: dict[str, list[Array]] = {name: [] for name in self.names}
        for number in range(start, stop):
            random = np.random.default_rng(np.random.SeedSequence([self.seed, number, 7]))
            first = number * self.given.count // self.count
            second = (first + 1 + int(random.integers(max(1, self.given.count - 1)))) % self.given.count
            one, two = self.given.chunk(first, first + 1), self.given.chunk(second, second + 1)
            for name in self.names:
                made[name].append(_changed(random, number, one[name][0], two[name][0], self.looks[name]))
        return {name: np.stack(rows) for name, rows in made.items()}


def _changed(random: np.random.Generator, number: int, one: Array, two: Array, look: Looks) -> Array:
    """One sample changed; of integers and booleans some values are taken from another sample."""
    if one.dtype.kind == "f":
        one, two = (np.where(np.isfinite(side), side, np.asarray(look.mean, side.dtype)) for side in (one, two))
        make = list(_KINDS.values())[number % len(_KINDS)]
        return np.asarray(make(random, one.astype(np.float64), two.astype(np.float64), look)).astype(one.dtype)
    if one.dtype.kind == "u" and one.dtype.itemsize == 1:
        make = list(_KINDS.values())[number % len(_KINDS)]
        values = make(random, one.astype(np.float64), two.astype(np.float64), look)
        return np.clip(np.rint(values), 0, 255).astype(one.dtype)
    return np.where(random.random(one.shape) < 0.3, random.permutation(two.ravel()).reshape(two.shape), one)

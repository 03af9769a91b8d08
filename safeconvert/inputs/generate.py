"""Make inputs up: seeded, of several kinds, never all ones.

Each sample's values depend on the seed and its number alone, so that chunk borders and the count change nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from safeconvert.core.signature import Signature, TensorSpec, has_batch
from safeconvert.errors import UnusableInput
from safeconvert.graph.ranges import IntegerRange
from safeconvert.inputs.booleans import booleans
from safeconvert.inputs.integers import integers
from safeconvert.inputs.interface import Array
from safeconvert.inputs.preprocessing import Preprocessing
from safeconvert.inputs.statistics import Looks

Shape = tuple[int, ...]
_TIED = 0.3  # share of values that are halves of whole numbers, where the others are as large as given ones
_ROWS = 4  # of a whole call whose first axis is free


def _noise(random: np.random.Generator, shape: Shape) -> Array:
    return random.normal(size=shape)


def _uniform(random: np.random.Generator, shape: Shape) -> Array:
    return random.uniform(size=shape)


def _smooth(random: np.random.Generator, shape: Shape) -> Array:
    """A sum of a few slow waves along each axis that is long enough to have one."""
    total = np.zeros(shape)
    for _ in range(4):
        wave = np.full(shape, random.normal())
        for axis, size in enumerate(shape):
            if size >= 4:
                phase = np.linspace(0, random.uniform(0.5, 3.0) * np.pi, size) + random.uniform(0, 2 * np.pi)
                wave = wave * np.cos(phase).reshape([-1 if other == axis else 1 for other in range(len(shape))])
        total += wave
    return total


def _constant(random: np.random.Generator, shape: Shape) -> Array:
    return np.full(shape, random.uniform(-2.0, 0.9))


def _negative(random: np.random.Generator, shape: Shape) -> Array:
    return -np.abs(random.normal(size=shape)) - 0.01


def _large(random: np.random.Generator, shape: Shape) -> Array:
    return random.normal(size=shape) * 10.0


def _ties(random: np.random.Generator, shape: Shape) -> Array:
    return random.choice([-1.0, 0.0, 0.5], size=shape)


def _faint(random: np.random.Generator, shape: Shape) -> Array:
    """A ten thousandth to a tenth of the usual size, which shows what is added to a variance, a norm or a divisor."""
    return random.normal(size=shape) * 10.0 ** -random.integers(1, 5)


def _sparse(random: np.random.Generator, shape: Shape) -> Array:
    """Zeros but for a few values, or none at all: scores behind a Relu are equal there, and quotients have no numerator."""
    return np.where(random.random(shape) < random.choice([0.0, 0.1, 0.1, 0.3]), random.normal(size=shape), 0.0)


def _repeated(random: np.random.Generator, shape: Shape) -> Array:
    """One row again and again along an axis, or one value for each row: equal elements, whose order is the model's to choose."""
    if not shape:
        return random.normal(size=shape)
    axis = int(random.integers(len(shape)))
    return np.repeat(random.normal(size=(*shape[:axis], 1, *shape[axis + 1 :])), shape[axis], axis=axis)


_KINDS: dict[str, Callable[[np.random.Generator, Shape], Array]] = {
    "noise": _noise,
    "uniform": _uniform,
    "smooth": _smooth,
    "constant": _constant,
    "negative": _negative,
    "large": _large,
    "ties": _ties,
    "faint": _faint,
    "sparse": _sparse,
    "repeated": _repeated,
}
_ABOUT_ZERO = ("faint", "sparse")
"""Kinds that are about zero whatever the mean of given values is."""
_ZERO = 8  # the sample that is zero throughout: ties of scores behind a Relu, and whatever a divisor is guarded against


@dataclass(frozen=True)
class GeneratedInputs:
    """Samples made up for a signature; sample i is of kind i modulo the number of kinds.

    A sample is a row of the batch, or a whole call where the model has none. Where `looks` says how large the values of an input
    are, made-up ones are as large.
    """

    specs: tuple[TensorSpec, ...]
    count: int
    seed: int
    ranges: Mapping[str, IntegerRange]
    preprocessing: Preprocessing | None = None
    labels: tuple[int | None, ...] | None = None
    whole: bool = False
    looks: Mapping[str, Looks] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The model's inputs."""
        return tuple(spec.name for spec in self.specs)

    @property
    def origin(self) -> str:
        """Where they come from."""
        return f"generated with seed {self.seed}"

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of real-valued samples."""
        return tuple(_KINDS)

    def digest(self, at: Path | None = None) -> str:
        """SHA-256 over all samples, which lie nowhere."""
        total = hashlib.sha256()
        for number in range(self.count):
            for name, array in self.chunk(number, number + 1).items():
                total.update(name.encode() + np.ascontiguousarray(array).tobytes())
        return total.hexdigest()

    def chunk(self, start: int, stop: int) -> dict[str, Array]:
        """Samples start..stop."""
        return {
            spec.name: np.stack([self._sample(number, position, spec) for number in range(start, stop)])
            for position, spec in enumerate(self.specs)
        }

    def _sample(self, number: int, position: int, spec: TensorSpec) -> Array:
        random = np.random.default_rng(np.random.SeedSequence([self.seed, number, position]))
        sizes = (spec.shape[0] or _ROWS, *spec.shape[1:]) if self.whole and spec.shape else spec.shape[1:]
        shape = tuple(int(size or 1) for size in sizes)
        dtype = np.dtype(spec.dtype)
        if dtype.kind == "b":
            return booleans(random, shape, number + 4 * position)
        taken = self.ranges.get(spec.name)
        if dtype.kind in "iu" or taken is not None:
            return integers(random, shape, number, taken or _default_range(spec)).astype(dtype)
        kind = list(_KINDS)[number % len(_KINDS)]
        make = _KINDS[kind]
        values = np.zeros(shape) if number == _ZERO else make(random, shape)
        if spec.name in self.looks:
            look = self.looks[spec.name]
            mean = 0.0 if kind in _ABOUT_ZERO else look.mean
            values = mean + (_noise(random, shape) if make is _ties else values) * look.deviation
            if make is _ties:  # some of them between two whole numbers
                values = np.where(random.random(shape) < _TIED, np.rint(values * 2) / 2, values)
        values = np.asarray(values, dtype=dtype)
        return values if not np.all(values == 1) else values / 2


def generate(
    signature: Signature,
    count: int,
    seed: int,
    ranges: Mapping[str, tuple[int, int]],
    inferred: Mapping[str, IntegerRange] | None = None,
    whole: bool | None = None,
) -> GeneratedInputs:
    """Inputs for a model of which its signature is known, and perhaps which integers it takes.

    Args:
        signature: of the source.
        count: how many samples.
        seed: of everything drawn.
        ranges: by integer input, lowest and one past the highest value, as the user gave them.
        inferred: by input, the integers that its graph takes, where the user says nothing.
        whole: whether a sample is a whole call; None: where the declared shapes have no batch.

    Raises:
        UnusableInput: a dimension other than the batch is free, or a range names no integer input or does not fit it, or an
            input takes no numbers.
    """
    for spec in signature.inputs:
        if None in spec.shape[1:]:
            sizes = ",".join("?" if size is None else str(size) for size in spec.shape)
            raise UnusableInput(
                f"input {spec.name} has free dimensions ({sizes}); inputs of which size?",
                f"say it: --input-shape {spec.name}=1,{','.join(str(size or 16) for size in spec.shape[1:])}",
            )
        if spec.numbers is None:
            raise UnusableInput(f"input {spec.name} takes {spec.dtype}, and inputs are numbers that numpy knows")
    integers = {
        spec.name: np.iinfo(spec.numbers)
        for spec in signature.inputs
        if spec.numbers is not None and spec.numbers.kind in "iu"
    }
    for name, (low, high) in ranges.items():
        if name not in integers:
            raise UnusableInput(
                f"--input-range {name}: no such integer input",
                f"integer inputs: {', '.join(sorted(integers)) or 'none'}",
            )
        least, most = int(integers[name].min), min(int(integers[name].max), 2**63 - 1)
        if low < least or high - 1 > most:
            raise UnusableInput(
                f"--input-range {name}={low}:{high}: does not fit {integers[name].dtype}",
                f"at most {name}={least}:{most + 1}",
            )
    taken = {**(inferred or {}), **{name: IntegerRange(low, high) for name, (low, high) in ranges.items()}}
    return GeneratedInputs(
        signature.inputs, count, seed, taken, whole=not has_batch(signature) if whole is None else whole
    )


def _default_range(spec: TensorSpec) -> IntegerRange:
    """Bytes take their whole range; wider integers are indices of which nothing is known, so 0 and 1."""
    if spec.dtype in ("uint8", "int8"):
        limits = np.iinfo(spec.dtype)
        return IntegerRange(int(limits.min), int(limits.max) + 1)
    return IntegerRange(0, 2)

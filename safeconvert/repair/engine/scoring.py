"""How far a candidate is from the source, as a pair that a repair makes smaller: (share that differs, distance)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from safeconvert.adapter_api.feeding import fixed_batch, predict_any
from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.exchange import comparable_outputs, target_feeds
from safeconvert.core.faults import EvaluationRecord, ScoreRecord
from safeconvert.core.memory import give_back
from safeconvert.core.signature import Signature
from safeconvert.graph.sessions import open_session
from safeconvert.graph.view import GraphView
from safeconvert.repair.engine.problem import Problem

Array = np.ndarray[Any, Any]


class Broken(Exception):
    """A candidate that does not load or does not run; the text says why."""


@dataclass(frozen=True)
class Scored:
    """A score, the numbers of the samples that are not equal, and of those that the comparator alone tells apart."""

    score: ScoreRecord
    unequal: tuple[int, ...]
    disagreeing: tuple[int, ...]

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.unequal

    def record(self) -> EvaluationRecord:
        """The score as the certificate gives it."""
        return EvaluationRecord(self.score, self.unequal)


class _GraphModel:
    """A graph in ONNX Runtime, as `feeding` feeds models."""

    def __init__(self, model: onnx.ModelProto, signature: Signature) -> None:
        try:
            self._session = open_session(model)
        except Exception as error:  # ONNX Runtime's errors share no base class but Exception
            raise Broken(" ".join(str(error).split())[:200]) from error
        self._signature = signature

    def signature(self) -> Signature:
        """Inputs and outputs."""
        return self._signature

    def predict(self, feeds: dict[str, Array]) -> dict[str, Array]:
        """Outputs of one batch."""
        names = [spec.name for spec in self._signature.outputs]
        try:
            return dict(zip(names, self._session.run(names, feeds), strict=True))
        except Exception as error:  # ONNX Runtime's errors share no base class but Exception
            raise Broken(" ".join(str(error).split())[:200]) from error


class Scorer:
    """Scores candidates; runs the source once.

    Args:
        problem: the pair.
        source: the source's graph.
    """

    def __init__(self, problem: Problem, source: GraphView) -> None:
        self._problem = problem
        contract = problem.contract
        self._target_signature = Signature(
            tuple(tensor.target for tensor in contract.inputs), tuple(tensor.target for tensor in contract.outputs)
        )
        signature = Signature(
            tuple(tensor.source for tensor in contract.inputs), tuple(tensor.source for tensor in contract.outputs)
        )
        self._signature = signature
        wanted = set(problem.steering)
        self._samples: list[tuple[Array, dict[str, Array], bool]] = []
        for chunk in problem.chunks:
            rows = [number - chunk.start for number in range(chunk.start, chunk.stop) if number in wanted]
            if rows:
                loaded = {name: np.load(path, allow_pickle=False) for name, path in chunk.arrays.items()}
                arrays = loaded if chunk.whole else {name: array[rows] for name, array in loaded.items()}
                self._samples.append((np.array(rows) + chunk.start, arrays, chunk.whole))
        model = _GraphModel(source.model, signature)
        self._expected = [predict_any(model, feeds) for _, feeds, _ in self._samples]

    def sample(self, numbers: Sequence[int]) -> list[dict[str, Array]]:
        """The source's inputs as probes: whole calls, single samples, or as many at a time as a model with a fixed batch takes."""
        if any(whole for _, _, whole in self._samples):
            calls = {int(indices[0]): feeds for indices, feeds, _ in self._samples}
            return [calls[number] for number in numbers]
        sizes = [fixed_batch(self._signature), fixed_batch(self._target_signature)]
        batch = max((size for size in sizes if size is not None), default=1)
        return [
            {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
            for number in numbers
            if (rows := [self._row(number)] + [self._row(other) for other in self._others(number, batch - 1)])
        ]

    def _others(self, number: int, count: int) -> list[int]:
        """Further samples to fill a batch up with, the number itself again where there are none."""
        steering = [other for other in self._problem.steering if other != number] or [number]
        return [steering[(number + offset) % len(steering)] for offset in range(count)]

    def _row(self, number: int) -> dict[str, Array]:
        for indices, feeds, _ in self._samples:
            found = np.flatnonzero(indices == number)
            if len(found):
                row = int(found[0])
                return {name: array[row : row + 1] for name, array in feeds.items()}
        raise ValueError(f"sample {number} does not steer")

    def score(self, candidate: GraphView, only: Sequence[int] | None = None) -> Scored:
        """Run a candidate on the steering inputs, or on some of them. Raises Broken where it does not run."""
        give_back()
        model = _GraphModel(candidate.model, self._target_signature)
        figures = Accumulator(self._problem.verify, self._problem.search_path)
        wanted = None if only is None else set(only)
        relative: list[Array] = []
        for (indices, feeds, whole), expected in zip(self._samples, self._expected, strict=True):
            rows = np.array([wanted is None or int(number) in wanted for number in indices])
            if not rows.any():
                continue
            fed, wished = (_picked(arrays, rows, whole) for arrays in (feeds, expected))
            got = predict_any(model, target_feeds(self._problem.contract, fed))
            left, right = comparable_outputs(self._problem.contract, wished, got)
            if whole:
                left, right = ({name: array[None] for name, array in side.items()} for side in (left, right))
            figures.add(left, right, indices[rows])
            relative.append(_relative(left, right))
        result = figures.result()
        unequal = [int(n) for n in figures.unequal()]
        distances = np.concatenate(relative)
        share = len(unequal) / max(result.samples, 1)
        distance = float(distances.mean()) if len(distances) else 0.0
        return Scored(
            ScoreRecord(share, distance if math.isfinite(distance) else math.inf, result.discrepancy, result.max_abs),
            tuple(unequal),
            result.disagreeing,
        )


def _picked(arrays: Mapping[str, Array], rows: Array, whole: bool) -> dict[str, Array]:
    """Some rows; a whole call as it is."""
    return dict(arrays) if whole else {name: array[rows] for name, array in arrays.items()}


def _relative(left: Mapping[str, Array], right: Mapping[str, Array]) -> Array:
    """Largest relative distance of any output, by sample; inf where shapes differ or a side is not finite."""
    each = []
    for name, ours in left.items():
        theirs = right[name]
        count = len(ours)
        if ours.shape != theirs.shape:
            each.append(np.full(count, np.inf))
            continue
        one, two = (side.reshape(count, -1).astype(np.float64) for side in (ours, theirs))
        with np.errstate(invalid="ignore", divide="ignore"):
            apart, scale = np.abs(one - two).max(axis=1, initial=0.0), np.abs(one).max(axis=1, initial=0.0)
            each.append(np.nan_to_num(np.where(apart == 0, 0.0, apart / scale), nan=np.inf, posinf=np.inf))
    found: Array = np.max(each, axis=0)
    return found

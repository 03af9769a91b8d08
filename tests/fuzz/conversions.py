"""Whole conversions of mutants that run: what is accepted has to be the same function, also on inputs that nobody has tried."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from tests.command import Called, safeconvert

from .campaign import loaded
from .kinds import Kind
from .models import ModelJudge
from .seeds import Files
from .verdicts import State

_TOLERANCE = 2e-3
"""Of an output's largest value: twice what a verification may put down to rounding."""


def running(kind: Kind, folder: Path, judge: ModelJudge, count: int, seed: int) -> Iterator[tuple[int, str, Files]]:
    """The first mutants of a kind that are opened and run: number, name and files."""
    originals = loaded(kind, folder)
    number, found = 0, 0
    while found < count:
        main, files = kind.mutant(originals, number, seed)
        if judge.judge(main, files).state is State.RAN:
            yield number, main, files
            found += 1
        number += 1


def clean(called: Called) -> None:
    """An exit code of the family, and nothing that only a programmer reads."""
    assert called.code in range(5), called.text
    assert "Traceback" not in called.text and "itself failed" not in called.text, called.text


def converted(command: str, *arguments: object, state: Path) -> Called:
    """A command with few inputs. Raises AssertionError as `clean`."""
    called = safeconvert(command, *arguments, "--samples", "16", XDG_STATE_HOME=str(state))
    clean(called)
    return called


def apart(source: Path, target: Path, draws: int = 6) -> str:
    """Where two ONNX files are different functions, on inputs of several sizes; "" where they are not."""
    sessions = [
        onnxruntime.InferenceSession(str(path), _quiet(), providers=["CPUExecutionProvider"])
        for path in (source, target)
    ]
    for draw in range(draws):
        random = np.random.default_rng(draw + 900)
        answers = []
        values = [_values(value, random, draw) for value in sessions[0].get_inputs()]
        for session in sessions:
            feeds = {value.name: array for value, array in zip(session.get_inputs(), values, strict=True)}
            answers.append(session.run(None, feeds))
        for number, (ours, theirs) in enumerate(zip(*answers, strict=True)):
            reason = _apart(np.asarray(ours), np.asarray(theirs))
            if reason:
                return f"output {number}, draw {draw}: {reason}"
    return ""


def outputs(path: Path) -> list[str]:
    """The outputs' names of an ONNX file."""
    return [value.name for value in onnx.load(io.BytesIO(path.read_bytes()), load_external_data=False).graph.output]


def _apart(ours: np.ndarray, theirs: np.ndarray) -> str:
    if ours.shape != theirs.shape:
        return f"shapes {ours.shape} and {theirs.shape}"
    scale = float(np.abs(ours[np.isfinite(ours)]).max(initial=0)) or 1.0
    alike = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    distance = np.where(alike, 0, np.abs(ours.astype("f8") - theirs.astype("f8")))
    worst = float(np.max(distance, initial=0)) / scale
    return "" if worst <= _TOLERANCE else f"{worst:.3g} of the largest value apart"


def _values(value: onnxruntime.NodeArg, random: np.random.Generator, draw: int) -> np.ndarray:
    """Numbers around zero, of one sign, small and large."""
    shape = [size if isinstance(size, int) and size > 0 else 3 for size in value.shape]
    scale, shift = ((1, 0), (1, 2), (1, -2), (0.01, 0), (30, 0), (3, 0.5))[draw % 6]
    values = random.normal(size=shape) * scale + shift
    return values.astype({"tensor(double)": np.float64, "tensor(int64)": np.int64}.get(value.type, np.float32))


def _quiet() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return options

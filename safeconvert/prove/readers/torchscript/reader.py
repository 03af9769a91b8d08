"""A TorchScript archive as an ONNX graph, at sizes of its inputs that the format does not declare."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx

from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.torchscript.archive import Script, opened
from safeconvert.prove.readers.torchscript.aten import Aten
from safeconvert.prove.readers.torchscript.code import Evaluator
from safeconvert.prove.readers.torchscript.facts import Facts
from safeconvert.prove.readers.torchscript.values import Box, Group
from safeconvert.prove.readers.writer import Input, Writer

_DAMAGE = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, zipfile.BadZipFile, RecursionError, SyntaxError, pickle.UnpicklingError, EOFError,
    OverflowError, ArithmeticError, UnicodeError,
)  # fmt: skip


def read_torchscript(content: bytes, inputs: Sequence[Input]) -> onnx.ModelProto:
    """The graph of a file, in inference mode, for inputs of these sizes. Raises Refused, naming what is not known."""
    try:
        return _read(opened(content), inputs)
    except _DAMAGE as error:
        raise Refused(f"the file is damaged, or of another version ({type(error).__name__}: {error})"[:300]) from error


def _read(script: Script, inputs: Sequence[Input]) -> onnx.ModelProto:
    if not inputs:
        raise Refused("TorchScript says no sizes of its inputs, and none are given")
    write = Writer()
    facts = Facts(write)
    operators = Aten(write, facts)
    evaluator = Evaluator(script, operators)
    given = {one.name: Box(facts.given(one), Group(given=True)) for one in inputs}
    returned = evaluator.call(evaluator.method(script.root, "forward"), (), given)
    tensors = [operators.boxed(one).tensor for one in _leaves(returned)]
    if not tensors:
        raise Refused("the model gives no tensor")
    outputs = [(Input(f"output_{place}", one.kind, one.shape), one.name) for place, one in enumerate(tensors)]
    return write.model(inputs, outputs)


def _leaves(value: Any) -> Iterator[Box | Array]:
    """The tensors of what a model gives, in order."""
    if isinstance(value, Box | np.ndarray):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _leaves(one)
    elif isinstance(value, dict):
        yield from _leaves(list(value.values()))
    elif value is not None:
        raise Refused(f"an output that is a {type(value).__name__}")

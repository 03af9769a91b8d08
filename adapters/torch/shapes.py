"""Work out the inputs of a torch module whose format declares none, by running it.

The user's arrays and `--input-shape` are tried first. Without them, probing reads what the first operator of each input says
(channels of a convolution, features of a linear layer, rows of an embedding), and then runs the module on the sizes that such
models commonly have until one goes through. Real inputs are of the parameters' type.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.signature import TensorSpec
from safeconvert.errors import UnusableInput

from .._shared.torch_trees import module_call, named_outputs
from .._shared.torch_trial import given_values, run_once, trials
from .guesses import guesses
from .open_sizes import with_free_batch, with_open_sizes

_ADVICE = "say it: --input-shape 1,3,224,224 (several inputs: --input-shape name=1,16 for each), or give arrays: --inputs FILE.npz"
_MOST_ORDERS = 24  # in which the inputs of the other model of a pair are tried
_MOST_TYPES = 64  # combinations of types that are tried for inputs of a given shape

Candidate = tuple[tuple[TensorSpec, ...], Mapping[str, torch.Tensor] | None]
"""Specs to try, and the user's values where they are their own."""


def probe_inputs(module: Any, request: ModelRequest) -> tuple[TensorSpec, ...]:
    """The inputs of a module whose format does not declare shapes.

    Raises:
        UnusableInput: no shape goes through, or the one given does not; the message holds the module's own complaint.
    """
    names = argument_names(module)
    call = module_call(module, names)
    complaint = ""
    for specs, given in _candidates(names, module, request):
        outputs, reason = run_once(call, trials(specs, given))
        if not reason and named_outputs(outputs):
            shown = with_free_batch(call, specs, given)
            return with_open_sizes(call, shown, _features(module))
        complaint = complaint or reason or "it returned no tensor"
    what = "the shape" if request.input_shapes else "the arrays" if request.sample else ""
    given_and_wrong = f" with {what} given: {complaint}" if what else ""
    raise UnusableInput(
        f"{request.path}: the input shape of {', '.join(names)} could not be worked out{given_and_wrong}", _ADVICE
    )


def argument_names(module: Any) -> list[str]:
    """Names of forward()'s required arguments."""
    if isinstance(module, torch.jit.ScriptModule):
        return [argument.name for argument in module.forward.schema.arguments[1:] if not argument.has_default_value()]
    parameters = inspect.signature(module.forward).parameters.values()
    return [
        p.name for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]


def _candidates(names: list[str], module: Any, request: ModelRequest) -> Iterator[Candidate]:
    """Specs to try, most likely first."""
    real = _real_type(module)
    if request.input_shapes:
        yield from _of_shapes(names, _given_shapes(names, request), real)
        return
    for values in given_values(names, request):
        tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in values.items()}
        for dtypes in itertools.product(*(_types_of(array, real) for array in values.values())):
            specs = tuple(_spec(n, a.shape, t) for (n, a), t in zip(values.items(), dtypes, strict=True))
            yield specs, tensors
    yield from _as_the_other_model(names, request)
    single = [(tuple(size or 1 for size in shape), real) for shape in request.candidate_shapes]
    single += [(shape, "int64") for shape, _ in list(single) if len(shape) <= 3]
    single += [(shape, real if dtype == "float32" else dtype) for shape, dtype in guesses(module)]
    for shape, dtype in single:
        yield tuple(_spec(name, shape, dtype) for name in names), None


def _as_the_other_model(names: list[str], request: ModelRequest) -> Iterator[Candidate]:
    """The inputs of the other model of a pair, first in the order in which most names agree."""
    if len(request.candidate_inputs) != len(names):
        return
    orders = itertools.islice(itertools.permutations(request.candidate_inputs), _MOST_ORDERS)
    agreeing = sorted(orders, key=lambda order: -sum(own == one[0] for own, one in zip(names, order, strict=True)))
    for order in agreeing:
        shapes = [[size or 1 for size in shape] for _, shape, _ in order]
        yield tuple(map(_spec, names, shapes, (dtype for _, _, dtype in order))), None


def _of_shapes(names: list[str], shapes: list[tuple[int, ...]], real: str) -> Iterator[Candidate]:
    types = itertools.islice(itertools.product((real, "int64", "bool", "int32"), repeat=len(names)), None)
    ordered = sorted(
        itertools.islice(types, 4 * _MOST_TYPES), key=lambda kinds: sum(k in ("bool", "int32") for k in kinds)
    )
    for dtypes in ordered[:_MOST_TYPES]:
        yield tuple(map(_spec, names, shapes, dtypes)), None


def _given_shapes(names: list[str], request: ModelRequest) -> list[tuple[int, ...]]:
    given = dict(request.input_shapes)
    if "" in given:
        given[names[0]] = given.pop("")
    missing = [name for name in names if name not in given]
    unknown = [name for name in given if name not in names]
    if missing or unknown:
        raise UnusableInput(
            f"{request.path}: --input-shape names {unknown or 'too few inputs'}; its inputs are {', '.join(names)}",
            _ADVICE,
        )
    return [tuple(size or 1 for size in given[name]) for name in names]


def _real_type(module: Any) -> str:
    """The type of most real parameters; float32 where there are none."""
    counts: dict[str, int] = {}
    for value in module.state_dict().values():
        if torch.is_tensor(value) and value.is_floating_point():
            name = str(value.dtype).removeprefix("torch.")
            counts[name] = counts.get(name, 0) + value.numel()
    found = max(counts, key=lambda name: counts[name], default="float32")
    return found if found in ("float16", "float64") else "float32"


def _features(module: Any) -> frozenset[int]:
    """The sizes that matrices and kernels multiply."""
    return frozenset(
        value.shape[1] for value in module.state_dict().values() if torch.is_tensor(value) and value.dim() > 1
    )


def _types_of(array: np.ndarray, real: str) -> tuple[str, ...]:
    """Types of the model that an array may be meant for, most likely first."""
    if array.dtype.kind == "f":
        return (real,)
    if array.dtype.kind == "b":
        return ("bool",)
    return tuple(
        dict.fromkeys(["int64" if array.dtype.itemsize > 1 else array.dtype.name, array.dtype.name, "int32", real])
    )


def _spec(name: str, shape: Sequence[int | None], dtype: str) -> TensorSpec:
    """A spec; the layout is given only where the channel count shows it (1, 3 or 4 second, and not last)."""
    image = len(shape) in (4, 5) and shape[1] in (1, 3, 4) and shape[-1] not in (1, 3, 4)
    return replace(TensorSpec(name, tuple(shape), dtype), layout="NCHW" if image else None)

"""Work out a torch module's inputs: declared in an ExportedProgram, probed for in everything else.

Probing reads what the first operator of each input says (channels of a convolution, features of a linear layer,
rows of an embedding), and then runs the module on the sizes that such models commonly have until one goes through.
A given `--input-shape` is tried alone.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.signature import TensorSpec
from safeconvert.errors import UnusableInput

_IMAGE_SIZES = (224, 32, 28, 299, 256, 96, 128, 64, 160, 192, 320, 384, 512, 48, 16, 8)
_SEQUENCE_LENGTHS = (16, 128, 32, 64, 10)
_ADVICE = "say it: --input-shape 1,3,224,224 (several inputs: --input-shape name=1,16 for each)"


def flatten_outputs(outputs: Any) -> list[torch.Tensor]:
    """The tensors of a nested output, in order."""
    leaves, _ = torch.utils._pytree.tree_flatten(outputs)
    return [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]


def declared_inputs(program: Any) -> tuple[TensorSpec, ...]:
    """The user inputs of an ExportedProgram; symbolic dimensions are free."""
    names = set(program.graph_signature.user_inputs)
    specs = []
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in names:
            value = node.meta["val"]
            shape = tuple(int(size) if isinstance(size, int) else None for size in value.shape)
            specs.append(_spec(node.name, shape, str(value.dtype).removeprefix("torch.")))
    return tuple(specs)


def probe_inputs(module: Any, request: ModelRequest) -> tuple[TensorSpec, ...]:
    """The inputs of a module whose format does not declare shapes.

    Raises:
        UnusableInput: no shape goes through, or the one given does not; the message holds the module's own complaint.
    """
    names = _argument_names(module)
    complaint = ""
    for shapes, dtypes in _candidates(names, module, request):
        complaint = _attempt(module, shapes, dtypes)
        if not complaint:
            specs = tuple(map(_spec, names, shapes, dtypes))
            return _with_free_batch(module, specs)
    given = f" with the shape given: {complaint}" if request.input_shapes else ""
    raise UnusableInput(
        f"{request.path}: the input shape of {', '.join(names)} could not be worked out{given}", _ADVICE
    )


def _spec(name: str, shape: Sequence[int | None], dtype: str) -> TensorSpec:
    """A spec; the layout is said only where the channel count shows it (1, 3 or 4 second, and not last)."""
    image = len(shape) in (4, 5) and shape[1] in (1, 3, 4) and shape[-1] not in (1, 3, 4)
    return TensorSpec(name, tuple(shape), dtype, "NCHW" if image else None)


def _argument_names(module: Any) -> list[str]:
    """Names of forward()'s required arguments."""
    if isinstance(module, torch.jit.ScriptModule):
        return [argument.name for argument in module.forward.schema.arguments[1:] if not argument.has_default_value()]
    parameters = inspect.signature(module.forward).parameters.values()
    return [
        p.name for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]


Candidate = tuple[list[tuple[int, ...]], list[str]]


def _candidates(names: list[str], module: Any, request: ModelRequest) -> Iterator[Candidate]:
    """Shapes and dtypes to try, most likely first."""
    if request.input_shapes:
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
        shapes = [tuple(size or 1 for size in given[name]) for name in names]
        for dtypes in itertools.product(("float32", "int64"), repeat=len(names)):
            yield shapes, list(dtypes)
        return
    single = [(tuple(size or 1 for size in shape), "float32") for shape in request.candidate_shapes]
    single += [(shape, "int64") for shape, _ in list(single) if len(shape) <= 3]
    single += list(_guesses(module))
    for shape, dtype in single:
        yield [shape] * len(names), [dtype] * len(names)


def _guesses(module: Any) -> Iterator[tuple[tuple[int, ...], str]]:
    """Shapes that fit the first parameter of each kind, in the order of the module's parameters."""
    weights = [(name, tuple(tensor.shape)) for name, tensor in module.state_dict().items() if tensor.dim() >= 2]
    first = weights[0][1] if weights else ()
    convolutions = [shape for _, shape in weights if len(shape) == 4]
    channels = [convolutions[0][1]] if convolutions else []
    if len(first) == 5:
        yield from (((1, first[1], size, size, size), "float32") for size in (16, 32, 8))
    for count in dict.fromkeys([*channels, 3, 1] if channels else []):
        sizes = (28, 32, *_IMAGE_SIZES) if count == 1 else _IMAGE_SIZES
        yield from (((1, count, size, size), "float32") for size in dict.fromkeys(sizes))
    if len(first) == 3:
        yield from (((1, first[1], length), "float32") for length in _SEQUENCE_LENGTHS)
    if len(first) == 2:
        features = first[1]
        embeds_first = any(mark in weights[0][0].lower() for mark in ("emb", "wte", "token"))
        tokens = [((1, length), "int64") for length in _SEQUENCE_LENGTHS]
        dense = [((1, features), "float32"), *(((1, length, features), "float32") for length in _SEQUENCE_LENGTHS)]
        yield from (*tokens, *dense) if embeds_first else (*dense, *tokens)
    if not weights:
        yield from (((1, 3, size, size), "float32") for size in _IMAGE_SIZES[:3])
        yield ((1, 16), "float32")


def _attempt(module: Any, shapes: Sequence[tuple[int, ...]], dtypes: Sequence[str]) -> str:
    """Run once on zeros; the complaint in one line, or "" where it went through."""
    arguments = [torch.zeros(shape, dtype=getattr(torch, dtype)) for shape, dtype in zip(shapes, dtypes, strict=True)]
    try:
        with torch.inference_mode():
            outputs = module(*arguments)
    except Exception as error:  # noqa: BLE001 - a foreign module may raise anything; it is the answer here
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return (lines[-1] if lines else type(error).__name__)[:240]
    return "" if flatten_outputs(outputs) else "it returned no tensor"


def _with_free_batch(module: Any, specs: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
    """Free the batch dimension where the module also takes two and three samples and returns as many."""
    for count in (2, 3):
        arguments = [torch.zeros((count, *spec.shape[1:]), dtype=getattr(torch, spec.dtype)) for spec in specs]
        try:
            with torch.inference_mode():
                outputs = flatten_outputs(module(*arguments))
        except Exception:  # noqa: BLE001 - a foreign module may raise anything: then the batch is fixed
            return specs
        if any(output.dim() == 0 or output.shape[0] != count for output in outputs):
            return specs
    return tuple(replace(spec, shape=(None, *spec.shape[1:])) for spec in specs)

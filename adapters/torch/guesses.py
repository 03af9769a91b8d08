"""Input shapes that a module's parameters suggest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_IMAGE_SIZES = (224, 32, 28, 299, 256, 96, 128, 64, 160, 192, 320, 384, 512, 48, 16, 8)
_SEQUENCE_LENGTHS = (16, 128, 32, 64, 10)


def guesses(module: Any) -> Iterator[tuple[tuple[int, ...], str]]:
    """Shapes and types that fit the first parameter of each kind, in the order of the module's parameters.

    Buffers (anchors, tables of positions) are looked at where there are no parameters: no input is multiplied with them.
    """
    named = dict(module.named_parameters()) or module.state_dict()
    weights = [(name, tuple(tensor.shape)) for name, tensor in named.items() if tensor.dim() >= 2]
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

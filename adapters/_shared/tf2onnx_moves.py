"""See which tensors tf2onnx really moves to channels first: a name that it does not know, or another rank, it passes over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import onnx
from tf2onnx import tfonnx

from safeconvert.adapter_api.protocol import NHWC_TO_NCHW, ConvertReply
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput


@dataclass
class Moves:
    """What was asked to move, and what did.

    Attributes:
        requested: tensor names, as tf2onnx calls them in the end.
        done: the inputs and outputs among them that were moved.
    """

    requested: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)

    def require_all(self) -> None:
        """Raises UnusableInput where one was passed over."""
        for name in sorted(self.requested - self.done):
            raise UnusableInput(
                f"tf2onnx: {name} cannot become channels first: no input or output of that name with four dimensions",
                "look at the names in the ONNX file, or leave the option out",
            )

    def reply(self, model: onnx.ModelProto, signature: Signature | None) -> ConvertReply:
        """The moves of the converted model's inputs and outputs, in the order of the source's."""
        given = (signature.inputs, signature.outputs) if signature is not None else ((), ())
        inputs, outputs = (
            tuple(NHWC_TO_NCHW if name in self.done else None for name in _ordered(values, specs))
            for values, specs in zip((model.graph.input, model.graph.output), given, strict=True)
        )
        return ConvertReply(inputs, outputs)


def _ordered(values: Any, specs: tuple[TensorSpec, ...]) -> list[str]:
    """Names in the source's order where both sides have the same ones, as tensors are paired; else as they are."""
    names, ours = [value.name for value in values], [spec.name for spec in specs]
    return ours if set(names) == set(ours) else names


@contextmanager
def recorded_moves() -> Iterator[Moves]:
    """Record what tf2onnx moves while active."""
    moves = Moves()
    before = tfonnx.transpose_inputs, tfonnx.transpose_outputs

    def recording(original: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        def move(graph: Any, names: Any) -> None:
            moves.requested.update(names)
            for node in graph.get_nodes():
                for name in node.output:
                    if name in names and len(graph.get_shape(name) or ()) == len(NHWC_TO_NCHW):
                        moves.done.add(name)
            original(graph, names)

        return move

    tfonnx.transpose_inputs, tfonnx.transpose_outputs = map(recording, before)
    try:
        yield moves
    finally:
        tfonnx.transpose_inputs, tfonnx.transpose_outputs = before

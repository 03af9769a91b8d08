"""Recurrent layers over packed sequences, which torch.onnx (torch 2.13) refuses in a TorchScript archive.

A trace of `pack_padded_sequence` holds `aten::_pack_padded_sequence`, for which there is no symbolic. Here a packed sequence is the
padded one, with time in front, beside torch's own counts of how many sequences still run at each step; ONNX' LSTM, GRU and RNN take
lengths, which those counts give back.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.onnx import symbolic_helper
from torch.onnx._internal.torchscript_exporter import symbolic_opset9

_SINCE = 13
_INT32 = torch.onnx.TensorProtoDataType.INT32
_INT64 = torch.onnx.TensorProtoDataType.INT64


def register() -> None:
    """Tell torch.onnx; once a process."""
    torch.onnx.register_custom_op_symbolic("aten::_pack_padded_sequence", _packed, _SINCE)
    torch.onnx.register_custom_op_symbolic("aten::_pad_packed_sequence", _padded, _SINCE)
    for name in ("lstm", "gru", "rnn_tanh", "rnn_relu"):
        torch.onnx.register_custom_op_symbolic(f"aten::{name}", _recurrent(getattr(symbolic_opset9, name)), _SINCE)


@symbolic_helper.parse_args("v", "v", "b")
def _packed(g: Any, data: Any, lengths: Any, batch_first: bool) -> Any:
    """The padded sequences as (T, N, C), and of each step the number of those that are longer."""
    kind = data.type()
    first = g.op("Transpose", data, perm_i=[1, 0, 2]) if batch_first else data
    first.setType(kind)
    steps = _range(g, first, 0, column=True)
    running = g.op("Less", steps, g.op("Unsqueeze", g.op("Cast", lengths, to_i=_INT64), _integers(g, 0)))
    return first, _count(g, running, 1)


def _recurrent(symbolic: Any) -> Any:
    """A recurrent layer's own symbolic, with the counts of packed sequences as lengths."""

    def layer(g: Any, *arguments: Any) -> Any:
        if not symbolic_helper._is_tensor_list(arguments[3]):
            return symbolic(g, *arguments)
        data, counts = arguments[:2]
        lengths = g.op("Cast", _lengths(g, data, counts), to_i=_INT32)
        return symbolic(g, data, lengths, *arguments[2:])

    return layer


@symbolic_helper.parse_args("v", "v", "b", "f", "i")
def _padded(g: Any, data: Any, counts: Any, batch_first: bool, padding: float, total: int) -> Any:
    """(T, N, C) or (N, T, C) with the padding behind each sequence, as long as asked for or as the longest."""
    lengths = _lengths(g, data, counts)
    if padding:
        running = g.op("Less", _range(g, data, 0, column=True), g.op("Unsqueeze", lengths, _integers(g, 0)))
        padding_value = g.op("Constant", value_t=torch.tensor(padding))
        data = g.op("Where", g.op("Unsqueeze", running, _integers(g, 2)), data, padding_value)
    if total > 0:
        last = _integers(g, total)
    else:
        last = g.op("Unsqueeze", g.op("ReduceMax", lengths, keepdims_i=0), _integers(g, 0))
    data = g.op("Slice", data, _integers(g, 0), last, _integers(g, 0))
    return (g.op("Transpose", data, perm_i=[1, 0, 2]) if batch_first else data), lengths


def _lengths(g: Any, data: Any, counts: Any) -> Any:
    """How many steps each of the N sequences runs, from the number of sequences that run at each step."""
    indices = _range(g, data, 1, column=False)
    running = g.op("Less", indices, g.op("Unsqueeze", g.op("Cast", counts, to_i=_INT64), _integers(g, 1)))
    return _count(g, running, 0)


def _range(g: Any, data: Any, axis: int, column: bool) -> Any:
    """0, 1, … to the size of an axis, as a column (T, 1) or a row (1, N)."""
    size = g.op("Gather", g.op("Shape", data), g.op("Constant", value_t=torch.tensor(axis)), axis_i=0)
    numbers = g.op(
        "Range", *(g.op("Constant", value_t=torch.tensor(n)) if n is not None else size for n in (0, None, 1))
    )
    return g.op("Unsqueeze", numbers, _integers(g, 1 if column else 0))


def _count(g: Any, flags: Any, axis: int) -> Any:
    return g.op("ReduceSum", g.op("Cast", flags, to_i=_INT64), _integers(g, axis), keepdims_i=0)


def _integers(g: Any, *values: int) -> Any:
    return g.op("Constant", value_t=torch.tensor(values, dtype=torch.int64))

"""Spectra for tf2onnx 1.17, which knows them of two-dimensional inputs alone: the real Fourier transform as two products with matrices.

Registered where this module is imported, in the place of tf2onnx' own handlers. A transform stays until what reads it (`ComplexAbs`,
`Real`, `Imag`) is converted; where anything else reads it, it is left in the graph, and is named as what ONNX has no operator for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from tf2onnx import onnx_opset, utils  # noqa: F401 - its handlers are registered first
from tf2onnx.handler import tf_op

from .tf2onnx_operators import replace_node


@tf_op("RFFT")
class RealFourier:
    """Converted with what reads it."""

    @classmethod
    def version_13(cls, ctx: Any, node: Any, **kwargs: Any) -> None:
        """ONNX has no complex tensors that operators take."""


@tf_op(["ComplexAbs", "Real", "Imag"])
class PartOfSpectrum:
    """The magnitude, real or imaginary part of a real Fourier transform along the last axis."""

    @classmethod
    def version_13(cls, ctx: Any, node: Any, **kwargs: Any) -> None:
        """x · cos and -(x · sin) of 2π·time·frequency / length, the signal cut or the matrices shortened to the transform's length."""
        transform = node.inputs[0]
        utils.make_sure(transform.type == "RFFT", "%s of anything but RFFT", node.type)
        length = int(np.asarray(transform.inputs[1].get_tensor_value(as_list=False)).ravel()[0])
        size = (ctx.get_shape(transform.input[0]) or [-1])[-1]
        utils.make_sure(
            0 < size <= length, "RFFT of %s numbers along the last axis, %s of them transformed", size, length
        )
        dtype = utils.map_onnx_to_numpy_type(ctx.get_dtype(transform.input[0]))
        turns = 2 * np.pi * np.outer(np.arange(size), np.arange(length // 2 + 1)) / length

        def along(wave: Any) -> str:
            matrix = ctx.make_const(utils.make_name("fourier"), wave.astype(dtype)).output[0]
            return str(_made(ctx, node, "MatMul", transform.input[0], matrix))

        if node.type == "Real":
            made = along(np.cos(turns))
        elif node.type == "Imag":
            made = along(-np.sin(turns))
        else:
            real, imaginary = along(np.cos(turns)), along(np.sin(turns))
            squares = [_made(ctx, node, "Mul", part, part) for part in (real, imaginary)]
            made = _made(ctx, node, "Sqrt", _made(ctx, node, "Add", *squares))
        replace_node(ctx, node, made)


def _made(ctx: Any, node: Any, operator: str, *inputs: str) -> str:
    """A node's output, which is of the dtype and shape of the node's that it is for."""
    dtype, shape = ctx.get_dtype(node.output[0]), ctx.get_shape(node.output[0])
    return str(ctx.make_node(operator, list(inputs), dtypes=[dtype], shapes=[shape]).output[0])

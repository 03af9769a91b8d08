"""TensorFlow's resizing by other than whole factors for tf2onnx 1.17: with the weights of TensorFlow's own kernels.

tf2onnx says ResizeBicubic as ONNX' Resize, whose weights are exact where TensorFlow's kernel takes them from a table of 1024
steps (8e-4 of the scale apart at a factor of 3); ResizeArea as the nearest pixel, which is wrong; ScaleAndTranslate (Lanczos, and
everything with `antialias`) not at all; and the nearest pixel with sizes that are computed, on which torch.export stumbles. Each
is linear and works axis by axis, so that its kernel applied to the identity gives the weights: two products, or two Gathers.
Sizes that are not known at conversion are left to tf2onnx.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from onnx import TensorProto
from tf2onnx import utils
from tf2onnx.handler import tf_op
from tf2onnx.onnx_opset.nn import Resize

from .tf2onnx_operators import replace_node

_FLAGS = ("align_corners", "half_pixel_centers")


@tf_op(["ResizeBicubic", "ResizeArea"])
class ResizeByTable:
    """Images (N, H, W, C) to a constant size."""

    @classmethod
    def version_11(cls, ctx: Any, node: Any, **kwargs: Any) -> None:
        """MatMul along rows and columns."""
        sizes = _sizes(ctx, node)
        if sizes is None:
            Resize.version_11(ctx, node, **kwargs)
            return
        kernel = getattr(tf.raw_ops, node.type)
        flags = _flags(node)
        _multiply(ctx, node, [
            _weights(lambda images, size: kernel(images=images, size=size, **flags), old, new) for old, new in sizes
        ])  # fmt: skip


@tf_op("ResizeNearestNeighbor")
class ResizeByChoice:
    """Images (N, H, W, C) to a constant size; whole factors, which Resize says in every converter, are left to tf2onnx."""

    @classmethod
    def version_11(cls, ctx: Any, node: Any, **kwargs: Any) -> None:
        """Gather of rows and columns."""
        sizes = _sizes(ctx, node)
        if sizes is None or all(new % old == 0 for old, new in sizes):
            Resize.version_11(ctx, node, **kwargs)
            return
        flags = _flags(node)
        chosen = [
            _weights(lambda images, size: tf.raw_ops.ResizeNearestNeighbor(images=images, size=size, **flags), old, new)
            for old, new in sizes
        ]
        resized = node.input[0]
        for axis, weights in enumerate(chosen, start=1):
            indices = ctx.make_const(utils.make_name("chosen"), weights.argmax(axis=1).astype(np.int64)).output[0]
            resized = ctx.make_node("Gather", [resized, indices], attr={"axis": axis}).output[0]
        replace_node(ctx, node, resized)


@tf_op("ScaleAndTranslate")
class ScaleAndTranslate:
    """Images (N, H, W, C) to a constant size, by a constant scale and translation."""

    @classmethod
    def version_11(cls, ctx: Any, node: Any, **kwargs: Any) -> None:
        """MatMul along rows and columns."""
        sizes = _sizes(ctx, node)
        scales = None if sizes is None else _scales(node, sizes)
        utils.make_sure(
            scales is not None and node.inputs[3].is_const(),
            "ScaleAndTranslate %s: its sizes, scale and translation have to be known", node.name,
        )  # fmt: skip
        assert sizes is not None and scales is not None
        shifts = node.inputs[3].get_tensor_value()
        flags = {"kernel_type": node.get_attr_str("kernel_type"), "antialias": bool(node.get_attr_int("antialias"))}

        def weights(old: int, new: int, scale: float, shift: float) -> np.ndarray[Any, Any]:
            def kernel(images: Any, size: list[int]) -> Any:
                moved = {"scale": [scale, 1.0], "translation": [shift, 0.0]}
                return tf.raw_ops.ScaleAndTranslate(images=images, size=size, **moved, **flags)

            return _weights(kernel, old, new)

        axes = zip(sizes, scales, shifts, strict=True)
        _multiply(ctx, node, [weights(old, new, scale, shift) for (old, new), scale, shift in axes])


def _flags(node: Any) -> dict[str, bool]:
    return {name: bool(node.get_attr_int(name)) for name in _FLAGS if node.get_attr(name)}


def _sizes(ctx: Any, node: Any) -> list[tuple[int, int]] | None:
    """Old and new height, old and new width; None where one is not known."""
    shape = ctx.get_shape(node.input[0])
    if shape is None or -1 in shape[1:3] or not node.inputs[1].is_const():
        return None
    return [(old, int(new)) for old, new in zip(shape[1:3], node.inputs[1].get_tensor_value(), strict=True)]


def _scales(node: Any, sizes: list[tuple[int, int]]) -> list[float] | None:
    """Of height and width: constants, or the new size by that of the images, as tf.image.resize says it; None for any other."""
    given = node.inputs[2]
    if given.is_const():
        return list(given.get_tensor_value())
    if given.type != "Div":
        return None
    new, old = (_behind_casts(one) for one in given.inputs)
    if old.type != "Shape" or old.input[0] != node.input[0] or not new.is_const():
        return None
    if list(new.get_tensor_value()) != [size for _, size in sizes]:
        return None
    return [size / of for of, size in sizes]


def _behind_casts(node: Any) -> Any:
    while node.type in ("Cast", "Slice", "StridedSlice"):
        node = node.inputs[0]
    return node


def _weights(resize: Callable[[Any, list[int]], Any], old: int, new: int) -> np.ndarray[Any, Any]:
    """(new, old): the kernel applied to the identity, in a graph of its own, since tf2onnx works inside one."""
    with tf.Graph().as_default() as graph:
        made = resize(tf.reshape(tf.eye(old), (1, old, old, 1)), [new, old])
    with tf.compat.v1.Session(graph=graph) as session:
        return np.asarray(session.run(made)[0, :, :, 0])


def _multiply(ctx: Any, node: Any, weights: list[np.ndarray[Any, Any]]) -> None:
    """Rows times (C, H, W) times columns, in the place of the node; float32, whatever the images are, as in TensorFlow."""
    rows, columns = weights
    images = node.input[0]
    if ctx.get_dtype(images) != TensorProto.FLOAT:
        images = ctx.make_node("Cast", [images], attr={"to": TensorProto.FLOAT}).output[0]
    planes = ctx.make_node("Transpose", [images], attr={"perm": [0, 3, 1, 2]}).output[0]
    left = ctx.make_const(utils.make_name("rows"), rows).output[0]
    right = ctx.make_const(utils.make_name("columns"), np.ascontiguousarray(columns.T)).output[0]
    planes = ctx.make_node("MatMul", [left, planes]).output[0]
    planes = ctx.make_node("MatMul", [planes, right]).output[0]
    resized = ctx.make_node("Transpose", [planes], attr={"perm": [0, 2, 3, 1]}).output[0]
    replace_node(ctx, node, resized)

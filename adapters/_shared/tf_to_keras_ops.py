"""Say a small TensorFlow graph in `keras.ops`, so that a Keras file can hold it without code.

Used for Lambda layers: their Python function is traced once by TensorFlow, and every operator of the trace is expressed
by the Keras operation of the same meaning. Values known while tracing (axes, shapes, weights) stay numpy constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

Value = Any  # a KerasTensor, or a numpy array that is known while translating


def apply_as_keras_ops(function: Callable[..., Any], inputs: Any) -> Any:
    """Apply a TensorFlow function to Keras tensors, leaving only `keras.ops` behind.

    Args:
        function: takes what the Lambda layer was called with (a tensor or a list of tensors).
        inputs: a KerasTensor, or a list of them.

    Returns:
        What the function returns, as KerasTensors.

    Raises:
        NotImplementedError: it holds an operator without a translation; the message names it.
    """
    flat = keras.tree.flatten(inputs)
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in flat]

    @tf.function(input_signature=specs)
    def traced(*tensors: Any) -> Any:
        return function(keras.tree.pack_sequence_as(inputs, list(tensors)))

    concrete = traced.get_concrete_function()
    values: dict[str, Value] = {
        placeholder.name: tensor for placeholder, tensor in zip(concrete.inputs, flat, strict=False)
    }
    for operation in concrete.graph.get_operations():
        if operation.type == "Placeholder":
            continue
        results = _translate(operation, [values[tensor.name] for tensor in operation.inputs])
        for tensor, result in zip(operation.outputs, results, strict=True):
            values[tensor.name] = result
    outputs = [_symbolic(values[tensor.name], flat[0]) for tensor in concrete.outputs]
    return keras.tree.pack_sequence_as(concrete.structured_outputs, outputs)


def _translate(operation: Any, inputs: list[Value]) -> Sequence[Value]:
    static = [tf.get_static_value(tensor) for tensor in operation.outputs]
    if operation.outputs and all(value is not None for value in static):
        return [np.asarray(value) for value in static]
    if operation.type in _UNARY:
        return [_UNARY[operation.type](inputs[0])]
    if operation.type in _BINARY:
        return [_BINARY[operation.type](inputs[0], inputs[1])]
    if operation.type in _REDUCTIONS:
        axes = np.atleast_1d(_known(inputs[1], operation)).tolist()
        return [_REDUCTIONS[operation.type](inputs[0], axis=tuple(axes), keepdims=operation.get_attr("keep_dims"))]
    if operation.type not in _SPECIAL:
        raise NotImplementedError(f"TensorFlow operator {operation.type} has no keras.ops form here")
    result = _SPECIAL[operation.type](operation, inputs)
    return result if isinstance(result, list) else [result]


def _known(value: Value, operation: Any) -> np.ndarray:
    if isinstance(value, keras.KerasTensor):
        raise NotImplementedError(f"TensorFlow operator {operation.type} with an argument known only at run time")
    return np.asarray(value)


def _symbolic(value: Value, anchor: Any) -> Any:
    """A KerasTensor; a constant is tied to an input by adding a zero made from it."""
    if isinstance(value, keras.KerasTensor):
        return value
    constant = np.asarray(value)
    zero = ops.cast(ops.sum(ops.zeros_like(anchor)), constant.dtype.name)
    return ops.add(zero, constant)


def _strided_slice(operation: Any, inputs: list[Value]) -> Value:
    begin, end, strides = (_known(value, operation).tolist() for value in inputs[1:4])
    masks = {key: operation.get_attr(f"{key}_mask") for key in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    if masks["ellipsis"] or masks["new_axis"]:
        raise NotImplementedError("TensorFlow operator StridedSlice with an ellipsis or a new axis")
    index: list[Any] = []
    for axis, (first, last, step) in enumerate(zip(begin, end, strides, strict=True)):
        if masks["shrink_axis"] >> axis & 1:
            index.append(first)
            continue
        index.append(
            slice(None if masks["begin"] >> axis & 1 else first, None if masks["end"] >> axis & 1 else last, step)
        )
    return inputs[0][tuple(index)]


def _reshape(operation: Any, inputs: list[Value]) -> Value:
    shape = tf.get_static_value(operation.inputs[1], partial=True)
    if shape is None:
        raise NotImplementedError("TensorFlow operator Reshape to a shape known only at run time")
    sizes = [-1 if size is None else int(size) for size in np.atleast_1d(np.asarray(shape, dtype=object))]
    if sizes.count(-1) > 1:
        raise NotImplementedError("TensorFlow operator Reshape with two free dimensions")
    return ops.reshape(inputs[0], sizes)


def _pad(operation: Any, inputs: list[Value]) -> Value:
    width = _known(inputs[1], operation).tolist()
    if operation.type == "MirrorPad":
        return ops.pad(inputs[0], width, mode=operation.get_attr("mode").decode().lower())
    fill = float(_known(inputs[2], operation)) if len(inputs) > 2 else 0.0
    return ops.pad(inputs[0], width, mode="constant", constant_values=fill)


def _conv2d(operation: Any, inputs: list[Value]) -> Value:
    if operation.get_attr("data_format") != b"NHWC" or operation.get_attr("padding") == b"EXPLICIT":
        raise NotImplementedError("TensorFlow operator Conv2D that is not NHWC, or padded explicitly")
    return ops.conv(
        inputs[0],
        inputs[1],
        strides=tuple(operation.get_attr("strides")[1:3]),
        padding=operation.get_attr("padding").decode().lower(),
        data_format="channels_last",
        dilation_rate=tuple(operation.get_attr("dilations")[1:3]),
    )


def _concat(operation: Any, inputs: list[Value]) -> Value:
    return ops.concatenate(inputs[:-1], axis=int(_known(inputs[-1], operation)))


def _split(operation: Any, inputs: list[Value]) -> list[Value]:
    if operation.type == "Split":
        return list(ops.split(inputs[1], operation.get_attr("num_split"), axis=int(_known(inputs[0], operation))))
    sizes, axis = _known(inputs[1], operation), int(_known(inputs[2], operation))
    return list(ops.split(inputs[0], np.cumsum(sizes)[:-1].tolist(), axis=axis))


def _softmax(_: Any, inputs: list[Value]) -> Value:
    return ops.softmax(inputs[0], axis=-1)


def _matmul(operation: Any, inputs: list[Value]) -> Value:
    kinds = ("transpose_a", "transpose_b") if operation.type == "MatMul" else ("adj_x", "adj_y")
    left, right = (
        ops.swapaxes(value, -1, -2) if operation.get_attr(kind) else value
        for kind, value in zip(kinds, inputs, strict=True)
    )
    return ops.matmul(left, right)


def _squeeze(operation: Any, inputs: list[Value]) -> Value:
    return ops.squeeze(inputs[0], axis=tuple(operation.get_attr("squeeze_dims")) or None)


def _gather(operation: Any, inputs: list[Value]) -> Value:
    return ops.take(inputs[0], inputs[1], axis=int(_known(inputs[2], operation)))


_UNARY: dict[str, Callable[[Value], Value]] = {
    "Identity": lambda x: x, "StopGradient": lambda x: x, "Exp": ops.exp, "Log": ops.log, "Sqrt": ops.sqrt,
    "Rsqrt": ops.rsqrt, "Square": ops.square, "Abs": ops.absolute, "Neg": ops.negative, "Floor": ops.floor,
    "Ceil": ops.ceil, "Round": ops.round, "Sigmoid": ops.sigmoid, "Tanh": ops.tanh, "Relu": ops.relu,
    "Relu6": ops.relu6, "Elu": ops.elu, "Selu": ops.selu, "Softplus": ops.softplus, "Softsign": ops.softsign,
    "Erf": ops.erf, "Sign": ops.sign, "Sin": ops.sin, "Cos": ops.cos, "LogicalNot": ops.logical_not,
    "ZerosLike": ops.zeros_like, "OnesLike": ops.ones_like, "Reciprocal": ops.reciprocal,
}  # fmt: skip
_BINARY: dict[str, Callable[[Value, Value], Value]] = {
    "AddV2": ops.add, "Add": ops.add, "Sub": ops.subtract, "Mul": ops.multiply, "RealDiv": ops.true_divide,
    "Maximum": ops.maximum, "Minimum": ops.minimum, "Pow": ops.power, "BiasAdd": ops.add,
    "SquaredDifference": lambda a, b: ops.square(ops.subtract(a, b)), "Greater": ops.greater,
    "GreaterEqual": ops.greater_equal, "Less": ops.less, "LessEqual": ops.less_equal, "Equal": ops.equal,
    "NotEqual": ops.not_equal, "LogicalAnd": ops.logical_and, "LogicalOr": ops.logical_or,
    "FloorDiv": ops.floor_divide, "FloorMod": ops.mod,
}  # fmt: skip
_REDUCTIONS: dict[str, Callable[..., Value]] = {
    "Mean": ops.mean, "Sum": ops.sum, "Max": ops.max, "Min": ops.min, "Prod": ops.prod, "All": ops.all, "Any": ops.any,
}  # fmt: skip
_SPECIAL: dict[str, Callable[[Any, list[Value]], Any]] = {
    "Transpose": lambda op, x: ops.transpose(x[0], _known(x[1], op).tolist()),
    "ExpandDims": lambda op, x: ops.expand_dims(x[0], int(_known(x[1], op))),
    "Squeeze": _squeeze,
    "Reshape": _reshape,
    "StridedSlice": _strided_slice,
    "Pad": _pad,
    "PadV2": _pad,
    "MirrorPad": _pad,
    "ConcatV2": _concat,
    "Split": _split,
    "SplitV": _split,
    "Softmax": _softmax,
    "Conv2D": _conv2d,
    "MatMul": _matmul,
    "BatchMatMulV2": _matmul,
    "GatherV2": _gather,
    "Cast": lambda op, x: ops.cast(x[0], op.get_attr("DstT").name),
    "Tile": lambda op, x: ops.tile(x[0], _known(x[1], op).tolist()),
    "ArgMax": lambda op, x: ops.cast(ops.argmax(x[0], axis=int(_known(x[1], op))), op.get_attr("output_type").name),
    "Pack": lambda op, x: ops.stack(x, axis=op.get_attr("axis")),
    "SelectV2": lambda op, x: ops.where(x[0], x[1], x[2]),
    "ClipByValue": lambda op, x: ops.clip(x[0], _known(x[1], op), _known(x[2], op)),
    # A shape is only ever an argument of an operator that is resolved from static values.
    "Shape": lambda op, x: np.asarray([-1 if size is None else size for size in op.inputs[0].shape]),
}

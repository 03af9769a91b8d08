"""aten operators: how each is said in ONNX. What is not here is refused by name."""

from __future__ import annotations

from collections.abc import Mapping

from safeconvert.prove.readers.torch import elements, places, recurrent, windows
from safeconvert.prove.readers.torch.call import Rule

_EACH = {
    "relu": ("Relu",), "relu_": ("Relu",), "sigmoid": ("Sigmoid",), "tanh": ("Tanh",), "exp": ("Exp",), "log": ("Log",), "sqrt": ("Sqrt",),
    "rsqrt": ("Sqrt", "Reciprocal"), "abs": ("Abs",), "neg": ("Neg",), "reciprocal": ("Reciprocal",), "erf": ("Erf",), "sin": ("Sin",),
    "cos": ("Cos",), "floor": ("Floor",), "ceil": ("Ceil",), "hardswish": ("HardSwish",), "hardswish_": ("HardSwish",), "mish": ("Mish",),
    "softsign": ("Softsign",), "sign": ("Sign",),
}  # fmt: skip
_IDLE = (
    "dropout",
    "dropout_",
    "feature_dropout",
    "alpha_dropout",
    "contiguous",
    "clone",
    "alias",
    "detach",
    "detach_",
    "lift_fresh_copy",
)

OPERATORS: Mapping[str, Rule] = {
    **{f"aten.{name}.default": elements.each(*operators) for name, operators in _EACH.items()},
    **{f"aten.{name}.default": elements.unchanged for name in _IDLE},
    **{f"aten.conv{rank}d.default": windows.convolution for rank in (1, 2, 3)},
    **{f"aten.conv{rank}d.padding": windows.convolution for rank in (1, 2, 3)},
    **{f"aten.conv_transpose{rank}d.{kind}": windows.convolution for rank, kind in ((1, "default"), (2, "input"), (3, "input"))},
    "aten.convolution.default": windows.convolution,
    **{f"aten.max_pool{rank}d.default": windows.max_pooling for rank in (1, 2, 3)},
    **{f"aten.avg_pool{rank}d.default": windows.average_pooling for rank in (1, 2, 3)},
    **{f"aten.adaptive_avg_pool{rank}d.default": windows.adaptive("AveragePool") for rank in (1, 2, 3)},
    "aten.batch_norm.default": windows.batch_norm,
    "aten._native_batch_norm_legit_no_training.default": windows.batch_norm,
    "aten.layer_norm.default": windows.layer_norm,
    "aten.native_layer_norm.default": windows.layer_norm,
    "aten.upsample_nearest2d.vec": windows.resized(nearest=True),
    "aten.upsample_bilinear2d.vec": windows.resized(nearest=False),
    "aten.linear.default": elements.linear,
    "aten.addmm.default": elements.addmm,
    "aten.matmul.default": elements.matmul,
    "aten.mm.default": elements.matmul,
    "aten.bmm.default": elements.matmul,
    "aten.embedding.default": elements.embedding,
    "aten.scaled_dot_product_attention.default": elements.attention,
    "aten.lstm.input": recurrent.recurrent("LSTM"),
    "aten.gru.input": recurrent.recurrent("GRU"),
    **{f"aten.{name}.Tensor": elements.pair(onnx, floating=False) for name, onnx in
       (("add", "Add"), ("add_", "Add"), ("sub", "Sub"), ("mul", "Mul"), ("mul_", "Mul"))},
    "aten.div.Tensor": elements.pair("Div"),
    "aten.maximum.default": elements.pair("Max"),
    "aten.minimum.default": elements.pair("Min"),
    **{f"aten.{name}.{kind}": elements.compared(onnx) for name, onnx in
       (("lt", "Less"), ("le", "LessOrEqual"), ("gt", "Greater"), ("ge", "GreaterOrEqual"), ("eq", "Equal"))
       for kind in ("Scalar", "Tensor")},
    "aten.where.self": elements.choice,
    "aten.pow.Tensor_Scalar": elements.power,
    "aten.clamp.default": elements.clamped,
    "aten.hardtanh.default": elements.clamped,
    "aten.hardtanh_.default": elements.clamped,
    "aten.relu6.default": elements.clamped,
    "aten.leaky_relu.default": elements.leaky_relu,
    "aten.elu.default": elements.elu,
    "aten.gelu.default": elements.gelu,
    "aten.silu.default": elements.silu,
    "aten.silu_.default": elements.silu,
    "aten.hardsigmoid.default": elements.hard_sigmoid,
    "aten.softplus.default": elements.softplus,
    "aten.softmax.int": elements.softmax("Softmax"),
    "aten._softmax.default": elements.softmax("Softmax"),
    "aten.log_softmax.int": elements.softmax("LogSoftmax"),
    "aten._log_softmax.default": elements.softmax("LogSoftmax"),
    "aten.mean.dim": elements.reduction("ReduceMean"),
    "aten.mean.default": elements.reduction("ReduceMean"),
    "aten.sum.dim_IntList": elements.reduction("ReduceSum"),
    "aten.amax.default": elements.reduction("ReduceMax"),
    "aten.amin.default": elements.reduction("ReduceMin"),
    "aten.to.dtype": elements.cast,
    "aten._to_copy.default": elements.cast,
    "aten.view.default": places.reshaped,
    "aten.reshape.default": places.reshaped,
    "aten._unsafe_view.default": places.reshaped,
    "aten.flatten.using_ints": places.flattened,
    "aten.permute.default": places.permuted,
    "aten.transpose.int": places.swapped,
    "aten.t.default": places.swapped,
    "aten.unsqueeze.default": places.widened,
    "aten.squeeze.dim": places.squeezed,
    "aten.squeeze.dims": places.squeezed,
    "aten.cat.default": places.joined,
    "aten.stack.default": places.stacked,
    "aten.split.Tensor": places.parted,
    "aten.split_with_sizes.default": places.parted,
    "aten.chunk.default": places.parted,
    "aten.slice.Tensor": places.cut,
    "aten.select.int": places.selected,
    "aten.expand.default": places.expanded,
    "aten.pad.default": places.padded,
    "aten.constant_pad_nd.default": places.padded,
    "aten.zeros.default": places.zeros,
    "aten.sym_size.int": places.size_of,
}  # fmt: skip
"""By torch's own names, without their lead."""
SIZES: Mapping[str, Rule] = {
    "_operator.mul": places.of_sizes("Mul"),
    "_operator.add": places.of_sizes("Add"),
    "_operator.sub": places.of_sizes("Sub"),
}
LEAD = "torch.ops."

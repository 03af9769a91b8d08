"""Which axiom speaks for which ONNX operator. Those that are not here are taken as they are (`axioms.opaque`)."""

from __future__ import annotations

from collections.abc import Mapping

from safeconvert.prove.search.forms import activations, arithmetic, axes, layout, linear, products, reductions, windows
from safeconvert.prove.search.step import Axiom

AXIOMS: Mapping[str, tuple[Axiom, ...]] = {
    "Add": (arithmetic.add,),
    "Sub": (arithmetic.subtract,),
    "Mul": (arithmetic.multiply,),
    "Div": (arithmetic.divide,),
    "Neg": (arithmetic.negate,),
    "Pow": (arithmetic.power,),
    "BatchNormalization": (arithmetic.batch_normalization,),
    "Relu": (activations.relu,),
    "Clip": (activations.clip,),
    "Max": (activations.maximum,),
    "Min": (activations.minimum,),
    "HardSigmoid": (activations.hard_sigmoid,),
    "HardSwish": (activations.hard_swish,),
    "Swish": (activations.swish,),
    "Gelu": (activations.gelu,),
    "LeakyRelu": (activations.leaky_relu,),
    "PRelu": (activations.prelu,),
    "Conv": (linear.convolution,),
    "Gemm": (linear.gemm,),
    "MatMul": (linear.matrix_product, products.matrix_product),
    "Transpose": (layout.transpose,),
    "Reshape": (layout.reshape,),
    "Flatten": (layout.reshape,),
    "Squeeze": (layout.reshape,),
    "Unsqueeze": (layout.reshape,),
    "Identity": (layout.identity,),
    "Dropout": (layout.identity,),
    "ReduceSum": (reductions.reduction,),
    "ReduceMean": (reductions.reduction,),
    "ReduceMax": (reductions.reduction,),
    "ReduceMin": (reductions.reduction,),
    "ReduceProd": (reductions.reduction,),
    "GlobalAveragePool": (reductions.global_pool,),
    "GlobalMaxPool": (reductions.global_pool,),
    "AveragePool": (windows.pool,),
    "MaxPool": (windows.pool,),
    "Softmax": (axes.softmax,),
    "LogSoftmax": (axes.softmax,),
    "Concat": (axes.concat,),
    "Slice": (axes.slices,),
    "Split": (axes.split,),
    "Gather": (axes.gather, axes.embedding),
    "Pad": (axes.pad,),
    "Where": (axes.choose,),
}

"""Operators by what they do with integers, as far as `integer_ranges` follows these."""

from __future__ import annotations

import onnx

COPIES = {"Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Flatten", "Slice", "Split", "Expand", "Tile",
          "Concat", "Pad", "Where", "Gather", "GatherElements", "GatherND"}  # fmt: skip
BOUNDED = {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Not", "And", "Or", "Xor", "Sign", "Sigmoid", "Tanh",
           "OneHot", "Softmax", "Sin", "Cos", "IsNaN", "IsInf", "Mod", "Clip"}  # fmt: skip
REAL = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16)
WIDE = (onnx.TensorProto.INT64, onnx.TensorProto.UINT64, *REAL)
COMPARED = {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Clip", "Min", "Max", "Mod"}
SUMS = {"Abs", "Relu", "Min", "Max", "Sum", "Mean", "Floor", "Ceil", "Round", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceMean",
        "Add", "Sub", "Div", "Neg", "MatMul", "Gemm", "CumSum", "LayerNormalization", "Erf", "Softplus", "Log", "Sqrt", "Conv", "ConvTranspose",
        "AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool", "BatchNormalization", "InstanceNormalization", "LeakyRelu", "PRelu", "Elu",
        "Gelu", "HardSigmoid", "HardSwish", "LSTM", "GRU", "RNN", "Resize", "Einsum", "TopK", "BitwiseAnd", "BitwiseOr", "BitwiseXor",
        "BitwiseNot", "BitShift"}  # fmt: skip
PRODUCTS = {"Mul", "Pow", "ReduceProd", "ReduceSumSquare", "ReduceL2", "MatMul", "Gemm", "Exp"}
DATA_INPUTS = {"Reshape": 1, "Expand": 1, "Tile": 1, "Slice": 1, "Split": 1, "Squeeze": 1, "Unsqueeze": 1, "Pad": 1, "ReduceSum": 1,
               "ReduceMax": 1, "ReduceMin": 1, "ReduceMean": 1, "ReduceProd": 1, "CumSum": 1, "BitShift": 1,
               "ConstantOfShape": 0, "Range": 0, "EyeLike": 0}  # fmt: skip
KNOWN = COPIES | BOUNDED | SUMS | PRODUCTS

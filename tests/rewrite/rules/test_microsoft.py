"""ONNX Runtime's own operators, written in ONNX' own by their definition: both forms run in ONNX Runtime, and give the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.onnx_models import random, run
from tests.rewrite.rules.rule import rule

MICROSOFT = "com.microsoft"
Array = np.ndarray[Any, Any]


def made(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int]],
    outputs: Mapping[str, int],
    constants: Mapping[str, Array],
    opset: int = 17,
) -> onnx.ModelProto:
    """A model whose nodes may be ONNX Runtime's; outputs with the number of their axes."""
    graph = helper.make_graph(
        list(nodes), "made",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * rank) for name, rank in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def own(kind: str, inputs: Sequence[str], outputs: Sequence[str] = ("y",), **attributes: Any) -> onnx.NodeProto:
    domain = "" if kind == "SimplifiedLayerNormalization" else MICROSOFT
    return helper.make_node(kind, list(inputs), list(outputs), f"the {kind}", domain=domain, **attributes)


def _conv(activation: str, parameters: Sequence[float] = (), beside: bool = False) -> onnx.ModelProto:
    given = {"activation_params": list(parameters)} if parameters else {}
    names = ["x", "w", "b", *(["z"] if beside else [])]
    node = own("FusedConv", names, activation=activation, pads=[1, 1, 1, 1], **given)
    constants = {"w": random(4, 3, 3, 3, seed=1), "b": random(4, seed=2)}
    return made([node], {"x": [2, 3, 5, 5], **({"z": [2, 4, 5, 5]} if beside else {})}, {"y": 4}, constants)


def _norm(
    kind: str, opset: int = 17, names: str = "x s g b c", outputs: Sequence[str] = ("y",), **attributes: Any
) -> onnx.ModelProto:
    constants = {"g": random(6, seed=1), "b": random(6, seed=2), "c": random(6, seed=3)}
    given = [name if name != "-" else "" for name in names.split()]
    used = {name: value for name, value in constants.items() if name in given}
    inputs = {name: [2, 3, 6] for name in given if name in "xs"}
    return made([own(kind, given, outputs, **attributes)], inputs, {name: 3 for name in outputs if name}, used, opset)


def _quantized(kind: str, operands: int = 1, **attributes: Any) -> onnx.ModelProto:
    scales = {"sx": np.float32(0.05), "zx": np.uint8(120), "sy": np.float32(0.03), "zy": np.uint8(100)}
    stored = ["q", "sx", "zx"]
    names = ["sy", "zy", *stored, *stored] if kind == "QLinearConcat" else [*stored * operands, "sy", "zy"]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "sx", "zx"], ["q"], "in"),
        own(kind, names, ["r"], **attributes),
        helper.make_node("DequantizeLinear", ["r", "sy", "zy"], ["y"], "out"),
    ]
    return made(nodes, {"x": [2, 3, 4, 4]}, {"y": 4}, {name: np.asarray(value) for name, value in scales.items()})


def _attention(mask: bool = False, bias: bool = False, **attributes: Any) -> onnx.ModelProto:
    names = ["x", "w", "b", "mask" if mask else "", "", "near" if bias else ""]
    while not names[-1]:
        names.pop()
    constants: dict[str, Array] = {"w": random(8, 24, seed=1), "b": random(24, seed=2)}
    if mask:
        constants["mask"] = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32)
    if bias:
        constants["near"] = random(1, 2, 5, 5, seed=3)
    return made([own("Attention", names, num_heads=2, **attributes)], {"x": [2, 5, 8]}, {"y": 3}, constants)


def _remembering(**attributes: Any) -> onnx.ModelProto:
    """Attention whose keys and values of the past are an input, and those of past and present an output."""
    node = own("Attention", ["x", "w", "b", "", "past"], ["y", "present"], num_heads=2, **attributes)
    constants: dict[str, Array] = {"w": random(8, 24, seed=1), "b": random(24, seed=2)}
    return made([node], {"x": [2, 5, 8], "past": [2, 2, 2, 3, 4]}, {"y": 3, "present": 5}, constants)


def _integers(kind: str, **attributes: Any) -> onnx.ModelProto:
    """A product of stored matrices; the first is what is fed, stored."""
    constants: dict[str, Array] = {
        "sx": np.float32(0.05), "zx": np.uint8(120), "w": np.arange(-10, 10, dtype=np.int8).reshape(4, 5), "sw": np.float32(0.02),
        "zw": np.int8(3), "b": np.array([5, -400, 3, 200, 0], np.int32), "real": random(5, seed=4), "sy": np.float32(0.03),
        "zy": np.uint8(100), "each": np.linspace(0.01, 0.05, 5, dtype=np.float32), "zeros": np.arange(5, dtype=np.int8),
    }  # fmt: skip
    nodes = [helper.make_node("QuantizeLinear", ["x", "sx", "zx"], ["q"], "in")]
    if kind == "DynamicQuantizeMatMul":
        nodes = [own(kind, ["x", "w", "each", "zeros", "real"], ["y"])]
    elif kind == "MatMulIntegerToFloat":
        nodes += [own(kind, ["q", "w", "sx", "each", "zx", "zeros", "real"], ["y"])]
    elif attributes.pop("real", False):
        nodes += [own(kind, ["q", "sx", "zx", "w", "sw", "zw", "b"], ["y"], **attributes)]
    else:
        nodes += [own(kind, ["q", "sx", "zx", "w", "sw", "zw", "b", "sy", "zy"], ["r"], **attributes),
                  helper.make_node("DequantizeLinear", ["r", "sy", "zy"], ["y"], "out")]  # fmt: skip
    if attributes.get("transB"):
        constants["w"] = np.ascontiguousarray(constants["w"].T)
    read = {name for node in nodes for name in node.input}
    used = {name: np.asarray(value) for name, value in constants.items() if name in read}
    return made(nodes, {"x": [4, 3] if attributes.get("transA") else [3, 4]}, {"y": 2}, used)


def _embedded(segments: bool, whole: bool) -> onnx.ModelProto:
    """Ids of the numbers fed, so that the input is real as everywhere here."""
    nodes = [
        helper.make_node("Abs", ["x"], ["size"]), helper.make_node("Cast", ["size"], ["ids"], to=TensorProto.INT32),
        own("EmbedLayerNormalization", ["ids", "ids" if segments else "", "t", "p", "s" if segments else "", "g", "b"],
            ["y", "", "sum"] if whole else ["y", ""], epsilon=1e-6),
    ]  # fmt: skip
    tables = {
        "t": random(9, 6, seed=1),
        "p": random(7, 6, seed=2),
        "s": random(9, 6, seed=3),
        "g": random(6, seed=4),
        "b": random(6, seed=5),
    }
    used = {name: value for name, value in tables.items() if segments or name != "s"}
    return made(nodes, {"x": [2, 5]}, {"y": 3, **({"sum": 3} if whole else {})}, used)


PRODUCT = {"x": [2, 3, 4], "z": [2, 5, 3]}
CASES: dict[str, tuple[str, onnx.ModelProto]] = {
    **{
        f"conv {activation}": ("microsoft_activations_apart", _conv(activation, parameters))
        for activation, parameters in (
            ("Relu", ()), ("Tanh", ()), ("Sigmoid", ()), ("LeakyRelu", (0.2,)), ("Clip", (-0.3, 0.7)), ("HardSigmoid", (0.3, 0.4)),
        )
    },
    "conv with a sum": ("microsoft_activations_apart", _conv("Relu", beside=True)),
    "gemm": ("microsoft_activations_apart", made(
        [own("FusedGemm", ["x", "w", "b"], activation="LeakyRelu", activation_alpha=0.2, alpha=0.5, beta=2.0, transB=1)],
        {"x": [3, 4]}, {"y": 2}, {"w": random(5, 4), "b": random(5, seed=1)},
    )),
    "gelu": ("microsoft_gelus_plain", made([own("Gelu", ["x"])], {"x": [3, 4]}, {"y": 2}, {})),
    "gelu of a sum": ("microsoft_gelus_plain", made([own("BiasGelu", ["x", "b"])], {"x": [3, 4]}, {"y": 2}, {"b": random(4)})),
    "fast gelu": ("microsoft_gelus_plain", made([own("FastGelu", ["x"])], {"x": [3, 4]}, {"y": 2}, {})),
    "fast gelu of a sum": ("microsoft_gelus_plain", made([own("FastGelu", ["x", "b"])], {"x": [3, 4]}, {"y": 2}, {"b": random(4)})),
    "quick gelu": ("microsoft_gelus_plain", made([own("QuickGelu", ["x"], alpha=1.3)], {"x": [3, 4]}, {"y": 2}, {})),
    "norm with a skip": ("microsoft_norms_plain", _norm("SkipLayerNormalization", epsilon=1e-5)),
    "norm with a skip, later axes": ("microsoft_norms_plain", _norm("SkipLayerNormalization", 18)),
    "norm with a skip and no bias": ("microsoft_norms_plain", _norm("SkipLayerNormalization", names="x s g b")),
    "norm with a skip and its sum": ("microsoft_norms_plain", _norm("SkipLayerNormalization", outputs=("y", "", "", "t"))),
    "norm with a skip, its sum and no bias": (
        "microsoft_norms_plain", _norm("SkipLayerNormalization", names="x s g", outputs=("y", "", "", "t")),
    ),
    "norm without a mean": ("microsoft_norms_plain", _norm("SimplifiedLayerNormalization", names="x g", epsilon=1e-3)),
    "norm without a mean, with a skip": ("microsoft_norms_plain", _norm("SkipSimplifiedLayerNormalization", names="x s g c", epsilon=1e-3)),
    "product": ("microsoft_products_plain", made([own("FusedMatMul", ["x", "z"], transA=1, transB=1, alpha=0.3)], PRODUCT, {"y": 3}, {})),
    "product of one transposed": (
        "microsoft_products_plain", made([own("FusedMatMul", ["x", "w"], transB=1)], {"x": [2, 3, 4]}, {"y": 3}, {"w": random(5, 4)}),
    ),
    "attention": ("microsoft_attention_plain", _attention()),
    "attention under a mask": ("microsoft_attention_plain", _attention(mask=True)),
    "attention with a bias": ("microsoft_attention_plain", _attention(bias=True, scale=0.3)),
    "attention to the past": ("microsoft_attention_plain", _attention(unidirectional=1)),
    "attention of values of another width": (
        "microsoft_attention_plain",
        made([own("Attention", ["x", "w", "b"], num_heads=2, qkv_hidden_sizes=[8, 8, 4])], {"x": [2, 5, 8]}, {"y": 3},
             {"w": random(8, 20, seed=1), "b": random(20, seed=2)}),
    ),
    "attention of three": (
        "microsoft_attention_plain",
        made([own("MultiHeadAttention", ["x", "z", "z", "b"], num_heads=2)], {"x": [2, 5, 8], "z": [2, 3, 8]}, {"y": 3}, {"b": random(24)}),
    ),
    "attention with a past": ("microsoft_attention_plain", _remembering()),
    "attention with a past, to the past": ("microsoft_attention_plain", _remembering(unidirectional=1)),
    "attention of three with a past": (
        "microsoft_attention_plain",
        made([own("MultiHeadAttention", ["x", "z", "v", "", "", "", "k", "w"], ["y", "present", "values"], num_heads=2)],
             {"x": [2, 5, 8], "z": [2, 5, 8], "v": [2, 5, 8], "k": [2, 2, 3, 4], "w": [2, 2, 3, 4]},
             {"y": 3, "present": 4, "values": 4}, {}),
    ),
    "attention of three that hands on its keys": (
        "microsoft_attention_plain",
        made([own("MultiHeadAttention", ["x", "z", "z"], ["y", "present", "values"], num_heads=2)], {"x": [2, 5, 8], "z": [2, 3, 8]},
             {"y": 3, "present": 4, "values": 4}, {}),
    ),
    "integers quantised on the way": ("microsoft_integer_products_plain", _integers("DynamicQuantizeMatMul")),
    "integers to a float": ("microsoft_integer_products_plain", _integers("MatMulIntegerToFloat")),
    "integers to integers": ("microsoft_integer_products_plain", _integers("QGemm")),
    "integers, transposed and scaled": (
        "microsoft_integer_products_plain", _integers("QGemm", real=True, alpha=0.5, transA=1, transB=1),
    ),
    "embeddings": ("microsoft_embeddings_plain", _embedded(False, False)),
    "embeddings with segments and their sum": ("microsoft_embeddings_plain", _embedded(True, True)),
    "stored sum": ("microsoft_quantized_plain", _quantized("QLinearAdd", 2)),
    "stored product": ("microsoft_quantized_plain", _quantized("QLinearMul", 2)),
    "stored sigmoid": ("microsoft_quantized_plain", _quantized("QLinearSigmoid")),
    "stored leaky relu": ("microsoft_quantized_plain", _quantized("QLinearLeakyRelu", alpha=0.2)),
    "stored mean": ("microsoft_quantized_plain", _quantized("QLinearGlobalAveragePool")),
    "stored pool": ("microsoft_quantized_plain", _quantized("QLinearAveragePool", kernel_shape=[2, 2])),
    "stored softmax": ("microsoft_quantized_plain", _quantized("QLinearSoftmax", axis=1, opset=13)),
    "stored parts": ("microsoft_quantized_plain", _quantized("QLinearConcat", axis=1)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_function_is_kept_in_onnx_own_operators(name: str) -> None:
    which, before = CASES[name]
    sizes = {one.name: [dim.dim_value for dim in one.type.tensor_type.shape.dim] for one in before.graph.input}
    feeds = {key: random(*shape, seed=number) for number, (key, shape) in enumerate(sizes.items())}
    after = rule(which)(onnx.ModelProto.FromString(before.SerializeToString()))
    assert not [node.op_type for node in after.graph.node if node.domain or node.op_type.startswith("Simplified")]
    assert [entry.domain for entry in after.opset_import] == [""]
    onnx.checker.check_model(after)
    for one, two in zip(run(before, feeds), run(after, feeds), strict=True):
        stored = which == "microsoft_quantized_plain" or name == "integers to integers"
        step = 0.031 if stored else 0.0  # one unit in the last place of what is stored
        np.testing.assert_allclose(two, one, rtol=1e-5, atol=1e-5 + step)


@pytest.mark.parametrize(
    ("which", "node"),
    [
        ("microsoft_activations_apart", own("FusedConv", ["x", "w"], activation="Softplus")),
        ("microsoft_norms_plain", own("SkipLayerNormalization", ["x", "x", "w"], ["y", "mean"])),
        ("microsoft_products_plain", own("FusedMatMul", ["x", "w"], transBatchA=1)),
        ("microsoft_quantized_plain", own("QLinearGlobalAveragePool", ["x", "w", "w", "w", "w"], channels_last=1)),
    ],
)
def test_what_a_rule_does_not_hold_for_stays(which: str, node: onnx.NodeProto) -> None:
    before = made([node], {"x": [2, 3, 4]}, {"y": 3}, {"w": random(3)})
    assert [one.domain for one in rule(which)(before).graph.node] == [MICROSOFT]

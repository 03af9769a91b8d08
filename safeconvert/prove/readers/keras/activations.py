"""Activations by the names that Keras gives them."""

from __future__ import annotations

from typing import Any

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.keras.layer import Layer, Tensor
from safeconvert.prove.readers.writer import Writer

_PLAIN = {
    "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "elu": "Elu", "selu": "Selu", "softplus": "Softplus",
    "softsign": "Softsign", "exponential": "Exp", "mish": "Mish",
}  # fmt: skip


def activated(write: Writer, name: Any, tensor: str) -> str:
    """A tensor behind an activation. Raises Refused for one that is not known."""
    if name is None or name == "linear":
        return tensor
    if not isinstance(name, str):
        raise Refused(f"the activation {name.get('class_name', '') if isinstance(name, dict) else name}")
    if name in _PLAIN:
        return write(_PLAIN[name], tensor)
    match name:
        case "relu6":
            return write("Clip", tensor, write.number(0.0), write.number(6.0))
        case "softmax":
            return write("Softmax", tensor, axis=-1)
        case "log_softmax":
            return write("LogSoftmax", tensor, axis=-1)
        case "gelu":
            return write("Gelu", tensor)
        case "silu" | "swish":
            return write("Mul", tensor, write("Sigmoid", tensor))
        case "hard_sigmoid":
            return _hard_sigmoid(write, tensor)
        case "hard_silu" | "hard_swish":
            return write("Mul", tensor, _hard_sigmoid(write, tensor))
        case "leaky_relu":
            return write("LeakyRelu", tensor, alpha=0.2)
    raise Refused(f"the activation {name}")


def _hard_sigmoid(write: Writer, tensor: str) -> str:
    """Keras 3's: relu6(x + 3) / 6."""
    raised = write("Add", tensor, write.number(3.0))
    return write("Div", write("Clip", raised, write.number(0.0), write.number(6.0)), write.number(6.0))


def activation(n: Layer) -> Tensor:
    """Activation."""
    return Tensor(activated(n.write, n.config["activation"], n.x.name), n.x.rank)


def relu(n: Layer) -> Tensor:
    """ReLU: with a slope below zero, or an upper bound."""
    n.only(threshold=0.0)
    slope, bound = float(n.config.get("negative_slope", 0.0) or 0.0), n.config.get("max_value")
    if slope and bound is not None:
        raise Refused("ReLU: with a slope and a bound")
    if slope:
        return Tensor(n.write("LeakyRelu", n.x.name, alpha=slope), n.x.rank)
    if bound is None:
        return Tensor(n.write("Relu", n.x.name), n.x.rank)
    ends = (n.write.number(0.0), n.write.number(float(bound)))
    return Tensor(n.write("Clip", n.x.name, *ends), n.x.rank)  # runtimes fuse it, and no Min behind a Relu


def leaky_relu(n: Layer) -> Tensor:
    """LeakyReLU; Keras 2 calls its slope alpha."""
    slope = n.config["negative_slope"] if "negative_slope" in n.config else n.config["alpha"]
    return Tensor(n.write("LeakyRelu", n.x.name, alpha=float(slope)), n.x.rank)


def elu(n: Layer) -> Tensor:
    """ELU."""
    return Tensor(n.write("Elu", n.x.name, alpha=float(n.config.get("alpha", 1.0))), n.x.rank)


def prelu(n: Layer) -> Tensor:
    """PReLU: a slope by place, but along shared axes."""
    return Tensor(n.write("PRelu", n.x.name, n.weight(0)), n.x.rank)


def softmax(n: Layer) -> Tensor:
    """Softmax along one axis."""
    axis = n.config.get("axis", -1)
    if type(axis) is not int:
        raise Refused("Softmax: along several axes")
    return Tensor(n.write("Softmax", n.x.name, axis=axis), n.x.rank)

"""An operator taken as it is: equal attributes, equal constants and equal operands in equal orders of axes give equal results.

True of every operator that is a function, whatever it computes; not of those that draw random numbers, and not shown for those that hold graphs.
"""

from __future__ import annotations

import json

import numpy as np

from safeconvert.prove.search.forms.arithmetic import elementwise
from safeconvert.prove.search.step import Step
from safeconvert.prove.search.terms import Array
from safeconvert.prove.search.values import Value, canonical

_RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
_ELEMENTWISE = {
    "Sigmoid", "Tanh", "Erf", "Exp", "Log", "Sqrt", "Abs", "Floor", "Ceil", "Round", "Sign", "Sin", "Cos", "Tan", "Asin", "Acos",
    "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Softplus", "Softsign", "Elu", "Selu", "Celu", "ThresholdedRelu", "Mish",
    "Not", "IsNaN", "IsInf", "Cast", "Reciprocal", "BitwiseNot", "Shrink",
}  # fmt: skip
"""ONNX operators of one input that work on each element by itself, so that any order of axes commutes with them."""


def opaque(step: Step) -> list[Value] | None:
    """The node as it is; None where nothing can be known of it."""
    node = step.node
    if node.op_type in _RANDOM or any(a.type in (5, 10) for a in node.attribute):  # 5, 10: GRAPH, GRAPHS
        return None
    operands: list[int] = []
    constants: list[Array] = []
    form: list[tuple[object, ...]] = []
    for name, operand in zip(node.input, step.operands, strict=True):
        if not name:
            form.append(("left out",))
        elif operand is None:
            return None
        elif isinstance(operand, Value):
            form.append(("value", operand.groups, operand.shape))
            operands.append(operand.term.number)
        else:
            form.append(("constant", operand.dtype.str, operand.shape))
            constants.append(_plain(operand))
    named = {"to": step.attributes["to"]} if node.op_type == "Cast" else dict(step.attributes)
    settings = json.dumps(named, sort_keys=True, default=str)
    version = step.opset if node.op_type not in _ELEMENTWISE else 0
    first = step.value(0)
    made = []
    for number, (name, shape) in enumerate(zip(node.output, step.shapes, strict=True)):
        if not name:
            continue
        if node.op_type in _ELEMENTWISE and first is not None and len(step.operands) == 1:
            operator = {"Reciprocal": "reciprocal", "Sqrt": "sqrt"}.get(node.op_type, node.op_type)
            made.append(elementwise(step.store, operator, first, (settings,) if named else ()))
            continue
        if shape is None:
            return None
        kept, groups = canonical(shape)
        setting = (node.domain, number, settings, tuple(form), version)
        made.append(Value(step.store.term(node.op_type, kept, operands, setting, constants), groups))
    return made if len(made) == len([name for name in node.output if name]) else None


def _plain(array: Array) -> Array:
    return np.ascontiguousarray(array)

"""An operator taken as it is, whatever it computes."""

from __future__ import annotations

import numpy as np

from safeconvert.prove.axioms.affine import unary
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Value, canonical
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Constant, Refused

_FUNCTION = "it draws no random numbers"
RANDOM = {
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
    "Multinomial",
    "Bernoulli",
    "Dropout",
}
_EACH = {
    "Sigmoid", "Tanh", "Erf", "Exp", "Log", "Sqrt", "Abs", "Floor", "Ceil", "Round", "Sign", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan",
    "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Softplus", "Softsign", "Elu", "Selu", "Celu", "ThresholdedRelu", "Mish", "Not", "IsNaN",
    "IsInf", "Cast", "Reciprocal",
}  # fmt: skip
"""ONNX operators that work on each element by itself."""
_PLAIN = {"Sigmoid", "Erf", "Sqrt", "Reciprocal", "Tanh", "Softplus", "Exp", "Log"}
"""Of these, those without attributes that others are spelled out in; the same in every version."""


def same(n: Node) -> list[Value]:
    """The node as it is. Raises Refused where nothing can be known of it."""
    domain, name, version = n.operator
    training = n.attributes.get("training_mode", 0) or (version < 7 and not n.attributes.get("is_test", 1))
    AXIOM.require(n.store, _FUNCTION, name not in RANDOM and not training)
    if not all(isinstance(v, int | float | str | tuple) for v in n.attributes.values()):
        raise Refused(f"{name}: holds a graph")
    settings = tuple(sorted(n.attributes.items()))
    if not domain and name in _EACH and len(n.operands) == 1:
        AXIOM.use(n.store)
        return [unary(n.store, name, n.value(), () if name in _PLAIN else (version, settings))]
    values = [operand for operand in n.operands if isinstance(operand, Value)]
    constants = [Constant(operand) for operand in n.operands if isinstance(operand, np.ndarray)]
    AXIOM.use(n.store)
    form = tuple(
        None if operand is None else (operand.groups, operand.shape) if isinstance(operand, Value) else "constant"
        for operand in n.operands
    )
    made = []
    for index, shape in enumerate(n.shapes):
        if shape is not None:
            kept, groups = canonical(shape)
            setting = (n.operator, index, settings, form)
            made.append(Value(n.store.term("same", kept, [v.term for v in values], setting, constants), groups))
    return made


AXIOM = Axiom(
    "the same operator",
    "Equal operators with equal attributes, equal constants and equal operands in equal orders of axes give equal results; one that works on each "
    "element by itself does so in any order of axes.",
    (_FUNCTION,),
)

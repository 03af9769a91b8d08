"""Element-wise functions of torch by their names in the operator modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F

_TRUTHS: dict[str, Callable[..., Any]] = {
    "eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge, "isnan": torch.isnan,
    "isinf": torch.isinf, "not": torch.logical_not, "and": torch.logical_and, "or": torch.logical_or,
    "xor": torch.logical_xor,
}  # fmt: skip
MAPS: Mapping[str, Callable[..., Any]] = {
    **_TRUTHS,
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow, "mod": torch.remainder,
    "fmod": torch.fmod, "max": torch.maximum, "min": torch.minimum, "sqrt": torch.sqrt, "exp": torch.exp,
    "log": torch.log, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan,
    "asin": torch.asin, "acos": torch.acos, "atan": torch.atan, "sinh": torch.sinh, "cosh": torch.cosh, "tanh": torch.tanh,
    "asinh": torch.asinh, "acosh": torch.acosh, "atanh": torch.atanh, "erf": torch.erf, "floor": torch.floor,
    "ceil": torch.ceil, "round": torch.round, "sigmoid": torch.sigmoid, "abs": torch.abs, "neg": torch.neg,
    "sign": torch.sign, "relu": F.relu, "relu6": F.relu6, "where": torch.where, "bitwise_and": torch.bitwise_and,
    "bitwise_or": torch.bitwise_or, "bitwise_xor": torch.bitwise_xor, "bitwise_not": torch.bitwise_not,
    "shift_left": torch.bitwise_left_shift, "shift_right": torch.bitwise_right_shift,
    # F.softplus takes x itself from a threshold on
    "softplus": lambda x: torch.clamp(x, min=0) + torch.log1p(torch.exp(-torch.abs(x))),
    "quotient": lambda x, y: torch.div(x, y, rounding_mode="trunc"),
}  # fmt: skip

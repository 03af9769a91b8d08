"""Symbolic sizes and guards of an ExportedProgram, read as arithmetic and nothing else.

torch gives the first to `sympy.sympify` and the second to `exec`, both of which run any Python that stands there. What is read here is
written again from its syntax tree, so that torch evaluates what was checked and not what the file said.
"""

from __future__ import annotations

import ast
import re

from .words import words

_SYMBOL = re.compile(r"(s|u|zf|zuf|ps|tmp)\d{1,6}")
_LONGEST = 100_000
_DEEPEST = 100
_LARGEST_EXPONENT = 64
_FUNCTIONS = words(
    "Abs Add And CeilDiv CeilToInt CleanDiv Eq Equality Float FloatPow FloatTrueDiv FloorDiv FloorToInt Ge GreaterThan Gt Identity "
    "IntTrueDiv Integer IsNonOverlappingAndDenseIndicator LShift Le LessThan Lt Max Min Mod ModularIndexing Mul Ne Not Or Pow "
    "PowByNatural PythonMod RShift Rational RoundDecimal RoundToInt StrictGreaterThan StrictLessThan Symbol ToFloat TruncToFloat "
    "TruncToInt Unequality Where ceiling floor sqrt"
)
_ASSUMPTIONS = words(
    "commutative even extended_real finite integer negative nonnegative nonpositive nonzero odd positive precision real zero"
)
_CONSTANTS = frozenset({"true", "false", "oo", "int_oo"})
_GUARD_FUNCTIONS = (_FUNCTIONS - {"Float", "Symbol"}) | {"abs", "float", "int", "max", "min", "round"}
_MATH = frozenset({"ceil", "floor", "isnan", "sqrt", "trunc", "inf"})
_TENSOR_METHODS = frozenset({"size", "stride", "storage_offset", "dim", "ndimension", "item"})
_KEY = re.compile(r"[\w.\-/: ]{0,200}")
_NUMBERS = frozenset({"Float", "Integer", "Rational"})
_POWERS = frozenset({"FloatPow", "Pow", "PowByNatural", "LShift"})
_OPERATORS = (
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.LShift, ast.RShift, ast.BitAnd, ast.BitOr, ast.USub,
    ast.UAdd, ast.Not, ast.Invert, ast.And, ast.Or, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot,
)  # fmt: skip


def symbolic_size(text: str) -> str:
    """A symbolic size (`Mul(Integer(2), Symbol('s0'))`, or `2*s0` as older files say it), written again.

    Raises:
        ValueError: it is not arithmetic on numbers and symbols; the message says what stands there instead.
    """
    return _again(text, in_guard=False)


def guard(text: str) -> str:
    """A condition on the inputs (`L['x'].size()[1] >= 3`), written again.

    Raises:
        ValueError: it is not a comparison of sizes and numbers.
    """
    return _again(text, in_guard=True)


def is_symbol(name: str) -> bool:
    """Whether a name is one that torch gives to a symbolic size: `s0`, `u12`, `zf3`."""
    return _SYMBOL.fullmatch(name) is not None


def _again(text: str, in_guard: bool) -> str:
    if len(text) > _LONGEST or not text.isascii() or not text.isprintable():
        raise ValueError(f"{text[:60]!r} is too long, or not plain text")
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text[:60]!r} is no expression") from error
    _check(tree.body, in_guard, 0)
    return ast.unparse(tree)


def _check(node: ast.AST, in_guard: bool, depth: int) -> None:
    """Raise ValueError for anything but arithmetic."""
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    match node:
        case ast.Constant(value=bool() | int() | float() as number) if abs(number) < 2**64 or isinstance(number, float):
            return
        case ast.Name(id=name) if is_symbol(name) or name in _CONSTANTS or (in_guard and name in {"inf", "L"}):
            return
        case ast.BinOp(left=left, op=operator, right=right) if isinstance(operator, _OPERATORS):
            _require_small_power(operator, left, right)
            parts: list[ast.AST] = [left, right]
        case ast.UnaryOp(op=operator, operand=operand) if isinstance(operator, _OPERATORS):
            parts = [operand]
        case ast.BoolOp(values=values):
            parts = list(values)
        case ast.Compare(left=left, ops=operators, comparators=others) if all(
            isinstance(o, _OPERATORS) for o in operators
        ):
            parts = [left, *others]
        case ast.Call(func=ast.Name(id="Symbol"), args=[ast.Constant(value=str() as name)], keywords=words) if (
            is_symbol(name)
        ):
            parts = _assumed(words)
        case ast.Call(func=ast.Name(id="Float"), args=[ast.Constant(value=str() as number)], keywords=words):
            float(number)
            parts = _assumed(words)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=words) if name in (
            _GUARD_FUNCTIONS if in_guard else _FUNCTIONS - {"Symbol", "Float"}
        ):
            if name in _POWERS and len(arguments) == 2:
                _require_small_power(ast.Pow(), *arguments)
            parts = [*arguments, *_assumed(words)]
        case _ if in_guard:
            parts = _of_a_guard(node)
        case _:
            raise ValueError(f"{ast.unparse(node)[:80]!r} is not arithmetic")
    for part in parts:
        _check(part, in_guard, depth + 1)


def _of_a_guard(node: ast.AST) -> list[ast.AST]:
    """What is checked further of an input's name, size, or a function of `math`."""
    match node:
        case ast.Subscript(value=value, slice=ast.Constant(value=str() as key)) if _KEY.fullmatch(key):
            return [value]
        case ast.Subscript(value=value, slice=ast.Constant(value=int())):
            return [value]
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=arguments, keywords=[]) if (
            name in _TENSOR_METHODS
        ):
            return [value, *arguments]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="math"), attr=name), args=arguments, keywords=[]) if (
            name in _MATH
        ):
            return list(arguments)
        case ast.Attribute(value=ast.Name(id="math"), attr=name) if name in _MATH:
            return []
        case ast.Constant(value=str() as text) if _KEY.fullmatch(text):
            return []
        case ast.Constant(value=None):
            return []
    raise ValueError(f"{ast.unparse(node)[:80]!r} is no comparison of sizes")


def _assumed(words: list[ast.keyword]) -> list[ast.AST]:
    """The values of a symbol's assumptions (`positive=True`)."""
    for word in words:
        if (
            word.arg not in _ASSUMPTIONS
            or not isinstance(word.value, ast.Constant)
            or isinstance(word.value.value, str)
        ):
            raise ValueError(f"{ast.unparse(word)!r} is no assumption about a symbol")
    return [word.value for word in words]


def _require_small_power(operator: ast.AST, base: ast.AST, exponent: ast.AST) -> None:
    """Refuse what would be computed for years: a power of a power, or one with a large or an unknown exponent."""
    if not isinstance(operator, ast.Pow | ast.LShift):
        return
    written = [inner for inner in ast.walk(exponent) if isinstance(inner, ast.Constant)]
    plain = isinstance(exponent, ast.Constant | ast.UnaryOp) or (
        isinstance(exponent, ast.Call) and getattr(exponent.func, "id", "") in _NUMBERS
    )
    small = all(
        isinstance(one.value, int | float | str) and abs(float(one.value)) <= _LARGEST_EXPONENT for one in written
    )
    if not (plain and small and 0 < len(written) <= 2) or any(_is_power(inner) for inner in ast.walk(base)):
        raise ValueError("a power too large to be a size")


def _is_power(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in _POWERS
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow | ast.LShift)

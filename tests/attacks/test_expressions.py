"""Sizes and guards are arithmetic; what torch would evaluate or execute otherwise is refused. No framework is imported."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters._shared.untrusted.expressions import guard, is_symbol, symbolic_size
from adapters._shared.untrusted.treespec import check_treespec

SIZE = "Symbol('s0', positive=True, integer=True)"


@pytest.mark.parametrize(
    "text",
    [
        "s0", "2*s0 + 1", "s77 // 2", "Max(1, s0 - 4)", "u0 % 3", "s0**2", "(s0 >= 2) & (s1 < 3)",
        SIZE, f"Mul(Integer(2), {SIZE})", f"Max(Integer(1), Add({SIZE}, Integer(-2)))", f"FloorDiv({SIZE}, Integer(2))",
        f"Pow({SIZE}, Integer(2))", f"Pow({SIZE}, Rational(1, 2))", "Float('0.5', precision=53)", "oo", "ceiling(s0/2)",
    ],
)  # fmt: skip
def test_sizes_are_read(text: str) -> None:
    assert symbolic_size(symbolic_size(text)) == symbolic_size(text)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('x')", "().__class__", "open('x')", "eval('1')", "s0.func", "[s0]", "lambda: s0", "'text'", "f'{s0}'",
        "(x := 1)", "s0 if s0 else 1", "[s for s in ()]", "Symbol(__import__('os').system('x'))", "Symbol('x; import os')",
        "Symbol('s0', positive=open('x'))", "Float('1', dps=15)", "sympify('1')", "S('x')", "N", "E", "beta", "s0\n",
        "９**９", "2**99999999", "(2**64)**64", "2**s0", "Pow(Integer(2), Integer(99999999))", "LShift(1, 99999)", "2**-s0",
        "Pow(Pow(Integer(9), Integer(64)), Integer(64))", "1" + "+1" * 200, "(" * 400 + "1" + ")" * 400, "s" * 200_000, "", "1 +",
        "*s0", "Max(*s0)", "Add(**s0)", "s0[0]", "L['x'].size()[0]",
    ],
)  # fmt: skip
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(ValueError):
        symbolic_size(text)


@given(st.text(alphabet="s0u1 +-*/%(),.'_[]{}:=<>&|~\"AMaxddSymbol", max_size=30))
def test_whatever_passes_reads_the_same_again(text: str) -> None:
    try:
        read = symbolic_size(text)
    except ValueError:
        return
    assert symbolic_size(read) == read and "__" not in read and "[" not in read


@pytest.mark.parametrize(
    "text",
    [
        "L['x'].size()[1] >= 3", "((-2) + L['x'].size()[3]) != 1", "L['d']['k'][0].size()[0] <= 8", "math.isnan(L['x'])",
        "not (4 % (8*L['x'].size()[0]) == 0)", "L['flag'] == 'abc'", "max(1, L['x'].size()[0]) != 1", "L['args'][0] is None",
        "L['x'].storage_offset() == 0 and L['x'].stride()[0] == 1",
    ],
)  # fmt: skip
def test_guards_are_read(text: str) -> None:
    assert guard(guard(text)) == guard(text)


@pytest.mark.parametrize(
    "text",
    [
        "torch.load('x')", "L['x'].numpy()", "L.__class__", "L['x'].size.__self__", "math.__loader__", "__import__('os')",
        "L['x'].size()[0] == 1, open('x')", "L[\"it's\"] == 1", "L['a\\'] == 1", "SYMPY_INTERP", "L['x'].size(key=1)", "exec('1')",
        "L[open('x')]", "(lambda: 0)()", "L['x'].size()[0] == 1\nimport os",
    ],
)  # fmt: skip
def test_anything_else_is_no_guard(text: str) -> None:
    with pytest.raises(ValueError):
        guard(text)


def test_symbols_are_those_of_torch() -> None:
    assert is_symbol("s0") and is_symbol("u12") and is_symbol("zf3")
    assert not is_symbol("hn1") and not is_symbol("atan2") and not is_symbol("s") and not is_symbol("s0 ")


def nested(kind: str | None, context: object, *children: object) -> dict[str, object]:
    return {"type": kind, "context": context, "children_spec": list(children)}


LEAF = nested(None, None)


def test_containers_of_python_are_read() -> None:
    spec = nested(
        "builtins.tuple", "null",
        nested("builtins.tuple", "null", LEAF, nested("builtins.dict", '["k", 2]', LEAF, LEAF)),
        nested("builtins.dict", '["mode"]', LEAF),
    )  # fmt: skip
    check_treespec(json.dumps([1, spec]))


@pytest.mark.parametrize(
    "spec",
    [
        nested("builtins.tuple", "null", nested("builtins.tuple", "null"), nested("builtins.dict", '["a=1, b"]', LEAF)),
        nested("builtins.dict", '["it\'s"]', LEAF),
        nested("builtins.dict", '[{"__enum__": true, "fqn": "os:system", "name": "x"}]', LEAF),
        nested("somebody.Class", "null"),
        nested(
            "collections.defaultdict",
            {"default_factory_module": "os", "default_factory_name": "system", "dict_context": []},
        ),
        {"type": "builtins.list"},
        [],
    ],
)
def test_other_containers_are_refused(spec: object) -> None:
    with pytest.raises(ValueError):
        check_treespec(json.dumps([1, spec]))

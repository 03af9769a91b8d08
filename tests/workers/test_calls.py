"""What the host calls in a worker is there, under the arguments' own names: a slip would look like a worker that failed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import ROOT

ENGINE = ROOT / "safeconvert" / "repair" / "engine"
ONNX = ROOT / "adapters" / "onnx"


def calls() -> Iterator[tuple[str, Path, str, frozenset[str]]]:
    """Where, the folder of the functions, the function, and the names of its arguments, of every call that spells them out."""
    for path in sorted((ROOT / "safeconvert").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            text = ast.unparse(node.args[0]) if node.args else ""
            engine = node.func.id == "call_engine"
            onnx = node.func.id == "CallFunction" and "framework('onnx'" in text
            if not (engine or onnx):
                continue
            name, arguments = node.args[1], node.args[3 if engine else 2]
            if isinstance(name, ast.Constant) and isinstance(arguments, ast.Dict) and all(arguments.keys):
                keys = frozenset(str(key.value) for key in arguments.keys if isinstance(key, ast.Constant))
                where = f"{path.relative_to(ROOT)}:{node.lineno}"
                yield where, ENGINE if engine else ONNX, str(name.value), keys


def parameters(folder: Path, name: str) -> tuple[frozenset[str], frozenset[str]]:
    """All parameters of a function of an adapter, and those without a default."""
    for path in sorted(folder.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                names = [one.arg for one in node.args.args]
                needed = names[: len(names) - len(node.args.defaults)]
                return frozenset(names), frozenset(needed)
    raise LookupError(f"no function {name} in {folder}")


CALLS = sorted(calls())


def test_calls_are_found() -> None:
    assert {"expose_logits", "reach", "solve"} <= {name for _, _, name, _ in CALLS}


@pytest.mark.parametrize(("where", "folder", "name", "keys"), CALLS, ids=[f"{one[0]} {one[2]}" for one in CALLS])
def test_a_call_names_the_arguments_as_the_function_does(
    where: str, folder: Path, name: str, keys: frozenset[str]
) -> None:
    known, needed = parameters(folder, name)
    assert needed <= keys <= known, where

"""Functions are as short as the project promises; how many parameters they take, ruff sees (PLR0913)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import ROOT

MOST_LINES = 60
EXEMPT = ("api.py", "cli", "compat")  # one parameter a flag, and the signatures of what is replaced


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """(name and place, lines) of every function of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path}:{node.lineno} {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("package", ["safeconvert", "adapters"])
def test_no_function_is_longer_than_a_screen(package: str) -> None:
    files = [path for path in sorted((ROOT / package).rglob("*.py")) if path.relative_to(ROOT).parts[1] not in EXEMPT]
    found = [function for path in files for function in functions(path)]
    assert len(found) > 300
    assert [name for name, lines in found if lines > MOST_LINES] == []


def test_a_function_that_is_too_long_is_found(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text("def long():\n" + "    pass\n" * MOST_LINES)
    ((name, lines),) = functions(tmp_path / "long.py")
    assert name.endswith("long.py:1 long") and lines == MOST_LINES + 1

"""State dicts that are large stay in their file: mapped where the module can have them as they lie there, else copied into it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.program import DYNAMO, run_program

pytestmark = pytest.mark.converters


def test_weights_are_mapped_and_written_beside(tmp_path: Path) -> None:
    printed = run_program(Path(__file__).parent / "programs" / "large_torch.py", tmp_path, modules=DYNAMO)
    found = json.loads(printed.splitlines()[-1])
    assert found["small"] == {"mapped": 0, "equal": True}
    assert found["plain"] == {"mapped": 7, "equal": True}
    for kind in ("tied", "half", "legacy"):  # two names of one tensor, another type, a file that is no archive
        assert found[kind] == {"mapped": 0, "equal": True}, kind
    assert found["exported"]["files"] == ["m.onnx", "m.onnx.data"]
    assert found["exported"]["open"] == ["n", 6] and found["exported"]["equal"]

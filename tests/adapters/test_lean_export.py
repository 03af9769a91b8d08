"""tf2onnx optimizes in place, and with its copies where an optimizer fails; weights are written once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from safeconvert.registry.manifest import adapters
from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters


def test_the_graph_is_copied_only_where_an_optimizer_fails(tmp_path: Path) -> None:
    (folder,) = (adapter.folder for adapter in adapters() if adapter.name == "tf2onnx")
    printed = run_program(Path(__file__).parent / "programs" / "lean_export.py", tmp_path, folder, modules=KERAS)
    (copies, nodes, written), (more, others, _), written_raw, same = json.loads(printed.splitlines()[-1])
    assert copies == 0 and nodes > 3
    assert more > 0 and others >= nodes
    assert same and 0 < written < written_raw / 4

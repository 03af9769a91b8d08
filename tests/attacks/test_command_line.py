"""A person who converts an attack is told what it holds, where, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import safeconvert
from tests.scenarios.damaged.test_models import refused

pytestmark = pytest.mark.converters


def test_an_attack_is_refused_before_anything_else(made: Callable[[str], Path], tmp_path: Path) -> None:
    model = made("torchscript") / "file_read" / "in" / "model.pt"
    called = safeconvert("torch2onnx", model, "-o", tmp_path / "out.onnx", XDG_STATE_HOME=str(tmp_path / "state"))
    refused(called, str(model), "code/__torch__.py", "torch.from_file")
    assert "--trust-pickle" in called.err and not (tmp_path / "out.onnx").exists()

"""A person who converts an attack is told what it holds, where, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import Called, safeconvert
from tests.scenarios.damaged.test_models import refused

pytestmark = pytest.mark.converters


def converted(command: str, model: Path, folder: Path) -> Called:
    target = folder / ("out.onnx" if command.endswith("onnx") else "out.pt2")
    called = safeconvert(command, model, "-o", target, "--samples", "8", XDG_STATE_HOME=str(folder / "state"))
    assert not target.exists()
    return called


@pytest.mark.parametrize("name", ["linked", "linked_folder", "open_descriptor"])
def test_a_link_is_refused_and_not_copied_as_if_it_were_the_models_own_data(
    name: str, made: Callable[[str], Path], tmp_path: Path
) -> None:
    model = made("onnx_files") / name / "in" / "model.onnx"
    refused(converted("onnx2torch", model, tmp_path), str(model), "outside the model's folder")


def test_an_attack_is_refused_before_anything_else(made: Callable[[str], Path], tmp_path: Path) -> None:
    model = made("torchscript") / "file_read" / "in" / "model.pt"
    called = safeconvert("torch2onnx", model, "-o", tmp_path / "out.onnx", XDG_STATE_HOME=str(tmp_path / "state"))
    refused(called, str(model), "code/__torch__.py", "torch.from_file")
    assert "--trust-pickle" in called.err and not (tmp_path / "out.onnx").exists()

"""Where a repair of an existing target goes: never over what it is compared with, or over itself."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from tests.command import safeconvert
from tests.onnx_models import model


@pytest.mark.parametrize("name", ["source.onnx", "target.onnx", "link.onnx"])
def test_the_output_is_neither_the_source_nor_the_target(name: str, tmp_path: Path) -> None:
    for path in ("source.onnx", "target.onnx"):
        onnx.save(model([onnx.helper.make_node("Relu", ["x"], ["y"])], {"x": ["n", 4]}, ["y"]), tmp_path / path)
    (tmp_path / "link.onnx").symlink_to("source.onnx")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    called = safeconvert("repair", tmp_path / "source.onnx", tmp_path / "target.onnx", "-o", tmp_path / name)
    assert called.code == 2 and "the output is the source itself" in called.err
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if not path.name.startswith(".")} == before

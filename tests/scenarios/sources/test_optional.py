"""Converters in environments of their own, through the command line; skipped where they are not installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from safeconvert.config.settings import load_settings
from safeconvert.registry.environments import environment
from safeconvert.registry.manifest import adapters, find
from tests.command import safeconvert

pytestmark = pytest.mark.converters


def require(name: str) -> None:
    where = environment(find(name, adapters()), load_settings().adapters)
    if not where.usable:
        pytest.skip(f"{name}: {where.reason}; {where.command}")


@pytest.mark.parametrize(
    ("command", "source", "route", "versions"),
    [
        ("torch2tflite", "program.pt2", "litert_torch", {"litert-torch": "0.10.0", "torch": "2.13.0"}),
        ("onnx2tf", "model.onnx", "onnx2tf", {"onnx2tf": "1.29.24", "numpy": "1.26.4"}),
        ("torch2tflite", "script.pt", "torch_onnx_script,onnx2tf", {"onnx2tf": "1.29.24", "tensorflow": "2.19.0"}),
    ],
)
def test_a_target_is_verified_and_its_certificate_names_the_versions_of_that_environment(
    command: str, source: str, route: str, versions: dict[str, str], whole: Path, tmp_path: Path
) -> None:
    name = route.split(",")[-1]
    require(name)
    target = tmp_path / ("made.tflite" if command.endswith("tflite") else "made_saved_model")
    called = safeconvert(command, whole / source, "-o", target, "--route", route, "--input-shape", "0,3,8,8", "--json")
    assert called.code == 0, called.text
    step = called.json["predicate"]["route"][-1]
    assert step["adapter"] == name
    assert {package: step["packages"][package].partition("+")[0] for package in versions} == versions
    made = {target.name, f"{target.name}.certificate.json"}
    left = {path.name for path in tmp_path.iterdir()}
    assert left - {f"{target.name}.evidence.zip"} == made  # which holds the proof, if there is one
    assert safeconvert("check", called.json["certificate"]).code == 0
    if name == "onnx2tf":
        assert called.json["predicate"]["contract"]["inputs"][0]["permutation"] == [0, 2, 3, 1]

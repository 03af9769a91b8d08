"""Wrong layer hyperparameters, repaired in the native file itself, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import safeconvert
from tests.program import KERAS, TORCH, run_program
from tests.slow import first_of_every

pytestmark = pytest.mark.converters
PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("attributes")
    run_program(PROGRAMS / "hyperparameters_keras.py", folder, modules=KERAS)
    run_program(PROGRAMS / "hyperparameters_torch.py", folder, modules=TORCH)
    return folder


@pytest.mark.parametrize(
    "name",
    first_of_every(4, ["both.keras", "slope.tflite", "dilation.pt2", "cap.pt2", "slope.pt"]),
)
def test_a_wrong_hyperparameter_is_set_in_the_native_file(name: str, made: Path, tmp_path: Path) -> None:
    source = "right.pt2" if ".pt" in name else "right.keras"
    out = tmp_path / name.replace(".", "_fixed.")
    called = safeconvert("repair", made / source, made / name, "-o", out, "--samples", "28", "--json", "--trust-pickle")
    assert called.code == 0, called.text
    predicate = called.json["predicate"]
    assert {fault["kind"] for fault in predicate["faults"]} == {"LH"}, predicate["faults"]
    assert predicate["repair"]["lift"] == f"attributes patched in the {_format(name)} file"


def _format(name: str) -> str:
    return {"keras": "keras", "tflite": "tflite"}.get(name.partition(".")[2], "torch")

"""Each drop-in on a tiny model: the library's own type, the same function, and never a wrong one.

The build scripts run in two processes beside this one (`torch_side.py`, `tf_side.py`), which frameworks need; each check there
gives its facts, and the tests here say what they must be.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.command import ROOT

pytestmark = [pytest.mark.converters, pytest.mark.slow]
Side = Callable[[str], dict[str, Any]]

SAME = {
    "torch_side": {
        "script": {"returned": None, "same interface": True, "certificate beside it": True, "training": False},
        "dynamo": {"same type": True, "same interface": True},
        "to_torch": {"type": True, "same interface": True, "inputs": ["picture"], "trainable": True},
    },
    "tf_side": {
        "from_keras": {"type": True, "same interface": True, "file": True},
        "from_function": {"type": True, "same tensors": True},
        "from_graph_def": {"type": True, "same interface": True},
        "from_tflite": {"type": True, "same interface": True},
        "from_keras_by_onnxmltools": {"type": True, "same interface": True, "name": "asked"},
        "to_keras": {"type": True, "shapes": [[None, 8, 8, 3], [None, 5]]},
        "to_tflite": {"type": "bytes"},
    },
}
"""What a conversion by the real converter must give, beside a verified model that computes the same."""


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Side]]:
    """Both processes, started at once; a side waits for its own."""
    folder = tmp_path_factory.mktemp("sides")
    environment = {
        **os.environ,
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "KERAS_BACKEND": "tensorflow",
    }
    started = {}
    for name in SAME:
        with (folder / f"{name}.json").open("w") as out, (folder / f"{name}.log").open("w") as log:
            command = [sys.executable, "-m", f"tests.compat.{name}"]
            started[name] = subprocess.Popen(command, stdout=out, stderr=log, cwd=ROOT, env=environment)
    found: dict[str, dict[str, Any]] = {}

    def side(name: str) -> Side:
        if name not in found:
            code = started[name].wait()
            log = (folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
            assert code == 0, log[-3000:]
            found[name] = json.loads((folder / f"{name}.json").read_text())
        return lambda check: found[name][check]

    yield side
    for process in started.values():
        process.kill()
        process.wait()


@pytest.mark.parametrize(("side", "check"), [(side, check) for side, checks in SAME.items() for check in checks])
def test_a_model_comes_back_as_the_library_gives_it(side: str, check: str, sides: Callable[[str], Side]) -> None:
    facts = sides(side)(check)
    expected = {**SAME[side][check], "verdict": "verified", "accepted": 0, "attempts": ["verified"]}
    assert facts.pop("gap", 1.0) < 1e-5, facts
    assert facts == expected


def test_a_quantised_model_is_verified_on_its_representative_dataset(sides: Callable[[str], Side]) -> None:
    facts = sides("tf_side")("to_tflite_in_eight_bits")
    assert facts.pop("gap", 1.0) < 0.2, facts
    assert facts == {
        "type": "bytes",
        "int8": True,
        "inputs": 8,
        "verdict": "verified",
        "accepted": 0,
        "attempts": ["verified"],
    }


REPAIRED = (
    ("torch_side", "to_torch_by_a_wrong_converter"),
    ("tf_side", "to_keras_by_a_wrong_converter"),
    ("tf_side", "from_keras_by_a_wrong_converter"),
)


@pytest.mark.parametrize(("side", "check"), REPAIRED)
def test_what_a_wrong_converter_makes_comes_back_repaired(side: str, check: str, sides: Callable[[str], Side]) -> None:
    facts = sides(side)(check)
    assert facts.pop("gap", 1.0) < 1e-5, facts
    assert facts == {"type": True, "verdict": "verified", "accepted": 1, "attempts": ["not_equivalent", "verified"]}


UNREPAIRED = (
    ("torch_side", "script_unrepaired", "wrong.onnx: differs from"),
    ("tf_side", "from_tflite_unrepaired", "model.onnx: differs from"),
    ("tf_side", "to_tflite_unrepaired", "model.tflite: differs from"),
    ("tf_side", "from_keras_by_onnxmltools_unrepaired", "model.onnx: differs from"),
)


@pytest.mark.parametrize(("side", "check", "wording"), UNREPAIRED)
def test_a_wrong_model_never_comes_back(side: str, check: str, wording: str, sides: Callable[[str], Side]) -> None:
    facts = sides(side)(check)
    message = facts.pop("not equivalent", "")
    differs = rf"{re.escape(wording)} the [A-Za-z]+ source on [56] of 6 (given|generated) inputs"
    assert re.search(differs, message), message  # an input of zeros shows no wrong weight
    left, kept = facts.pop("left", False), facts.pop("kept", True)
    assert not left and kept, "a wrong file lies only where it is called rejected"
    assert facts == {"certificate": "not_equivalent", "figures": False, "kinds": ["WB"], "recorded": "not_equivalent"}


def test_the_program_needs_no_more_than_another_import() -> None:
    """What `import` gives has the entry points under the names that a build script uses."""
    program = [sys.executable, str(ROOT / "tests" / "compat" / "programs" / "entry_points.py")]
    done = subprocess.run(program, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)}, check=True)
    assert done.stdout == "True []\n"

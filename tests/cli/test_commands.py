"""The command line around conversions: help, start, check, show, keys, JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.command import ROOT, safeconvert

FORMATS = ("torch", "keras", "tf", "tflite", "onnx")
HEAVY = ("torch", "tensorflow", "keras", "onnx", "onnxruntime", "tvm", "scipy", "PIL", "pandas", "matplotlib")


def test_help_names_every_command_and_exit_code() -> None:
    called = safeconvert("--help", COLUMNS="200")
    assert called.code == 0
    for source in FORMATS:
        for target in FORMATS:
            assert (f"{source}2{target} " in called.out) == (source != target)
    for command in ("convert", "verify", "check", "show", "keygen", "adapters", "demo"):
        assert command in called.out
    assert "0 verified" in called.out and "4 no verdict" in called.out


@pytest.mark.parametrize("command", ["torch2keras", "convert", "verify", "check", "show", "adapters", "demo", "keygen"])
def test_every_help_has_an_example(command: str) -> None:
    called = safeconvert(command, "--help", COLUMNS="200")
    assert called.code == 0
    assert "Example: safeconvert" in called.out


def test_help_imports_no_framework() -> None:
    program = [sys.executable, str(Path(__file__).parent / "programs" / "help.py"), *HEAVY]
    done = subprocess.run(program, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)}, check=True)
    assert done.stdout.splitlines()[-1] == "IMPORTED []"


def test_an_unknown_command_or_option_is_a_usage_error() -> None:
    for arguments in (("torch2caffe", "x"), ("torch2keras",), ("torch2keras", "x.pt", "--fast")):
        called = safeconvert(*arguments)
        assert called.code == 2
        assert "Traceback" not in called.text


def test_an_error_is_one_json_object_with_json(tmp_path: Path) -> None:
    called = safeconvert("torch2keras", tmp_path / "gone.pt", "--json")
    assert called.code == 2
    assert called.json["exit_code"] == 2 and "gone.pt" in called.json["reason"]
    assert called.err == ""


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What `safeconvert adapters` says of all adapters, and of one in a folder of the user's that does not load."""
    folder = tmp_path_factory.mktemp("adapters")
    broken = folder / "more" / "absent"
    broken.mkdir(parents=True)
    (broken / "adapter.toml").write_text(
        'name = "absent"\nsummary = "s"\nkind = "converter"\npackages = ["no-such-thing"]\nadvice = "pip install it"\n'
    )
    (broken / "adapter.py").write_text("import no_such_thing\n")
    (folder / "c.toml").write_text('[adapters]\nfolders = ["more"]\n')
    called = safeconvert("adapters", "--json", "--config", folder / "c.toml")
    return {state["name"]: state for state in called.json}


@pytest.mark.slow
@pytest.mark.converters
def test_adapters_lists_all_and_all_load(adapters: dict[str, dict[str, Any]]) -> None:
    states = {name: state for name, state in adapters.items() if name != "absent"}
    assert {"torch_onnx_dynamo", "torch_onnx_script", "onnx2keras", "onnx2torch", "tf2onnx", "onnxmltools"} <= set(
        states
    )
    absent = {name for name, state in states.items() if state["state"] == "absent"}
    assert {name: s["reason"] for name, s in states.items() if not s["loads"] and name not in absent} == {}
    assert absent <= {"onnx2tf", "litert_torch"}
    assert all(states[name]["advice"] == f"safeconvert adapters install {name}" for name in absent)
    assert all(state["versions"] for state in states.values())


@pytest.mark.slow
@pytest.mark.converters
def test_adapters_says_why_one_does_not_load(adapters: dict[str, dict[str, Any]]) -> None:
    assert adapters["absent"]["loads"] is False
    assert "no_such_thing" in adapters["absent"]["reason"]
    assert adapters["absent"]["advice"] == "pip install it"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's folder; it was run once, and its model converted again with a key."""
    folder = tmp_path_factory.mktemp("demo")
    called = safeconvert("demo", "--folder", folder)
    assert called.code == 0, called.text
    assert str(folder / "digits.keras") in called.out and "safeconvert check" in called.out
    return folder


@pytest.mark.converters
def test_the_demo_leaves_a_target_a_certificate_and_its_sources(demo: Path) -> None:
    assert {"digits.pt", "digits.npy", "digits.keras", "digits.keras.certificate.json"} <= {
        path.name for path in demo.iterdir()
    }
    assert safeconvert("check", demo / "digits.keras.certificate.json").code == 0


@pytest.mark.converters
@pytest.mark.parametrize("name", ["digits.keras", "digits.pt", "digits.keras.certificate.json"])
def test_a_flipped_byte_anywhere_is_found_and_named(name: str, demo: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(demo, copy)
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(bytes(data))
    called = safeconvert("check", copy / "digits.keras.certificate.json")
    assert called.code == 1
    (failed,) = [line for line in called.out.splitlines() if "FAILED" in line]
    assert name in failed


@pytest.mark.converters
def test_show_prints_for_a_person_and_for_a_program(demo: Path) -> None:
    certificate = demo / "digits.keras.certificate.json"
    shown = safeconvert("show", certificate, COLUMNS="80")
    assert shown.code == 0 and shown.out.startswith("verified")
    predicate = safeconvert("show", certificate, "--json").json
    assert predicate["verdict"] == "verified"
    figures = predicate["verification"]["source native vs target native"]
    assert figures["disagreements"] == 0 and isinstance(figures["samples"], int)
    assert predicate["route"][-1]["adapter"] == "onnx2keras"
    assert predicate["contract"]["inputs"][0]["permutation"] == [0, 2, 3, 1]


@pytest.mark.converters
def test_a_signed_conversion_checks_with_its_key_only(demo: Path, tmp_path: Path) -> None:
    for name in ("right", "wrong"):
        assert safeconvert("keygen", tmp_path / name).code == 0
    called = safeconvert(
        "torch2onnx", demo / "digits.pt", "--inputs", demo / "digits.npy", "-o", tmp_path / "digits.onnx",
        "--key", tmp_path / "right", "--json",
    )  # fmt: skip
    assert called.code == 0, called.text
    certificate = called.json["certificate"]
    assert safeconvert("check", certificate, "--public-key", tmp_path / "right.pub").code == 0
    refused = safeconvert("check", certificate, "--public-key", tmp_path / "wrong.pub")
    assert refused.code == 1 and "not signed by this key" in refused.out
    unsigned = safeconvert("check", demo / "digits.keras.certificate.json", "--public-key", tmp_path / "right.pub")
    assert unsigned.code == 1 and "not signed" in unsigned.out


@pytest.mark.converters
def test_the_verdict_is_on_held_out_inputs_and_can_be_repeated_with_verify(demo: Path, tmp_path: Path) -> None:
    called = safeconvert(
        "verify", demo / "digits.pt", demo / "digits.keras", "--inputs", demo / "digits.npy", "--json",
        "--certificate", tmp_path / "pair.json", "--target-layout", "NCHW->NHWC",
    )  # fmt: skip
    assert called.code == 0, called.text
    inputs = called.json["predicate"]["inputs"]
    assert 0 < inputs["held_out"] < inputs["used"] == inputs["count"]
    assert called.json["predicate"]["verification"]["source native vs target native"]["samples"] == inputs["held_out"]
    assert safeconvert("check", tmp_path / "pair.json").code == 0


@pytest.mark.converters
def test_quiet_prints_nothing_and_verbose_the_certificate(demo: Path, tmp_path: Path) -> None:
    arguments = ("torch2onnx", demo / "digits.pt", "--inputs", demo / "digits.npy", "-o", tmp_path / "digits.onnx")
    quiet = safeconvert(*arguments, "-q")
    assert (quiet.code, quiet.text) == (0, "")
    verbose = safeconvert(*arguments, "-v")
    assert verbose.code == 0 and "comparator:" in verbose.out


@pytest.mark.converters
def test_a_comparator_of_ones_own(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import numpy as np\n\ndef never(a, b):\n    return np.zeros(len(a), bool)\n")
    called = safeconvert(
        "torch2onnx", demo / "digits.pt", "--inputs", demo / "digits.npy", "-o", tmp_path / "digits.onnx",
        "--comparator", "mine:never", "--json", cwd=tmp_path,
    )  # fmt: skip
    assert called.code == 1, called.text
    assert json.dumps(called.json["predicate"]["comparator"]).startswith('{"name": "mine:never"')

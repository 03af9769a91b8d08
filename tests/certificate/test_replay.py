"""The commands on a page: there are such commands, and they have such flags."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from safeconvert.certificate.replay import steps
from safeconvert.config.flags import known_flags

KNOWN = known_flags()
PAIR: dict[str, Any] = {
    "verdict": "not_equivalent",
    "source": {"path": "../a model.pt"},
    "target": {"path": "m.keras", "format": "keras"},
    "inputs": {"origin": "images/ (60 images)", "kinds": ["image"], "count": 60, "split_seed": 3, "sha256": "ab"},
    "contract": {"preprocessing": {"name": "torchvision"}},
    "comparator": {"name": "top1", "tolerances": {"rtol": 1e-4, "atol": 1e-5}, "max_discrepancy": 0.1,
                   "per_output": {"y": {"rtol": 0.1, "atol": 0.2}}},
}  # fmt: skip
ROUTE = {"route": [{"adapter": "torch_onnx_script"}, {"adapter": "onnx2keras"}]}


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        (PAIR, ["check", "localize", "verify"]),
        ({**PAIR, "faults": [{}]}, ["check", "pack", "verify"]),
        ({**PAIR, **ROUTE, "faults": [{}]}, ["check", "pack", "convert"]),
        ({**PAIR, **ROUTE, "verdict": "verified", "faults": [{}]}, ["check", "convert"]),
        ({**PAIR, "verdict": "verified"}, ["check", "verify"]),
    ],
)
def test_commands_and_their_flags_are_those_of_the_command_line(predicate: dict[str, Any], expected: list[str]) -> None:
    found = [shlex.split(step.command) for step in steps(predicate, "m.keras.certificate.json")]
    assert [words[:2] for words in found] == [["safeconvert", name] for name in expected]
    for words in found:
        known = {f"--{key}" for key in KNOWN[words[1]]} | {"-o"}
        assert {word for word in words if word.startswith("-")} <= known, words
    assert "../a model.pt" in found[-1] and "images/" in found[-1]


def test_a_run_without_certificate_has_nothing_to_check_and_an_unknown_one_no_command() -> None:
    assert [step.command.split()[1] for step in steps(PAIR, "")] == ["localize", "verify"]
    assert steps({}, "") == []

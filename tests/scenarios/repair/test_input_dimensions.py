"""Targets that take other sizes or give more outputs: named, given the source's interface, verified."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import safeconvert
from tests.program import KERAS, run_program
from tests.slow import first_of_every

pytestmark = pytest.mark.converters
PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interface")
    run_program(PROGRAMS / "interfaces.py", folder, modules=KERAS)
    return folder


@pytest.mark.parametrize(
    ("name", "kinds"),
    first_of_every(3, [("large.tflite", {"ID"}), ("more.keras", {"CG"}), ("large_wrong.keras", {"ID", "WB"})]),
)
def test_the_interface_is_named_and_repaired(name: str, kinds: set[str], made: Path, tmp_path: Path) -> None:
    out = tmp_path / name
    called = safeconvert("repair", made / "small.keras", made / name, "-o", out, "--samples", "28", "--json")
    assert called.code == 0, called.text
    predicate = called.json["predicate"]
    assert {fault["kind"] for fault in predicate["faults"]} == kinds
    assert predicate["attempts"][0]["outcome"] == "not_equivalent"
    again = safeconvert("verify", made / "small.keras", out, "--samples", "28")
    assert again.code == 0, again.text


def test_localize_only_names_it(made: Path) -> None:
    called = safeconvert("localize", made / "small.keras", made / "more.keras", "--samples", "28", "--json")
    assert called.code == 1, called.text
    (fault,) = called.json["predicate"]["faults"]
    assert (fault["kind"], fault["change"]) == ("CG", "added") and fault["target"] == "conv"

"""Files that hold several functions: the verdict is about one of them, which is the one that a caller gets, and says that the others were not compared."""

from __future__ import annotations

from pathlib import Path

import pytest

import safeconvert
from safeconvert.errors import UnusableInput
from tests.program import KERAS, TORCH, run_program

pytestmark = pytest.mark.converters
PROGRAMS = Path(__file__).parents[1] / "programs"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("functions")
    run_program(PROGRAMS / "two_functions.py", folder, modules=KERAS)
    run_program(PROGRAMS / "two_methods.py", folder, modules=TORCH)
    return folder


def remarks(source: Path, target: Path, **keywords: object) -> list[str]:
    found = safeconvert.verify(source, target, search=0, **keywords)
    return [line for line in found.predicate["remarks"] if "not compared" in line]


def test_other_signatures_are_said_to_be_no_part_of_the_verdict(made: Path) -> None:
    said = remarks(made / "signatures", made / "two.tflite")
    assert [line.split(":")[0] for line in said] == ["the source also holds encode", "the target also holds encode"]


def test_other_methods_are_said_to_be_no_part_of_the_verdict(made: Path) -> None:
    [said] = remarks(made / "methods.pt", made / "plain.pt", input_shape=["2,6"])
    assert said.startswith("the source also holds encode: this function was not compared")


@pytest.mark.parametrize("name", ["last", "misled"])
def test_a_default_signature_that_is_not_the_first_subgraph_is_refused(name: str, made: Path) -> None:
    """The interpreter runs the first subgraph unless it is asked by signature: `misled` was verified by it, and is another function for a caller by name."""
    with pytest.raises(UnusableInput, match="signature serving_default runs subgraph 1"):
        safeconvert.verify(made / "signatures", made / f"{name}.tflite", search=0)


@pytest.mark.parametrize(
    ("name", "said"),
    [("swapped", "input x is another"), ("renamed", "output a is another"), ("elsewhere", "calls __inference")],
)
def test_a_signature_that_is_another_function_for_a_server_is_refused(name: str, said: str, made: Path) -> None:
    """TensorFlow's loader never looks at the definition that a server feeds and fetches by: such a file was verified."""
    with pytest.raises(UnusableInput, match=f"one function for TensorFlow's loader and another for a server: .*{said}"):
        safeconvert.verify(made / "both", made / name, search=0)


@pytest.mark.parametrize(
    ("name", "said"),
    [("double", "has 2 signatures serving_default"), ("inner", "output y of its signature encode is none")],
)
def test_a_signature_that_is_not_one_call_for_every_runtime_is_refused(name: str, said: str, made: Path) -> None:
    with pytest.raises(UnusableInput, match=said):
        safeconvert.verify(made / "signatures", made / f"{name}.tflite", search=0)

"""Graphs that are read from the files stand for both models; exporters are called where something differs, is not read or is not proven."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import safeconvert
from safeconvert.certificate.check import read_certificate
from safeconvert.conversion.models import Export
from safeconvert.core.faults import ExporterVerdict
from safeconvert.core.proof import READER
from safeconvert.errors import NotEquivalent
from safeconvert.verification.source_check import Looks, SourceCheck, SourceForm
from safeconvert.verification.types import ExporterCheck
from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters
_PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def nets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `plain.keras`, which is read, and `volumes.keras`, whose convolution of volumes is not read of a TFLite file."""
    folder = tmp_path_factory.mktemp("nets")
    run_program(_PROGRAMS / "read_forms.py", folder, modules=KERAS)
    return folder


def _forms(predicate: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {side: (one["adapter"], one["verdict"]) for side, one in predicate["exporters"].items()}


def _exports(predicate: dict[str, Any]) -> list[str]:
    return [phase for phase in predicate["seconds"] if phase.startswith("exporting")]


def test_a_right_target_whose_file_is_read_is_verified_and_proven_without_an_exporter(
    nets: Path, tmp_path: Path
) -> None:
    found = dict(safeconvert.convert(nets / "plain.keras", "tflite", output=tmp_path / "out.tflite").predicate)
    assert _forms(found) == {"source": (READER, "equal"), "target": (READER, "equal")}
    assert not _exports(found) and found["proof"]["level"] == "native"
    figures = found["verification"]
    assert figures["source native vs source ONNX"]["equal"] and figures["target native vs target ONNX"]["equal"]
    assert set(found["proof"]["sizes"]) == {"image"} and found["coverage"]["items"] > 0


def test_a_target_that_differs_is_localized_on_what_exporters_make(nets: Path, tmp_path: Path) -> None:
    """No two runtimes round alike: with no tolerance at all the target is another function."""
    with pytest.raises(NotEquivalent):
        safeconvert.convert(
            nets / "plain.keras", "tflite", output=tmp_path / "out.tflite", rtol=0, atol=0, repair=False,
            comparator="allclose", route="tflite_converter",
        )  # fmt: skip
    found = dict(read_certificate(tmp_path / "out.tflite.rejected.certificate.json"))
    assert {adapter for adapter, _ in _forms(found).values()} == {"tf2onnx"}
    assert {f"exporting the {side} to ONNX (tf2onnx)" for side in ("source", "target")} <= set(_exports(found))


def test_where_one_file_is_not_read_both_are_exported_for_the_proof(nets: Path, tmp_path: Path) -> None:
    found = dict(safeconvert.convert(nets / "volumes.keras", "tflite", output=tmp_path / "out.tflite").predicate)
    assert _forms(found) == {"source": ("tf2onnx", "equal"), "target": ("tf2onnx", "equal")}
    assert found["proof"]["level"] == "sampled" and "one and the same ONNX graph" in found["proof"]["reason"]
    figures = found["verification"]
    assert figures["source native vs source ONNX"]["equal"] and figures["source ONNX vs target ONNX"]["samples"] > 0


_READ, _MADE = Export(READER, Path("read.onnx"), ""), Export("exporter", Path("made.onnx"), "")


def _check(threads: ThreadPoolExecutor, *, read_is_right: bool, made: list[Export]) -> SourceCheck:
    def export() -> Export:
        made.append(_MADE)
        return _MADE

    def looks(form: Export) -> Looks:
        wrong = form == _READ and not read_is_right
        found = ExporterCheck(form.adapter, ExporterVerdict.DIFFERENT if wrong else ExporterVerdict.EQUAL, "")
        return Looks(lambda: found, lambda: replace(found, reason="on all"), lambda known: found)

    return SourceCheck(SourceForm(_READ, export), looks, threads)


def test_what_was_read_stays_the_form_of_a_source_that_it_is() -> None:
    made: list[Export] = []
    with ThreadPoolExecutor(2) as threads:
        check = _check(threads, read_is_right=True, made=made)
        assert check.result().adapter == READER and check.exported == _READ and not made


def test_what_was_read_wrongly_gives_way_to_what_an_exporter_makes() -> None:
    made: list[Export] = []
    with ThreadPoolExecutor(2) as threads:
        check = _check(threads, read_is_right=False, made=made)
        assert check.result().adapter == "exporter" and check.exported == _MADE and made == [_MADE]


def test_an_exporters_form_is_made_once_however_often_it_is_needed() -> None:
    made: list[Export] = []
    with ThreadPoolExecutor(2) as threads:
        check = _check(threads, read_is_right=True, made=made)
        check.start()
        check.on_all()
        check.with_exporter()
        assert check.exported == _MADE and check.result().reason == "on all"
        check.with_exporter()
        assert check.result().adapter == "exporter" and made == [_MADE]

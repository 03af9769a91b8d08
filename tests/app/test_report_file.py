"""`--report`: where the page of a run goes, and that there is one whatever the run's end."""

from __future__ import annotations

from pathlib import Path

import pytest

import safeconvert
from safeconvert.app.report_file import BESIDE, RequestedPage, reporting, with_value
from safeconvert.certificate.digest import digest
from safeconvert.certificate.envelope import write_certificate
from safeconvert.certificate.statement import build_statement
from safeconvert.core.paths import PAGE_MARK, certificate_path
from safeconvert.errors import ExitCode, UnusableInput
from safeconvert.report.outcome import Outcome, Tried
from tests.command import safeconvert as command


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["torch2keras", "m.pt", "--report"], str(BESIDE)),
        (["torch2keras", "--report", "m.pt"], str(BESIDE)),
        (["torch2keras", "m.pt", "--report", "-o", "m.keras"], str(BESIDE)),
        (["torch2keras", "m.pt", "--report", "a b.html"], "a b.html"),
        (["torch2keras", "--report", "page.htm", "m.pt"], "page.htm"),
    ],
)
def test_a_report_without_a_name_has_its_own_place(words: list[str], place: str) -> None:
    found = with_value(words)
    assert found[found.index("--report") + 1] == place
    assert [word for word in found if word != place] == [word for word in words if word != place]


def test_words_without_it_stay_and_a_name_behind_an_equals_sign_too() -> None:
    for words in ([], ["check", "c.json"], ["torch2keras", "m.pt", "--report=page.html"]):
        assert with_value(words) == words


def test_a_run_that_ends_with_an_error_has_a_page_that_says_so(tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    called = command("verify", "absent.pt", "absent.onnx", "--report", page, cwd=tmp_path)
    assert called.code == 2 and "no such file" in called.err
    html = page.read_text(encoding="utf-8")
    assert "Could not begin" in html and "absent.pt: no such file or folder" in html and "Traceback" not in html
    beside = command("convert", "absent.pt", "--to", "keras", "--report", cwd=tmp_path)
    assert beside.code == 2 and "Could not begin" in (tmp_path / "absent.pt.report.html").read_text(encoding="utf-8")


def test_no_model_is_overwritten_by_a_slip(tmp_path: Path) -> None:
    model = tmp_path / "model.pt"
    model.write_text("a model")
    called = command("torch2keras", model, f"--report={model}")
    assert called.code == 2 and "such a file ends in .html" in called.err and model.read_text() == "a model"
    (tmp_path / "file").write_text("")
    called = command("torch2keras", model, "--report", tmp_path / "file" / "page.html")
    assert called.code == 2 and "cannot be written" in called.err


def test_an_earlier_page_does_not_outlive_a_run_that_cannot_write_one(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(b"of an earlier run" + PAGE_MARK)
    with reporting(page, Path("m.pt"), makes=True):
        assert not page.exists()
    assert command("convert", "absent.pt", "--to", "nothing", "--report", page, cwd=tmp_path).code == 2
    assert "earlier" not in page.read_text(encoding="utf-8")


def test_where_the_page_cannot_be_written_no_target_of_the_run_is_left_at_the_output_path(tmp_path: Path) -> None:
    """What the run certified goes; a file without a certificate is the user's own, and stays."""
    target = tmp_path / "m.keras"
    for makes, certified, left in ((False, True, True), (True, False, True), (True, True, False)):
        target.write_text("a target")
        if certified:
            sha256 = digest(target).sha256
            entry = {"path": target.name, "sha256": sha256, "kind": "file", "files": []}
            content = {"schema": 1, "verdict": "verified", "target": entry, "source": entry, "written": True}
            write_certificate(certificate_path(target), build_statement(target.name, sha256, content), None)
        else:
            certificate_path(target).unlink()
        outcome = Outcome(ExitCode.VERIFIED, "", target, None, None, {}, (), None)
        with pytest.raises(UnusableInput, match="cannot be written"):
            RequestedPage(tmp_path / "no" / "page.html", makes).written(outcome)
        assert target.exists() is left


def test_a_run_without_a_certificate_is_shown_as_far_as_it_came(tmp_path: Path) -> None:
    attempts = (Tried("torch_onnx_script → onnx2keras", "crashed", "unsupported padding", None, 1.5),)
    outcome = Outcome(
        ExitCode.NO_ROUTE, "onnx2keras: unsupported padding", tmp_path / "m.keras", None, None, {}, attempts, None
    )
    written = RequestedPage(BESIDE, True).written(outcome)
    assert written.report == tmp_path / "m.keras.report.html"
    html = written.report.read_text(encoding="utf-8")
    assert "No route could convert" in html and "unsupported padding" in html and "torch_onnx_script" in html
    assert RequestedPage(None, True).written(outcome) is outcome


def test_the_api_writes_it_too(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    with pytest.raises(safeconvert.UnusableInput):
        safeconvert.convert(tmp_path / "absent.pt", to="keras", report=page)
    assert "Could not begin" in page.read_text(encoding="utf-8")
    with pytest.raises(safeconvert.UnusableInput):
        safeconvert.verify(tmp_path / "absent.pt", tmp_path / "absent.onnx", report=True)
    assert (tmp_path / "absent.pt.report.html").exists()

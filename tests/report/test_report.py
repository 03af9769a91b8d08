"""The report of a run with a fault, in a real browser, and of certificates that lack things."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from safeconvert.certificate.envelope import write_certificate
from safeconvert.certificate.statement import build_statement
from safeconvert.errors import UnusableInput
from safeconvert.evidence.archive import read
from safeconvert.report.page import render
from safeconvert.report.write import write_report
from tests.cli import ROOT, safeconvert

pytestmark = pytest.mark.converters
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_SCRIPT = """
import os, sys
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import keras, numpy as np
model = keras.models.load_model(sys.argv[1])
kernel = np.asarray(model.layers[0].kernel).copy()
kernel[0, 0, 0, 1] += 0.7
model.layers[0].kernel.assign(kernel)
model.save(sys.argv[2])
"""


@pytest.fixture(scope="module")
def repaired(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of a repair, its evidence beside it."""
    folder = tmp_path_factory.mktemp("report")
    wrong = folder / "wrong.keras"
    subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(whole / "model.keras"), str(wrong)], check=True, capture_output=True
    )
    called = safeconvert("repair", whole / "model.keras", wrong, "-o", folder / "fixed.keras", "--samples", "28")
    assert called.code == 0, called.text
    return folder / "fixed.keras.certificate.json"


def test_the_page_holds_everything_and_asks_for_nothing(repaired: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    called = safeconvert("report", repaired, "-o", page)
    assert called.code == 0, called.text
    html = page.read_text(encoding="utf-8")
    assert len(html) < 1_500_000
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", html), "nothing is fetched"
    content = json.loads(safeconvert("show", repaired, "--json").out)
    for fault in content["faults"]:
        assert fault["target"] in html and fault["kind"] in html
    assert html.count("<h1") == 1 and "<svg" in html and 'scope="col"' in html
    assert "prefers-color-scheme" in html and "@media print" in html


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_a_browser_draws_it_without_an_error_and_sorts_its_tables(repaired: Path, tmp_path: Path) -> None:
    page = write_report(repaired, tmp_path / "report.html")
    probe = """<script>
      const table = document.querySelector("table#faults") ?? document.querySelector("table.sortable");
      table.querySelectorAll("th button")[0].click();
      table.querySelectorAll("th button")[0].click();
      document.body.dataset.sorted = table.querySelector("th[aria-sort]").getAttribute("aria-sort");
      const box = document.querySelector("svg.chart").getBoundingClientRect();
      document.body.dataset.chart = box.width > 100 && box.height > 50 ? "drawn" : "empty";
    </script>"""
    watched = tmp_path / "watched.html"
    watched.write_text(page.read_text(encoding="utf-8").replace("</body>", probe + "</body>"), encoding="utf-8")
    done = _browse(watched, tmp_path, "--dump-dom")
    assert 'data-sorted="descending"' in done.stdout and 'data-chart="drawn"' in done.stdout, done.stdout[-500:]
    assert "CONSOLE" not in done.stderr, done.stderr
    pictures = ROOT / "build" / "screenshots"
    pictures.mkdir(parents=True, exist_ok=True)
    _browse(page, tmp_path, f"--screenshot={pictures / 'report.png'}", "--window-size=1200,2400")
    assert (pictures / "report.png").stat().st_size > 10_000


def _browse(page: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            "--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}", *options, page.as_uri(),
        ],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip


def test_missing_or_other_evidence_is_said_on_the_page(repaired: Path, tmp_path: Path) -> None:
    alone = tmp_path / repaired.name
    shutil.copy(repaired, alone)
    assert "is not beside the certificate" in write_report(alone).read_text(encoding="utf-8")
    evidence = next(repaired.parent.glob("*.evidence.zip"))
    (tmp_path / evidence.name).write_bytes(evidence.read_bytes() + b"more")
    assert "its digest differs" in write_report(alone).read_text(encoding="utf-8")


def _with_schema(schema: object, folder: Path) -> Path:
    path = folder / "m.onnx.certificate.json"
    write_certificate(path, build_statement("m.onnx", "0" * 64, {"schema": schema, "verdict": "verified"}), None)
    return path


def test_an_older_schema_is_said_on_the_page(tmp_path: Path) -> None:
    assert "has schema 0" in write_report(_with_schema(0, tmp_path)).read_text(encoding="utf-8")


@pytest.mark.parametrize("schema", [99, "old", None])
def test_a_newer_schema_or_none_is_refused(schema: object, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput):
        write_report(_with_schema(schema, tmp_path))


def test_whatever_is_missing_or_of_another_type_makes_no_traceback(repaired: Path) -> None:
    content = json.loads(safeconvert("show", repaired, "--json").out)
    evidence = read(repaired, content["evidence"])
    for key in content:
        for broken in (None, 3, "text", [], {}, [None], {"a": []}):
            assert "<h1" in render({**content, key: broken}, evidence)
    for key in evidence.content:
        spoilt = type(evidence)({**evidence.content, key: None}, dict.fromkeys(evidence.files, b"no picture"))
        assert "<h1" in render(content, spoilt)


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.certificate.json"
    path.write_text("{}", encoding="utf-8")
    assert safeconvert("report", path).code == 2

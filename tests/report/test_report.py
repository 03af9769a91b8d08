"""The report of a run with a fault, in a real browser, and of certificates that lack things."""

from __future__ import annotations

import html
import io
import itertools
import json
import random
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from safeconvert.certificate.archive import Evidence, read
from safeconvert.certificate.envelope import write_certificate
from safeconvert.certificate.statement import build_statement
from safeconvert.errors import UnusableInput
from safeconvert.report.page import render
from safeconvert.report.write import write_report
from tests.command import ROOT, safeconvert
from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def repaired(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of a repair, its evidence beside it."""
    folder = tmp_path_factory.mktemp("report")
    wrong = folder / "wrong.keras"
    program = Path(__file__).parent / "programs" / "wrong_kernel.py"
    run_program(program, whole / "model.keras", wrong, modules=KERAS)
    called = safeconvert(
        "repair", whole / "model.keras", wrong, "-o", folder / "fixed.keras", "--samples", "28", "--report"
    )
    assert called.code == 0, called.text
    return folder / "fixed.keras.certificate.json"


@pytest.fixture(scope="module")
def unrepaired(repaired: Path) -> Path:
    """The page of the same pair, of which the faults were only named."""
    page = repaired.parent / "unrepaired.html"
    wrong = repaired.parent / "wrong.keras"
    called = safeconvert("localize", _source(repaired), wrong, "--samples", "28", "--report", page)
    assert called.code == 1 and f"  report: {page}\n" in called.out, called.text
    return page


def _source(certificate: Path) -> Path:
    return certificate.parent / json.loads(safeconvert("show", certificate, "--json").out)["source"]["path"]


def _words(page: str) -> str:
    """What is written on a page, without where its names may break."""
    return page.replace("<wbr>", "")


def test_the_page_holds_everything_and_asks_for_nothing(repaired: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    called = safeconvert("report", repaired, "-o", page)
    assert called.code == 0, called.text
    text = page.read_text(encoding="utf-8")
    assert len(text) < 1_500_000
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", text), "nothing is fetched"
    assert "url(" not in text and "@import" not in text
    content = json.loads(safeconvert("show", repaired, "--json").out)
    for fault in content["faults"]:
        assert fault["target"] in _words(text) and fault["kind"] in text
    assert "prefers-color-scheme" in text and "@media print" in text
    for heading in ("The four models", "Error along the layers", "The repair, trial by trial", "Faults",
                    "Inputs that disagreed", "What a user of the target has to do", "Check and replay"):  # fmt: skip
        assert f">{heading}</h2>" in text
    assert text.index("Verified") < text.index("The four models"), "the verdict comes first"
    for role in ("source", "target", "evidence"):
        assert content[role]["sha256"] in text
    assert content["environment"]["packages"]["keras"] in text


def test_what_report_writes_during_the_run_is_what_the_certificate_gives_later(repaired: Path, tmp_path: Path) -> None:
    during = (repaired.parent / "fixed.keras.report.html").read_text(encoding="utf-8")
    assert during == write_report(repaired, tmp_path / "later.html").read_text(encoding="utf-8")


def test_a_page_without_a_repair_says_so(unrepaired: Path) -> None:
    text = unrepaired.read_text(encoding="utf-8")
    assert "Not equivalent" in text and "not repaired" in text and "The repair, trial by trial" not in text
    assert "a run that wrote no certificate" in text and "Inputs that disagreed" in text


class _Markup(HTMLParser):
    """What assistive technology goes by."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.identities: list[str] = []
        self.labels: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.charts: list[dict[str, str | None]] = []
        self.cells: list[dict[str, str | None]] = []
        self.described: list[str] = []
        self.language = ""
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._within = tag
        if tag == "html":
            self.language = found.get("lang") or ""
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img":
            self.pictures.append(found)
        if tag == "svg" and found.get("aria-hidden") != "true":
            self.charts.append(found)
        if tag == "th":
            self.cells.append(found)
        if found.get("id"):
            self.identities.append(str(found["id"]))
        self.labels += str(found.get("aria-labelledby") or "").split()

    def handle_data(self, data: str) -> None:
        if self._within in ("title", "desc") and data.strip():
            self.described.append(data)


@pytest.mark.parametrize("which", ["repaired", "unrepaired"])
def test_the_page_can_be_read_by_those_who_do_not_see_it(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    given = request.getfixturevalue(which)
    page = given if which == "unrepaired" else write_report(given, tmp_path / "report.html")
    markup = _Markup()
    markup.feed(page.read_text(encoding="utf-8"))
    assert markup.language == "en" and markup.headings.count(1) == 1 and markup.headings[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(markup.headings)), markup.headings
    assert markup.charts and all(chart.get("role") == "img" for chart in markup.charts)
    assert set(markup.labels) <= set(markup.identities), "what a chart or section is called by is there"
    assert len(set(markup.identities)) == len(markup.identities)
    assert len(markup.described) >= 1 + 2 * len(markup.charts), "title and description of each chart"
    assert all(cell.get("scope") in ("col", "row") for cell in markup.cells)
    assert all(picture.get("alt") for picture in markup.pictures)


_PROBE = """<script>
  const facts = {width: document.documentElement.scrollWidth - window.innerWidth};
  const table = document.querySelector("table#faults"), body = table.tBodies[0];
  const cells = () => [...body.rows].map(row => row.cells[0].textContent);
  const before = cells();
  for (const wanted of ["ascending", "descending"]) {
    table.querySelectorAll("th button")[0].click();
    facts[wanted] = table.querySelector("th[aria-sort]").getAttribute("aria-sort");
  }
  facts.order = [before, cells()];
  facts.charts = [...document.querySelectorAll("svg.chart")].map(chart => {
    const box = chart.getBoundingClientRect();
    return [chart.id, box.width > 100 && box.height > 50, [...chart.querySelectorAll("path, circle, rect")].some(
      part => part.getBBox().width > 0)];
  });
  facts.line = document.querySelector("svg .propagated").getTotalLength() > 300;
  facts.faults = document.querySelectorAll("svg circle.fault").length;
  facts.page = getComputedStyle(document.body).backgroundColor;
  facts.images = [...document.images].every(image => image.naturalWidth > 0);
  document.body.dataset.facts = JSON.stringify(facts);
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")
@pytest.mark.parametrize("which", ["repaired", "unrepaired"])
def test_a_browser_draws_it_without_an_error_and_sorts_its_tables(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    given = request.getfixturevalue(which)
    page = given if which == "unrepaired" else write_report(given, tmp_path / "report.html")
    watched = tmp_path / "watched.html"
    watched.write_text(page.read_text(encoding="utf-8").replace("</body>", _PROBE + "</body>"), encoding="utf-8")
    done = _browse(watched, tmp_path, "--dump-dom", "--window-size=1280,900")
    assert "CONSOLE" not in done.stderr, done.stderr
    facts = _facts(done.stdout)
    assert facts["ascending"] == "ascending" and facts["descending"] == "descending"
    assert facts["order"][1] == facts["order"][0][::-1] and len(facts["order"][0]) == 2
    assert all(drawn and filled for _, drawn, filled in facts["charts"]) and facts["line"] and facts["faults"] == 2
    wanted = {"models", "layers", "trajectory"} if which == "repaired" else {"models", "layers"}
    assert {name for name, _, _ in facts["charts"]} == wanted
    assert facts["width"] <= 0 and facts["images"]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")
def test_it_is_readable_on_a_phone_in_the_dark_and_printed(repaired: Path, tmp_path: Path) -> None:
    """Nothing sticks out at 390 pixels; pictures for a person to look at are kept under build/screenshots."""
    page = write_report(repaired, tmp_path / "report.html")
    pictures = ROOT / "build" / "screenshots"
    pictures.mkdir(parents=True, exist_ok=True)
    framed = tmp_path / "framed.html"  # Chromium's own windows are no narrower than 500 pixels
    source = html.escape(page.read_text(encoding="utf-8").replace("</body>", _PROBE + "</body>"))
    framed.write_text(
        '<body style="margin:0"><iframe style="border:0;width:390px;height:4000px" '
        f'srcdoc="{source}" onload="document.body.dataset.facts = this.contentDocument.body.dataset.facts"></iframe></body>'
    )
    narrow = pictures / "report-390.png"
    facts = _facts(_browse(framed, tmp_path, "--dump-dom").stdout)
    assert facts["width"] <= 0 and all(drawn for _, drawn, _ in facts["charts"])
    _browse(framed, tmp_path, f"--screenshot={narrow}", "--window-size=500,4000")
    dark, light, printed = pictures / "report-dark.png", pictures / "report.png", pictures / "report.pdf"
    _browse(page, tmp_path, f"--screenshot={light}", "--window-size=1280,4000")
    _browse(
        page, tmp_path, f"--screenshot={dark}", "--window-size=1280,4000", "--blink-settings=preferredColorScheme=0"
    )
    _browse(page, tmp_path, f"--print-to-pdf={printed}")
    with Image.open(light) as day, Image.open(dark) as night:
        assert day.convert("L").getpixel((2, 2)) > 200 and night.convert("L").getpixel((2, 2)) < 60
    assert printed.read_bytes().startswith(b"%PDF") and narrow.stat().st_size > 10_000


def _facts(dom: str) -> dict[str, Any]:
    found = re.search(r'data-facts="([^"]*)"', dom)
    assert found is not None, dom[-500:]
    return json.loads(html.unescape(found[1]))


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
    evidence = repaired.with_name("fixed.keras.evidence.zip")
    (tmp_path / evidence.name).write_bytes(evidence.read_bytes() + b"more")
    assert "its digest differs" in write_report(alone).read_text(encoding="utf-8")


def _with_schema(schema: object, folder: Path) -> Path:
    path = folder / "m.onnx.certificate.json"
    write_certificate(path, build_statement("m.onnx", "0" * 64, {"schema": schema, "verdict": "verified"}), None)
    return path


def test_an_older_schema_is_said_on_the_page(tmp_path: Path) -> None:
    assert "has schema 0" in write_report(_with_schema(0, tmp_path)).read_text(encoding="utf-8")


def test_a_newer_schema_is_an_error_and_its_page_says_so_and_no_verdict(tmp_path: Path) -> None:
    certificate = _with_schema(99, tmp_path)
    called = safeconvert("report", certificate)
    assert called.code == 2 and "made by a newer safeconvert (schema 99)" in called.err
    page = (tmp_path / "m.onnx.report.html").read_text(encoding="utf-8")
    assert (
        "Cannot be read here" in page and "made by a newer safeconvert (schema 99)" in page and "Verified" not in page
    )


@pytest.mark.parametrize("schema", ["old", None])
def test_a_certificate_without_a_schema_is_refused(schema: object, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput):
        write_report(_with_schema(schema, tmp_path))


@pytest.mark.parametrize("verdict", ["no_route", "no_verdict", "unusable_input", "", "another"])
def test_an_unfinished_run_is_shown_as_far_as_it_came(verdict: str) -> None:
    attempts = [{"route": ["onnx2keras"], "outcome": "crashed", "reason": "unsupported padding"}]
    page = render({"verdict": verdict, "reason": "stopped", "attempts": attempts}, None, ["There is no evidence."])
    assert (
        page.count("<h1") == 1
        and "Stopped" in page
        and "unsupported padding" in page
        and "There is no evidence." in page
    )
    assert "Verified" not in page and "None" not in re.sub("None was localized", "", page)


def test_a_picture_that_cannot_be_read_any_more_is_said_in_its_place(repaired: Path) -> None:
    content = json.loads(safeconvert("show", repaired, "--json").out)
    picture = {"number": 1, "name": "cat.jpg", "picture": "samples/1.jpg", "outputs": []}
    lost = {**picture, "picture": "samples/2.jpg"}
    huge = {**picture, "picture": "samples/3.png"}
    noise = io.BytesIO()
    Image.frombytes("RGB", (200, 200), random.Random(0).randbytes(120_000)).save(noise, "PNG")
    evidence = Evidence(
        {"samples": [picture, lost, huge]}, {"samples/1.jpg": b"\xff\xd8\xffgarbage", "samples/3.png": noise.getvalue()}
    )
    page = render(content, evidence)
    assert "this image cannot be read any more" in page and "does not hold this image" in page
    assert "too large to show" in page and "<img" not in page


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


def test_the_largest_page_stays_below_a_megabyte_and_a_half_and_says_what_it_leaves_out() -> None:
    name = "functional_1/block_13_project_batch_normalization_1/FusedBatchNormV3/ReadVariableOp"
    noise = io.BytesIO()
    Image.frombytes("RGB", (112, 112), random.Random(0).randbytes(112 * 112 * 3)).save(noise, "JPEG", quality=95)
    picture = noise.getvalue()
    assert 15_000 < len(picture) < 20 << 10
    nodes = {"source": name, "target": name, "operator": "Conv", "isolated": 0.1, "propagated": 0.2}
    evidence = Evidence(
        {
            "along": [{**nodes, "repaired": 0.1, "faults": [n] if n < 400 else []} for n in range(1500)],
            "samples": [{"name": f"{n}.jpg", "picture": f"samples/{n}.jpg"} for n in range(100)],
        },
        {f"samples/{n}.jpg": picture for n in range(100)},
    )
    figures = {"discrepancy": 0.5, "distance": 0.4}
    trial = {"outcome": "no_gain", "reason": "", "before": figures, "after": figures}
    content = {
        "verdict": "not_equivalent",
        "faults": [{**nodes, "kind": "WB", "evidence": "input 1: 1728 of 1728 values differ", "proven": True}] * 400,
        "trials": [{**trial, "faults": [n]} for n in range(1199)] + [{**trial, "faults": [3], "outcome": "accepted"}],
        "repair": {"before": figures, "after": figures},
        "layers": [{"source": name, "target": name, "rate": 0.1, "elements": 100, "problematic": 10.0}] * 400,
        "attempts": [{"route": ["a", "b"], "outcome": "crashed", "reason": "r" * 200}] * 300,
    }
    page = render(content, evidence)
    assert len(page.encode()) < 1_500_000
    assert "1000 more trials without gain" in page and '<th scope="row" class="n">1200</th>' in page
    assert "200 more faults are in the certificate" in page and "1300 more are in the evidence file" in page

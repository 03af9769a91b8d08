"""The index of a batch: what it lists and links, whatever jobs are called, and nothing that is loaded from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from safeconvert.errors import ExitCode
from safeconvert.report import junit
from safeconvert.report.batch_index import JobReport, render

FAULT = {
    "kind": "WB", "source_node": "conv", "target_node": "conv", "operator": "Conv", "evidence": "weights differ", "proven": True,
}  # fmt: skip
PREDICATE = {
    "verdict": "not_equivalent", "reason": "differs", "source": {"format": "torch"}, "target": {"format": "tflite"},
    "faults": [FAULT],
}  # fmt: skip


def job(folder: Path, name: str, code: ExitCode = ExitCode.VERIFIED, **answer: object) -> JobReport:
    verdict = code.name.lower()
    return JobReport(name, "torch2keras", code, verdict, "so it is", answer, folder / f"{name}.html", 1.5, 1 << 30, 1)


def test_rows_say_what_is_filtered_by(tmp_path: Path) -> None:
    wrong = job(tmp_path, "b", ExitCode.NOT_EQUIVALENT, predicate=PREDICATE)
    shown = render(iter([job(tmp_path, "a"), wrong]), tmp_path)
    assert "1 of 2 jobs verified" in shown
    assert 'data-verdict="verified" data-source="PyTorch" data-target="Keras" data-fault=""' in shown
    [fault] = re.findall(r'data-source="PyTorch" data-target="TFLite" data-fault="([^"]+)"', shown)
    assert f"<option>{fault}</option>" in shown and fault == "weights and biases"


def test_nothing_is_loaded_and_no_name_breaks_out(tmp_path: Path) -> None:
    shown = render([job(tmp_path, "<script>alert(1)</script>"), job(tmp_path, "javascript:alert(1)")], tmp_path)
    assert "<script>alert" not in shown and not re.search(r'(?:href|src)="(?!\./|data:)', shown)
    assert 'href="./javascript%3Aalert%281%29.html"' in shown and "http" not in shown.replace("http-equiv", "")


def test_junit_has_a_suite_for_each_job(tmp_path: Path) -> None:
    suites = junit.of_batch([job(tmp_path, "a"), job(tmp_path, "b", ExitCode.NO_VERDICT),
                             job(tmp_path, "c", ExitCode.NOT_EQUIVALENT, predicate=PREDICATE)])  # fmt: skip
    states = [[case.state for case in suite.cases] for suite in suites]
    assert states[:2] == [["passed"], ["error"]] and "failure" in states[2]
    assert suites[2].seconds == 1.5, "of the job, and not of its phases"

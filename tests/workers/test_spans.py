"""What a worker tells of its time: kept where it can be true, left out otherwise."""

from __future__ import annotations

import os

import pytest

from safeconvert.core.trace import Category
from safeconvert.workers.spans import told_spans

WITHIN = (10.0, 20.0)


def told(*spans: object) -> list[tuple[str, str, float, float]]:
    found = told_spans({"spans": list(spans)}, WITHIN, "running it")
    return [(span.name, span.process, span.start, span.end) for span in found]


def test_work_lies_between_request_and_reply_and_imports_may_lie_before() -> None:
    assert told(["work", "", 0, 11.0, 12.0, 0.5]) == [("running it", "", 11.0, 12.0)]
    assert told(["work", "", 0, 1.0, 99.0, 0.5]) == [("running it", "", 10.0, 20.0)]
    assert told(["import", "import torch", 7, 1.0, 3.0, 0.5]) == [("import torch", "template 7", 1.0, 3.0)]


@pytest.mark.parametrize(
    "span",
    [
        [], "work", ["work"], ["work", "", 0, "11", 12.0, 0.5], ["other", "", 0, 11.0, 12.0, 0.5],
        ["work", "", 0, float("nan"), 12.0, 0.5], ["import", "x", 7, 3.0, 1.0, 0.5], ["import", "x", 7, 3.0, 99.0, 0.5],
        ["import", "x", 7, 1.0, 3.0, -1.0], ["import", "x", os.getpid(), 1.0, 3.0, 0.5],
    ],
)  # fmt: skip
def test_what_cannot_be_is_left_out(span: object) -> None:
    assert told(span) == []


def test_a_reply_that_is_none_tells_nothing_and_a_long_one_is_cut() -> None:
    assert not list(told_spans([1], WITHIN, "")) and not list(told_spans({"spans": 3}, WITHIN, ""))
    assert len(told(*[["work", "", 0, 11.0, 12.0, 0.5]] * 1000)) == 100
    [span] = told_spans({"spans": [["import", "a\nb" + "c" * 9999, 7, 1.0, 3.0, 0.5]]}, WITHIN, "")
    assert span.category is Category.IMPORT and len(span.name) <= 200 and "\n" not in span.name

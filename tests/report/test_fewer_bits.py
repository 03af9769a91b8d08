"""The page's section on what fewer bits cost, from a certificate's content."""

from __future__ import annotations

import re
from typing import Any

import pytest

from safeconvert.report.page import render

LATENCY = {
    "float_ms": 2.0,
    "raw_ms": 0.5,
    "target_ms": 1.0,
    "calls": 30,
    "threads": 2,
    "runtime": "LiteRT with XNNPACK on this machine",
}
FIGURES = {"equal": False, "discrepancy": 0.125, "distance": 0.2, "labels": 0.1, "max_abs": 3.0}
QUANTIZATION: dict[str, Any] = {
    "optimize": "int8", "io": "int8", "operators": 12, "in_float": ["a/Conv", "a/Pad"], "in_sixteen": [], "biases_corrected": 3,
    "calibration": {"origin": "digits.npy", "inputs": 180, "part": "steering"},
    "bytes": 17000, "float_bytes": 50000, "raw_bytes": 12500, "latency": LATENCY, "minimal": True,
    "repairs": [
        {"operator": "a/Conv", "kind": "CONV_2D", "means": "weights in 16 bits, computed in float32", "without": {"fall": 0.0875, **FIGURES}},
        {"operator": "a/Pad", "kind": "PAD", "means": "float32", "without": None},
    ],
}  # fmt: skip


def section(quantization: Any) -> str:
    page = render({"verdict": "verified", "quantization": quantization}).replace("<wbr>", "")
    return page.partition('<section aria-labelledby="h-bits">')[2].partition("</section>")[0]


def rows(text: str, table: str) -> list[list[str]]:
    body = text.partition(f'id="{table}"')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in body.split("<tr>")[1:]]
    return [[re.sub(r"<[^>]+>", "", cell) for cell in row] for row in cells]


def test_bytes_and_time_stand_beside_those_of_the_float_twin_and_of_nothing_done() -> None:
    text = section(QUANTIZATION)
    assert "<h2" in text and "Int8 with int8 at its ends, calibrated on 180 steering inputs of digits.npy" in text
    assert "1 of 12 operators with weights in 16 bits and computed in float32, 1 of 12 operators in float32" in text
    assert rows(text, "costs") == [
        ["in float", "50000", "100.0%", "2", "100.0%"],
        ["with nothing done", "12500", "25.0%", "0.5", "25.0%"],
        ["this target", "17000", "34.0%", "1", "50.0%"],
    ]
    assert "medians of 30 calls, 2 threads, LiteRT with XNNPACK" in text


def test_what_was_done_for_the_aim_says_what_it_brings_and_costs() -> None:
    done = {"aim": 0.005, "before": 0.0333, "after": 0.0233, "nearer": 0.25, "work": 0.13}
    text = section(QUANTIZATION | {"minimal": False, "aimed": done})
    assert (
        "outputs lie 25 % nearer" in text
        and "2.33 % is lost, with nothing done 3.33 %; aimed at 0.5 % or less, which" in text
    )
    assert "13 % of the work is not in integers" in text and "can be left out" not in text
    assert "which nothing" not in section(QUANTIZATION | {"aimed": done | {"after": 0.0033}})


def test_each_operator_that_got_more_says_by_what_means_and_what_is_lost_without_it() -> None:
    text = section(QUANTIZATION)
    assert rows(text, "more-bits") == [
        ["a/Conv", "CONV_2D", "weights in 16 bits, computed in float32", "8.8%", "12.5%"],
        ["a/Pad", "PAD", "float32", "-", "-"],
    ]
    assert "None of these can be left out" in text
    assert "left out" not in section({**QUANTIZATION, "minimal": False})


def test_tensors_stored_anew_stand_there_with_what_was_wrong() -> None:
    stored = [{"tensor": "a/Conv;b", "was": "a scale 8 times as large", "without": FIGURES}]
    text = section({"optimize": "int8", "bytes": 9000, "minimal": True, "stored_anew": stored})
    assert rows(text, "costs") == [["this target", "9000", "-", "-", "-"]]
    assert rows(text, "more-bits") == [["a/Conv", "tensor", "stored anew, had a scale 8 times as large", "-", "12.5%"]]


@pytest.mark.parametrize("quantization", [None, {}, [], "int8"])
def test_a_target_that_was_not_reduced_has_no_such_section(quantization: Any) -> None:
    assert section(quantization) == ""


@pytest.mark.parametrize("broken", [None, "nan", "inf", -1, 0, [], {"float_ms": 0, "target_ms": "1"}, [{"without": 3}]])
def test_a_certificate_may_hold_anything(broken: Any) -> None:
    for key in QUANTIZATION:
        assert "<h2" in section({**QUANTIZATION, key: broken})

"""JUnit XML as continuous integration reads it: the schema's structure, counts that agree, and what the cases say."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from safeconvert.errors import NoVerdict
from safeconvert.report import junit
from tests.command import safeconvert

if TYPE_CHECKING:
    from tests.conftest import Converted

# Jenkins' junit-10.xsd: attributes that must be there, those that may, and the children in their order
SCHEMA: dict[str, tuple[set[str], set[str], tuple[str, ...]]] = {
    "testsuites": (set(), {"name", "tests", "failures", "errors", "skipped", "time"}, ("testsuite",)),
    "testsuite": (
        {"name", "tests"}, {"failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package", "file"},
        ("properties", "testcase", "system-out", "system-err"),
    ),
    "properties": (set(), set(), ("property",)),
    "property": ({"name", "value"}, set(), ()),
    "testcase": ({"name"}, {"classname", "time", "status", "file", "line"},
                 ("skipped", "error", "failure", "system-out", "system-err")),
    "skipped": (set(), {"message"}, ()),
    "failure": (set(), {"message", "type"}, ()),
    "error": (set(), {"message", "type"}, ()),
    "system-out": (set(), set(), ()),
}  # fmt: skip


def checked(data: bytes) -> ET.Element:
    """The root, after structure and counts are checked."""
    root = ET.fromstring(data)
    assert root.tag == "testsuites"
    for element in root.iter():
        needed, allowed, children = SCHEMA[element.tag]
        assert needed <= set(element.attrib) <= needed | allowed, ET.tostring(element)
        places = [children.index(child.tag) for child in element]
        assert places == sorted(places), ET.tostring(element)
    for suite in [root, *root.iter("testsuite")]:
        cases = list(suite.iter("testcase"))
        assert suite.get("tests") == str(len(cases))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(attribute) == str(sum(case.find(tag) is not None for case in cases))
        names = [(case.get("classname"), case.get("name")) for case in cases]
        assert len(set(names)) == len(names)
    return root


def outcomes(root: ET.Element) -> dict[str, str]:
    """By a case's name, how it ended."""
    found = {}
    for case in root.iter("testcase"):
        ends = [child.tag for child in case if child.tag != "system-out"]
        found[str(case.get("name"))] = ends[0] if ends else "passed"
    return found


@pytest.mark.converters
def test_a_verified_conversion_fails_no_case(verified: Converted) -> None:
    assert verified.called.code == 0, verified.called.text
    root = checked(verified.junit.read_bytes())
    (suite,) = root
    found = outcomes(root)
    assert suite.get("name") == "model.tflite" and "failure" not in found.values() and "error" not in found.values()
    for name in ("source is a function", "target runs natively", "exporter agreement: source", "verdict"):
        assert found[name] == "passed"
    assert sum(name.startswith("output ") for name in found) == 1


@pytest.mark.converters
def test_a_refuted_conversion_fails_for_its_output_and_each_fault(refuted: Converted) -> None:
    assert refuted.called.code == 1, refuted.called.text
    root = checked(refuted.junit.read_bytes())
    found = outcomes(root)
    faults = {name: end for name, end in found.items() if name.startswith("fault ")}
    assert len(faults) == 2 and set(faults.values()) == {"failure"} and all("Selu" in name for name in faults)
    assert (
        found["values within tolerance"] == found["verdict"] == "failure" and found["target runs natively"] == "passed"
    )
    properties = {item.get("name"): item.get("value") for item in root.iter("property")}
    assert "takes the source's dimensions in the order [0, 2, 3, 1]" in str(properties["obligation.1"])


@pytest.mark.converters
def test_the_same_is_written_from_the_certificate(refuted: Converted, tmp_path: Path) -> None:
    called = safeconvert("show", refuted.certificate, "--junit", tmp_path / "again.xml")
    assert called.code == 0, called.text
    again, first = (outcomes(checked(path.read_bytes())) for path in (tmp_path / "again.xml", refuted.junit))
    assert again == first


def test_an_error_is_a_case_of_its_own_and_an_earlier_file_is_gone(tmp_path: Path) -> None:
    place = tmp_path / "junit.xml"
    place.write_text("<testsuites name=\"safeconvert\" tests='1'/>")
    called = safeconvert("torch2onnx", tmp_path / "absent.pt", "--junit", place)
    assert called.code == 2
    root = checked(place.read_bytes())
    assert outcomes(root) == {"verdict": "error"} and "no such file" in ET.tostring(root, "unicode")
    made = junit.of_error(NoVerdict("m.pt: gives other outputs on the same inputs: not a function", "eval()"), "m.pt")
    assert outcomes(checked(junit.render([made]))) == {"source is a function": "error"}


@pytest.mark.parametrize("name", ["model.pt", "model.onnx", "noending"])
def test_no_model_is_overwritten_by_a_slip(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"precious")
    for flag in ("--junit", "--model-explorer"):
        called = safeconvert("torch2onnx", tmp_path / name, flag, tmp_path / name)
        assert called.code == 2 and flag in called.err
    assert (tmp_path / name).read_bytes() == b"precious"


PREDICATE: dict[str, Any] = {
    "verdict": "verified", "reason": "", "seconds": {"a": 1.5}, "obligations": ["x\x00\x1b[31m<&>\"'"],
    "verification": {"source native vs target native": {
        "equal": True, "samples": 10, "beyond_tolerance": 1,
        "outputs": [{"name": "y", "comparator": "allclose", "disagreements": 1, "max_abs": "inf", "relative": "nan"}] * 2,
    }},
    "comparator": {"max_discrepancy": 0.2},
    "exporters": {"source": {"verdict": "different", "reason": "tf2onnx changed it"}},
    "faults": [{"kind": "WB"}, {"kind": "LH", "proven": True}, {"kind": "PP"}], "trials": [{"faults": [1], "outcome": "accepted"}],
    "attempts": [{"route": ["a"], "outcome": "crashed", "reason": "no"}, {"route": ["b"], "outcome": "verified"}],
}  # fmt: skip


def test_what_does_not_decide_the_verdict_fails_no_case() -> None:
    found = outcomes(checked(junit.render([junit.of_certificate(PREDICATE, "m")])))
    assert found["exporter agreement: source"] == found["route a"] == "skipped"
    assert found["fault 1 WB: - ↔ - (-)"] == "skipped" and found["fault 2 LH: - ↔ - (-)"] == "passed"
    assert found["output y: allclose"] == found["output y: allclose #2"] == "passed"
    assert not {"failure", "error"} & set(found.values())


@pytest.mark.parametrize("broken", [None, 3, "text", [], {}, [None], {"a": []}])
def test_whatever_a_certificate_lacks_the_file_is_valid(broken: object) -> None:
    for key in PREDICATE:
        checked(junit.render([junit.of_certificate(json.loads(json.dumps({**PREDICATE, key: broken})), "m")]))

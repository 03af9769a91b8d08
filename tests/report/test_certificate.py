"""A certificate on the terminal: whatever it holds, it is shown as plain text, whole, in 80 columns."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from safeconvert.report.certificate import render

FIGURES = {
    "samples": 32,
    "disagreements": 0,
    "discrepancy": 0.0,
    "upper_bound": 0.0894,
    "max_abs": 3.5e-7,
    "equal": True,
}
WHOLE: dict[str, Any] = {
    "verdict": "verified",
    "reason": "all labels agree",
    "source": {"path": "../models/mobilenetv2_imagenet_a_rather_long_name.pt", "format": "torch", "sha256": "Z" * 64, "cut": {"from": ["relu"], "to_node": ["pool"], "sha256": "cd"}},
    "target": {"path": "mobilenetv2_imagenet_a_rather_long_name.keras", "format": "keras", "sha256": "Q" * 64},
    "route": [
        {"adapter": "torch_onnx_script", "from": "torch", "to": "onnx", "packages": {"torch": "2.13.0", "onnx": "1.19.0"}},
        {"adapter": "onnx2keras", "from": "onnx", "to": "keras", "packages": {"onnx2keras": "0.0.25", "keras": "3.15.0"}},
    ],
    "attempts": [{"route": ["onnx2keras"], "outcome": "crashed", "reason": "no such operator"}],
    "contract": {
        "inputs": [
            {
                "source": {"name": "x", "shape": [None, 3, 224, 224], "dtype": "float32"},
                "target": {"name": "x", "shape": [None, 224, 224, 3], "dtype": "float32"},
                "permutation": [0, 2, 3, 1],
                "reason": "declared by onnx2keras",
            }
        ],
        "outputs": [{"source": {"name": "logits"}, "target": {"name": "dense"}, "permutation": None}],
        "preprocessing": {"name": "torchvision"},
    },
    "verification": {"native": FIGURES, "source export": FIGURES, "target export": FIGURES},
    "exporters": {"source": {"verdict": "faithful"}, "target": {"verdict": "faithful"}},
    "obligations": ["preprocess as torchvision does"],
    "comparator": {"name": "top1", "tolerances": {"rtol": 1e-4, "atol": 1e-5}},
    "inputs": {"origin": "images/ (64 images)", "count": 64},
    "seconds": {"converting": 3.25},
}  # fmt: skip


def shown(content: object, width: int = 80) -> str:
    file = io.StringIO()
    render(content, Console(file=file, width=width))  # type: ignore[arg-type]
    return file.getvalue()


def paths(value: object, prefix: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """The way to every value of a tree."""
    yield prefix
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*prefix, key))


def replaced(value: Any, path: tuple[object, ...], new: object) -> Any:
    """The tree with another value at the end of a way."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def test_all_that_matters_is_shown_and_no_digest_is_cut() -> None:
    text = shown(WHOLE)
    assert max(map(cell_len, text.splitlines())) <= 80
    letters = "".join(text.split())
    for part in (
        "verified",
        "torch_onnx_script",
        "crashed",
        "torchvision",
        "0.0894",
        "3.5e-07",
        "faithful",
        "top1",
        "[0,2,3,1]",
    ):
        assert part in letters, part
    assert letters.count("Z") == letters.count("Q") == 64


@pytest.mark.parametrize(
    "content", [{}, {"verdict": None}, {"route": 3, "contract": [], "verification": "x", "attempts": [3]}], ids=str
)
def test_what_is_missing_is_a_dash(content: dict[str, object]) -> None:
    assert shown(content).startswith("-  -")


HOSTILE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text("\\[]/:boldaple\x1b\u202e\n", max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(where=st.sampled_from(list(paths(WHOLE))[1:]), value=HOSTILE)
@example(where=("reason",), value="[/]")
@example(where=("verification",), value={"[/bold]" * 3: {}, "漢字" * 30: {"samples": 1}})
def test_any_value_anywhere_is_printed_in_80_columns_without_control_characters(
    where: tuple[object, ...], value: object
) -> None:
    text = shown(replaced(WHOLE, where, value))
    assert all(line.isprintable() and cell_len(line) <= 80 for line in text.split("\n"))


@settings(max_examples=80, deadline=None)
@given(text=st.text("\\[]/:=#@boldapple ", min_size=1, max_size=30).filter(str.strip))
@example(text=":apple:")
@example(text="back\\")
@example(text="[bold]")
def test_text_is_shown_letter_by_letter(text: str) -> None:
    """No markup, no emoji codes, no backslash more or less: what is shown is what was certified."""
    for key in ("verdict", "reason"):
        first = shown({key: text}, 200).split("\n")[0]
        assert first.rstrip() == (f"{text}  -" if key == "verdict" else f"-  {text}").rstrip()
    path = shown({"source": {"path": text}}, 200)
    assert f" {text} ".rstrip() in path or text.strip() in path


def test_the_tests_table_is_what_a_certificate_can_hold() -> None:
    assert json.loads(json.dumps(WHOLE)) == WHOLE


def test_no_text_stands_twice_and_made_up_inputs_have_no_bound() -> None:
    same = {**WHOLE, "attempts": [{"route": ["onnx2keras"], "outcome": "verified", "reason": WHOLE["reason"]}]}
    assert shown(same).count(WHOLE["reason"]) == 1 and "route onnx2keras: verified" in shown(same)
    assert "no such operator" in shown(WHOLE)
    for made_up, bounded in ((True, False), (False, True), (None, True)):
        inputs = {"count": 64} | ({} if made_up is None else {"generated": made_up})
        assert ("upper bound" in shown({**WHOLE, "inputs": inputs})) is bounded


def test_what_was_not_exercised_is_shown() -> None:
    left = {"items": 2, "exercised": 1, "missing": ["Relu r: negative"]}
    assert "not exercised: Relu r: negative" in shown({**WHOLE, "coverage": left})

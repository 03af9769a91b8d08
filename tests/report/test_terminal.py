"""What a person is shown of a run that was not clean: in terminals of 40 to 200 columns, and in a pipe."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from safeconvert.errors import ExitCode
from safeconvert.report.coverage import coverage_line, figures_line
from safeconvert.report.next_step import next_step
from safeconvert.report.outcome import Outcome, Tried
from safeconvert.report.proof import proof_words
from safeconvert.report.routes import route_lines
from safeconvert.report.tree import change, fault_tree, route_tree
from safeconvert.report.view import view
from tests.command import ROOT

SHOW = Path(__file__).parent / "programs" / "show_outcome.py"
LONG = "functional_1/block_13_project_batch_normalization_1/FusedBatchNormV3_with_a_name_that_no_terminal_holds"


def _fault(kind: str, target: str, proven: bool = True, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "source": "/3/Conv", "target": target, "operator": "Conv", "proven": proven, "isolated": 0.117,
            "propagated": "inf", "evidence": "input 1: 1 of 4608 values differ, by at most 0.9", **more}  # fmt: skip


def _trial(faults: list[int], outcome: str, after: float | None, reason: str = "") -> dict[str, Any]:
    figures = {"discrepancy": after, "distance": 0.25} if after is not None else None
    return {"faults": faults, "outcome": outcome, "reason": reason, "before": {"discrepancy": 0.8, "distance": 0.5},
            "after": figures}  # fmt: skip


PREDICATE: dict[str, Any] = {
    "verdict": "verified",
    "reason": "equal on 180 held-out inputs",
    "faults": [
        _fault("WB", "Conv__34"),
        _fault("LH", LONG, source="/\x1b[31mred\n"),
        _fault("TSS", "Reshape_2", source=None),
        _fault("CG", "Add_1"),
        _fault("WB", "Dense_1", proven=False, change="precision"),
        _fault("PP", "input"),
        _fault("WB", "Mul_1", proven=False),
    ],
    "trials": [
        _trial([3], "invalid", None, "Add_1 takes 3 inputs"),
        _trial([2], "no_gain", 0.8),
        _trial([0, 1], "accepted", 0.0),
    ],
    "repair": {"before": {"discrepancy": 0.8, "distance": 0.5}, "after": {"discrepancy": 0.0, "distance": 1e-6},
               "lift": "weights patched in the keras file"},
    "layers": [{"target": LONG, "rate": 0.25, "elements": 400}],
    "obligations": ["input x: target takes the source's dimensions in the order [0, 2, 3, 1]"],
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with the content of a certificate."""
    (tmp_path / "content.json").write_text(json.dumps(PREDICATE))
    return tmp_path


def _piped(folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, str(SHOW), "content.json"], cwd=folder, capture_output=True, check=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize(("route", "shown"), [(["tflite_ops"], False), (["tf2onnx", "onnx2torch"], True), ([], True)])
def test_an_exporter_s_fault_is_not_shown_beside_a_right_target_that_another_route_led_to(
    route: list[str], shown: bool, tmp_path: Path
) -> None:
    content = {
        "verdict": "verified", "reason": "equal on 16 held-out inputs", "route": [{"adapter": name} for name in route],
        "exporters": {"source": {"adapter": "tf2onnx", "verdict": "different", "reason": "tf2onnx changed the source"}},
    }  # fmt: skip
    (tmp_path / "content.json").write_text(json.dumps(content))
    assert ("exporter fault" in _piped(tmp_path)) is shown


def _in_terminal(folder: Path, columns: int) -> str:
    """What a terminal of so many columns gets."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, str(SHOW), "content.json"], cwd=folder, stdin=child, stdout=child, stderr=child,
        env={**environment, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(child)
    got = b""
    while True:
        try:
            data = os.read(parent, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not data:
            break
        got += data
    os.close(parent)
    assert process.wait() == 0, got.decode()
    return got.decode().replace("\r\n", "\n")


def _tree(printed: str) -> list[str]:
    lines = re.sub(r"\x1b\[[0-9;]*m", "", printed).splitlines()
    begin = lines.index("  faults")
    return [line for line in lines[begin:] if line == "  faults" or re.match(r"  [├└│ ]", line)]


def _told(lines: list[str]) -> str:
    """The tree's words, without branches and without where its lines end."""
    return re.sub(r"[\s├└│─]", "", "".join(lines))


def test_in_a_pipe_every_branch_is_a_line_without_control_codes(run: Path) -> None:
    printed = _piped(run, COLUMNS="40")
    assert "\x1b" not in printed and printed.startswith("verified  a model.keras\n")
    assert printed == _piped(run, FORCE_COLOR="", TERM="dumb")
    assert _tree(printed) == [
        "  faults",
        "  ├── 1. fault WB: /3/Conv ↔ Conv__34 (Conv)",
        "  │   ├── input 1: 1 of 4608 values differ, by at most 0.9",
        "  │   ├── isolated error 0.117, propagated inf",
        "  │   └── repaired; trial 3 with fault 2: 80.0% → 0.0% of inputs differ",
        f"  ├── 2. fault LH: /\\x1b[31mred\\n ↔ {LONG} (Conv)",
        "  │   ├── input 1: 1 of 4608 values differ, by at most 0.9",
        "  │   ├── isolated error 0.117, propagated inf",
        "  │   └── repaired; trial 3 with fault 1: 80.0% → 0.0% of inputs differ",
        "  ├── 3. fault TSS: - ↔ Reshape_2 (Conv)",
        "  │   ├── input 1: 1 of 4608 values differ, by at most 0.9",
        "  │   ├── isolated error 0.117, propagated inf",
        "  │   └── not repaired: undoing it gains nothing; trial 2 no gain: 80.0% → 80.0% of inputs differ, distance 0.5 → 0.25",
        "  ├── 4. fault CG: /3/Conv ↔ Add_1 (Conv)",
        "  │   ├── input 1: 1 of 4608 values differ, by at most 0.9",
        "  │   ├── isolated error 0.117, propagated inf",
        "  │   └── not repaired: it could not be undone; trial 1 invalid: Add_1 takes 3 inputs",
        "  ├── 5. suspicion WB: /3/Conv ↔ Dense_1 (Conv)",
        "  │   ├── input 1: 1 of 4608 values differ, by at most 0.9",
        "  │   ├── isolated error 0.117, propagated inf",
        "  │   └── kept in fewer bits",
        "  ├── 6. fault PP: /3/Conv ↔ input (Conv)",
        "  │   ├── input 1: 1 of 4608 values differ, by at most 0.9",
        "  │   ├── isolated error 0.117, propagated inf",
        "  │   └── in what the target is fed, not in its file",
        "  └── 7. suspicion WB: /3/Conv ↔ Mul_1 (Conv)",
        "      ├── input 1: 1 of 4608 values differ, by at most 0.9",
        "      ├── isolated error 0.117, propagated inf",
        "      └── not repaired: nothing was tried",
    ]
    after = printed[printed.index("nothing was tried") :].splitlines()[1:]
    assert "  repair: 3 tried, 1 accepted; 80.0% → 0.0% of inputs differ; weights patched in the keras file" in after
    assert after[-1] == "  next: safeconvert report 'a model.keras.certificate.json'"


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
def test_in_a_terminal_the_tree_keeps_to_its_width_and_loses_nothing(columns: int, run: Path) -> None:
    printed = _in_terminal(run, columns)
    lines = _tree(printed)
    assert max(map(len, lines)) <= columns
    assert _told(lines) == _told(_tree(_piped(run)))
    assert "\x1b[1;32mverified\x1b[0m" in printed and "\x1b[31m" not in printed, (
        "colours are ours, not the node's name's"
    )
    assert "…" not in printed


def test_a_locale_without_arrows_is_no_failure(run: Path) -> None:
    printed = _piped(run, PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert "1. fault WB: /3/Conv \\u2194 Conv__34" in printed and "+-- " in printed


def test_no_fault_is_no_tree_and_many_are_cut_with_their_number() -> None:
    assert fault_tree({}) is None and fault_tree({"faults": None}) is None
    tree = fault_tree({"faults": [_fault("WB", f"n{n}") for n in range(20)]})
    assert tree is not None and len(tree.children) == 13
    assert str(tree.children[-1].label) == "and 8 more faults; safeconvert show --json has them all"
    busy = fault_tree({"faults": [_fault("WB", "n")], "trials": [_trial([0], "no_gain", 0.8)] * 5})
    assert busy is not None
    (state,) = busy.children[0].children[-1:]
    assert [str(child.label).split(":")[0] for child in state.children] == [
        "trial 3 no gain", "trial 4 no gain", "trial 5 no gain", "and 2 earlier trials",
    ]  # fmt: skip


def test_compared_routes_are_a_tree_too_the_kept_one_last() -> None:
    wrong = Tried("a → b", "not_equivalent", "differs on 3 of 6 inputs", 0.25, 12.34)
    tree = route_tree([wrong, Tried("c", "crashed", "no\nkernel", None, 0.0), Tried("d", "verified", "", 1e-6, 3.0)])
    assert [(str(branch.label), [str(leaf.label) for leaf in branch.children]) for branch in tree.children] == [
        ("a → b: not equivalent", ["max-abs 0.25, 12.3 s", "differs on 3 of 6 inputs"]),
        ("c: crashed", ["no\\nkernel"]),
        ("d: verified", ["max-abs 1e-06, 3.0 s"]),
    ]


def test_a_way_is_said_in_shares_and_where_they_stay_in_distances() -> None:
    assert change((0.5, 0.0), (1.0, 0.0)) == "50.0% → 0.0% of inputs differ"
    assert change((0.0, 0.0), (1.0, 0.25)) == "0.0% → 0.0% of inputs differ, distance 1 → 0.25"
    assert change((0.5, None), (1.0, None)) == ""


def _outcome(code: ExitCode, certificate: bool, faults: int, *formats: str) -> Outcome:
    place = Path.cwd() / "m.certificate.json" if certificate else None
    sides = {side: {"format": name} for side, name in zip(("source", "target"), formats, strict=False)}
    return Outcome(code, "", Path("m"), None, place, {"faults": [{}] * faults, **sides}, (), None)


@pytest.mark.parametrize(
    ("outcome", "words", "expected"),
    [
        (_outcome(ExitCode.VERIFIED, True, 0), ["torch2keras", "m.pt"], ""),
        (_outcome(ExitCode.VERIFIED, True, 1), ["torch2keras", "m.pt"], "safeconvert report m.certificate.json"),
        (_outcome(ExitCode.NOT_EQUIVALENT, True, 2), ["torch2keras", "m.pt"], "safeconvert report m.certificate.json"),
        (
            _outcome(ExitCode.NOT_EQUIVALENT, True, 0),
            ["verify", "m.pt", "a b.onnx", "--certificate", "c.json", "--key=k", "--rtol", "1"],
            "safeconvert localize m.pt 'a b.onnx' --rtol 1",
        ),
        (_outcome(ExitCode.NOT_EQUIVALENT, False, 1), ["localize", "m.pt", "m.onnx"], "safeconvert repair m.pt m.onnx"),
        (
            _outcome(ExitCode.NOT_EQUIVALENT, False, 1, "torch", "onnx"),
            ["repair", "m.pt", "m.onnx", "-o", "n.onnx", "--rtol", "1"],
            "safeconvert convert m.pt --to onnx --routes all --rtol 1",
        ),
        (_outcome(ExitCode.NOT_EQUIVALENT, False, 1, "onnx", "onnx"), ["repair", "m.onnx", "n.onnx"], ""),
        (_outcome(ExitCode.NOT_EQUIVALENT, False, 1), [], ""),
        (_outcome(ExitCode.NO_ROUTE, False, 0), ["torch2keras", "m.pt"], ""),
        (_outcome(ExitCode.NO_VERDICT, False, 0), ["verify", "m.pt", "m.onnx"], ""),
    ],
)
def test_the_next_command_can_be_typed_as_it_is(outcome: Outcome, words: list[str], expected: str) -> None:
    assert next_step(outcome, words) == expected


@pytest.mark.parametrize("code", list(ExitCode))
@pytest.mark.parametrize("certificate", [True, False])
@pytest.mark.parametrize(
    "words",
    [
        ["torch2keras", "m.pt"],
        ["convert", "m.pt", "--to", "keras", "--routes", "all"],
        ["verify", "m.pt", "m.keras"],
        ["localize", "m.pt", "m.keras"],
        ["repair", "m.pt", "m.keras", "-o", "n.keras"],
    ],
)
def test_the_next_command_is_another_one(code: ExitCode, certificate: bool, words: list[str]) -> None:
    for faults in (0, 1):
        following = next_step(_outcome(code, certificate, faults, "torch", "keras"), words)
        assert following != " ".join(["safeconvert", *words])


def test_no_route_and_no_reason_is_said_twice() -> None:
    crashed = [Tried(name, "crashed", "unsupported padding", None, 1.0) for name in ("a", "b → c")]
    wrong = Tried("d", "not_equivalent", "differs", 0.5, 1.0)
    assert route_lines([*crashed, wrong]) == [
        "routes a; b → c: crashed: unsupported padding", "route d: not equivalent: differs",
    ]  # fmt: skip
    assert route_lines([*crashed, wrong], "none of 2 routes: unsupported padding")[0] == "routes a; b → c: crashed"
    right = [Tried("as given", "verified", "equal", 0.0, 1.0)] * 2
    assert route_lines(right) == ["route as given: verified", "route as given, repaired: verified"]
    given = Tried("as given", "not_equivalent", "differs", 0.5, 1.0)
    fixed = Tried("as given", "verified", "equal", 0.0, 1.0)
    assert route_lines([given, fixed], "equal") == [
        "route as given: not equivalent: differs", "route as given, repaired: verified",
    ]  # fmt: skip


def _figures(equal: bool = True, bound: float = 0.0165, generated: bool | None = False) -> dict[str, Any]:
    native = {"equal": equal, "max_abs": 4.17e-06, "upper_bound": bound}
    return {"verdict": "verified", "verification": {"source native vs target native": native},
            "inputs": {} if generated is None else {"generated": generated}}  # fmt: skip


def test_a_bound_is_given_of_inputs_that_come_from_somewhere() -> None:
    with_bound = "max-abs 4.17e-06; disagreement rate below 1.65% with 95 % confidence, for inputs like the given ones"
    assert figures_line(_figures()) == with_bound
    for made_up in (_figures(generated=True), _figures(generated=None), _figures(bound=0.95)):
        assert figures_line(made_up) == "max-abs 4.17e-06"
    assert figures_line(_figures(equal=False)) == "" and figures_line({}) == ""
    titles = [
        [tile["title"] for tile in view(_figures(generated=made), None, [], "")["tiles"]] for made in (True, False)
    ]
    assert ["Disagreement rate" in one for one in titles] == [False, True]


def test_what_was_not_exercised_is_named() -> None:
    assert coverage_line({"coverage": {"items": 5, "exercised": 5, "missing": []}}) == ""
    left = {"items": 9, "exercised": 4, "missing": ["a", "b", "c", "d", "e"]}
    assert coverage_line({"coverage": left}) == "not exercised: a, b, c and 2 more"
    alone = {"items": 1, "exercised": 1, "missing": [], "reason": "the source has no ONNX form"}
    assert coverage_line({"coverage": alone}) == "only outputs were looked at (the source has no ONNX form)"
    assert coverage_line({}) == ""


@pytest.mark.parametrize(
    ("level", "lacking", "expected"),
    [
        ("full", [], None),
        ("off", ["switched off"], "containment: off; what is in the model files could do whatever you can"),
        (
            "partial",
            ["no Landlock: files are not guarded"],
            "containment: no Landlock: files are not guarded; run only",
        ),
    ],
)
def test_what_containment_lacked_is_said_and_nothing_where_it_held(
    level: str, lacking: list[str], expected: str | None, tmp_path: Path
) -> None:
    held = {"containment": {"mode": "auto", "level": level, "lacking": lacking, "workers": {}}}
    (tmp_path / "content.json").write_text(json.dumps(PREDICATE | held))
    told = _piped(tmp_path)
    assert (expected in told) if expected is not None else ("containment" not in told)


def test_a_proof_is_in_the_summary_and_on_the_page_in_three_words() -> None:
    for level, words in (
        ("onnx", "proven between ONNX forms"),
        ("native", "proven end to end"),
        ("sampled", ""),
        ("all", ""),
    ):
        assert proof_words({"level": level}) == words
        assert (
            "Proof" in [tile["title"] for tile in view({"proof": {"level": level}}, None, [], "")["tiles"]]
        ) is bool(words)

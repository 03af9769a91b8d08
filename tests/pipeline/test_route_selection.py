"""Which of several verified targets is kept, how many routes are tried, and the table of all of them."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest

from safeconvert.adapter_api.protocol import UNCHANGED
from safeconvert.compare.comparison import Comparison
from safeconvert.conversion.route import Candidate
from safeconvert.errors import ExitCode, UnusableInput
from safeconvert.pipeline.results import Attempt, Compared, Crashed
from safeconvert.pipeline.route_selection import _limit, best_last
from safeconvert.registry.manifest import Adapter
from safeconvert.registry.routes import Route
from safeconvert.report.outcome import Outcome, Tried
from safeconvert.report.terminal import print_outcome
from tests.command import ROOT, safeconvert

FAKES = ROOT / "tests" / "fakes" / "converters"


class _Verification:
    """What `best_last` reads of a verification."""

    def __init__(self, disagreements: int, max_abs: float, equal: bool) -> None:
        self.native = Comparison(10, disagreements, 0, 0, 0, 0, 0, max_abs, 0, 0, equal, (), ())


def attempt(name: str, steps: int, max_abs: float, disagreements: int = 0, outcome: str = "verified") -> Attempt:
    adapter = Adapter(name, "", "converter", "", (), (), (), "", Path())
    verification = _Verification(disagreements, max_abs, outcome == "verified")
    compared = Compared(Candidate(Path(), UNCHANGED), verification)  # type: ignore[arg-type]
    return Attempt(Route((adapter,) * steps, ()), Crashed("") if outcome == "crashed" else compared)


@pytest.mark.parametrize(
    ("attempts", "kept"),
    [
        ([attempt("a", 1, 3e-6), attempt("b", 1, 1e-6), attempt("c", 1, 2e-6)], "b"),
        ([attempt("a", 3, 1e-6), attempt("b", 2, 1e-6), attempt("c", 2, 1e-6)], "b"),
        ([attempt("a", 1, 1e-9, disagreements=1), attempt("b", 3, 1e-3)], "b"),
        ([attempt("a", 1, math.nan), attempt("b", 3, 1.0)], "b"),
        ([attempt("a", 1, 1.0), attempt("b", 1, 0.0, outcome="not_equivalent")], "a"),
    ],
)
def test_the_smallest_distance_is_kept_then_the_fewest_steps(attempts: list[Attempt], kept: str) -> None:
    ordered = best_last(attempts)
    assert ordered[-1].route.names[0] == kept
    assert [one for one in attempts if one is not ordered[-1]] == ordered[:-1]


def test_without_a_verified_one_the_order_stays() -> None:
    attempts = [attempt("a", 1, 0.0, outcome="crashed"), attempt("b", 1, 0.0, outcome="not_equivalent")]
    assert best_last(attempts) == attempts


def test_how_many_routes_are_tried() -> None:
    assert (_limit("", 4), _limit("all", 4), _limit("2", 4)) == (4, None, 2)
    for text in ("0", "-1", "many", "²", "1.5"):
        with pytest.raises(UnusableInput, match="--routes"):
            _limit(text, 4)


@pytest.mark.converters
def test_all_routes_are_tried_and_listed_and_the_best_is_kept(source: Path, tmp_path: Path) -> None:
    for name in ("fake_segfault", "fake_wrong_weight"):
        shutil.copytree(FAKES / name, tmp_path / "more" / name)
    shutil.copy(FAKES / "_export.py", tmp_path / "more")
    (tmp_path / "c.toml").write_text('[adapters]\nfolders = ["more"]\n')
    arguments = ("torch2onnx", source, "--config", tmp_path / "c.toml", "--input-shape", "0,3,8,8", "--samples", "14")
    called = safeconvert(
        *arguments, "-o", tmp_path / "all.onnx", "--routes", "all", "--json",
        XDG_STATE_HOME=str(tmp_path / "state"), XDG_DATA_HOME=str(tmp_path / "no optional converters"),
    )  # fmt: skip
    assert called.code == 0, called.text
    tried = {attempt["route"]: attempt for attempt in called.json["attempts"]}
    assert {name: one["outcome"] for name, one in tried.items()} == {
        "torch_onnx_script": "verified", "torch_onnx_dynamo": "verified", "fake_segfault": "crashed",
        "fake_wrong_weight": "not_equivalent",
    }  # fmt: skip
    assert all(one["seconds"] > 0 and one["reason"] for one in tried.values())
    assert tried["fake_segfault"]["max_abs"] is None
    predicate = called.json["predicate"]
    (kept,) = [step["adapter"] for step in predicate["route"]]
    verified = [one["max_abs"] for one in tried.values() if one["outcome"] == "verified"]
    assert tried[kept]["max_abs"] == min(verified) and called.json["attempts"][-1]["route"] == kept
    assert predicate["verification"]["source native vs target native"]["max_abs"] == min(verified)
    assert {f"route {name}" for name in tried} <= predicate["seconds"].keys()


@pytest.mark.converters
@pytest.mark.slow
def test_a_step_that_failed_is_not_walked_again_by_other_routes(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "more" / "fake_first"
    folder.mkdir(parents=True)
    manifest = (FAKES / "fake_segfault" / "adapter.toml").read_text()
    (folder / "adapter.toml").write_text(
        manifest.replace("fake_segfault", "fake_first").replace("rank = 90", "rank = 0")
    )
    count = tmp_path / "count"
    (folder / "adapter.py").write_text(
        f"def convert(request):\n    open({str(count)!r}, 'a').write('x')\n    raise RuntimeError('never')\n"
    )
    (tmp_path / "c.toml").write_text('[adapters]\nfolders = ["more"]\n')
    arguments = ("torch2keras", source, "--config", tmp_path / "c.toml", "--input-shape", "1,3,8,8", "--samples", "14")
    called = safeconvert(
        *arguments, "-o", tmp_path / "m.keras", "--routes", "all", "--json", "--containment", "off",  # it counts its calls in a file
        XDG_STATE_HOME=str(tmp_path / "state"), XDG_DATA_HOME=str(tmp_path / "no optional converters"),
    )  # fmt: skip
    assert called.code == 0, called.text
    begun = [one for one in called.json["attempts"] if one["route"].startswith("fake_first")]
    assert [one["outcome"] for one in begun] == ["crashed"] * len(begun) and len(begun) > 1
    assert all("never" in one["reason"] for one in begun)
    assert count.read_text() == "xx"  # once for the source's ONNX form, once for all routes


def test_a_person_sees_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    attempts = (Tried("a → b", "crashed", "no [padding]", None, 2.0), Tried("c", "verified", "equal", 1.5e-6, 12.34))
    outcome = Outcome(ExitCode.VERIFIED, "equal", Path("m.onnx"), None, None, {}, attempts, None, compared=True)
    print_outcome(outcome, verbose=False)
    lines = [line.strip(" ├└│─") for line in capsys.readouterr().out.splitlines()]
    assert lines[lines.index("routes") :] == [
        "routes", "a → b: crashed", "2.0 s", "no [padding]", "c: verified", "max-abs 1.5e-06, 12.3 s", "equal",
    ]  # fmt: skip

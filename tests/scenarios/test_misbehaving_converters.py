"""Converters that misbehave, through the real command line: exit code, message, and nothing at the output."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import ROOT, Called, safeconvert

FAKES = ROOT / "tests" / "fakes"
SHAPE = ("--input-shape", "0,3,8,8", "--samples", "14")

pytestmark = pytest.mark.converters


@dataclass(frozen=True)
class Case:
    """A fake, the exit code it has to end in, what the message has to say, and whether a candidate is kept."""

    fake: str
    code: int
    says: tuple[str, ...]
    rejected: bool = False
    options: tuple[str, ...] = ()


CASES = (
    Case("wrong_weight", 1, ("not equivalent", "max-abs", "fault WB"), rejected=True, options=("--no-repair",)),
    Case("swapped_labels", 1, ("not equivalent", "labels or values on", "fault CG"), rejected=True,
         options=("--no-repair",)),
    Case("nan", 1, ("not equivalent", "on 7 of 7 generated inputs"), rejected=True, options=("--no-repair",)),
    Case("extra_output", 1, ("the target 2", "negated"), rejected=True, options=("--no-repair",)),
    Case("segfault", 3, ("fake_segfault failed while converting model.pt", "SIGSEGV")),
    Case("abort", 3, ("fake_abort failed while converting model.pt", "SIGABRT")),
    Case("leaves", 3, ("fake_leaves failed while converting model.pt", "exit code 7")),
    Case("hang", 3, ("fake_hang failed while converting model.pt", "time limit of 15 s"), options=("--timeout", "15")),
    Case("memory", 3, ("fake_memory failed while converting model.pt", "memory grew past the limit of 1024 MiB"),
         options=("--memory", "1024")),
    Case("raises", 3, ("fake_raises failed while converting model.pt", "ValueError: node Conv_3: unsupported padding")),
    Case("half_then_raise", 3, ("fake_half_then_raise", "connection to the converter lost")),
    Case("half_silent", 3, ("fake_half_silent wrote a target that does not load",), rejected=True),
    Case("nothing", 3, ("fake_nothing wrote a target that does not load", "no such file")),
    Case("wrong_file", 3, ("fake_wrong_file wrote a torch file",), rejected=True),
)  # fmt: skip


def convert(source: Path, folder: Path, fake: str, *options: str, config: str = "fakes.toml") -> Called:
    """Convert with one fake into a folder, its logs kept there too."""
    shutil.copy(source, folder / "model.pt")
    return safeconvert(
        "torch2onnx", folder / "model.pt", "-o", folder / "out.onnx", "--route", f"fake_{fake}" if fake else "",
        "--config", FAKES / config, *SHAPE, *options, XDG_STATE_HOME=str(folder / "state"),
    )  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fake)
def test_misbehaviour_has_its_exit_code_and_message(case: Case, source: Path, tmp_path: Path) -> None:
    called = convert(source, tmp_path, case.fake, *case.options)
    assert called.code == case.code, called.text
    for words in case.says:
        assert words in called.text
    assert "Traceback" not in called.text
    assert len(called.text.splitlines()) <= 18
    assert not (tmp_path / "out.onnx").exists()
    assert not (tmp_path / "out.onnx.certificate.json").exists()
    assert (tmp_path / "out.onnx.rejected").exists() is case.rejected
    left = {path.name for path in tmp_path.iterdir()}
    rejected = {f"out.onnx.rejected{suffix}" for suffix in ("", ".certificate.json", ".evidence.zip")}
    assert left <= {"model.pt", "state"} | rejected


def test_the_full_log_is_named_and_there(source: Path, tmp_path: Path) -> None:
    called = convert(source, tmp_path, "abort")
    (line,) = [line for line in called.out.splitlines() if "full logs:" in line]
    logs = Path(line.split("full logs:")[1].strip())
    assert any("Check failed: it == end()" in log.read_text() for log in logs.glob("*.log"))
    assert "core.cc:50" not in called.text


@pytest.mark.parametrize("fake", ["right", "chatter"])
def test_a_right_converter_is_verified_and_its_chatter_hidden(fake: str, source: Path, tmp_path: Path) -> None:
    called = convert(source, tmp_path, fake, "--json")
    assert called.code == 0, called.text
    assert called.json["verdict"] == "verified"
    assert called.err == ""
    assert (tmp_path / "out.onnx").is_file()
    written = {"out.onnx", "out.onnx.certificate.json", "out.onnx.evidence.zip"}  # the proof is evidence
    assert {path.name for path in tmp_path.iterdir()} == {"model.pt", *written, "state"}


@pytest.mark.parametrize(("fake", "kind"), [("wrong_weight", "WB"), ("swapped_labels", "CG"), ("nan", "CG")])
def test_a_wrong_target_is_repaired_and_verified_again(fake: str, kind: str, source: Path, tmp_path: Path) -> None:
    called = convert(source, tmp_path, fake, "--json")
    assert called.code == 0, called.text
    predicate = called.json["predicate"]
    assert {fault["kind"] for fault in predicate["faults"]} == {kind}
    assert all(fault["proven"] for fault in predicate["faults"])
    assert any(trial["outcome"] == "accepted" for trial in predicate["trials"])
    assert [attempt["outcome"] for attempt in predicate["attempts"]] == ["not_equivalent", "verified"]
    assert predicate["repair"]["lift"] == "repaired in the ONNX file"
    assert safeconvert("check", called.json["certificate"]).code == 0
    again = safeconvert("verify", tmp_path / "model.pt", tmp_path / "out.onnx", *SHAPE, "--seed", "5")
    assert again.code == 0, again.text


def test_what_stood_at_the_output_is_there_after_a_failure(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out.onnx").write_bytes(b"of last week")
    (tmp_path / "out.onnx.certificate.json").write_bytes(b"{}")
    assert convert(source, tmp_path, "wrong_weight", "--no-repair").code == 1
    assert (tmp_path / "out.onnx").read_bytes() == b"of last week"
    assert (tmp_path / "out.onnx.certificate.json").read_bytes() == b"{}"
    assert (tmp_path / "out.onnx.rejected").exists()
    called = convert(source, tmp_path, "right")
    assert called.code == 0 and "what stood there is kept at" in called.out
    assert (tmp_path / "out.onnx.previous").read_bytes() == b"of last week"
    assert not (tmp_path / "out.onnx.rejected").exists()


def test_a_target_that_is_swapped_after_it_was_made_is_not_what_is_published(source: Path, tmp_path: Path) -> None:
    """What is verified and certified is a copy: right, or refused where the swap came first."""
    called = convert(source, tmp_path, "swaps", "--no-repair")
    assert called.code in (0, 3), called.text
    assert (tmp_path / "out.onnx").exists() is (called.code == 0)
    if called.code == 0:
        assert safeconvert("check", tmp_path / "out.onnx.certificate.json").code == 0
        assert safeconvert("verify", source, tmp_path / "out.onnx", *SHAPE).code == 0


def test_a_typo_in_the_source_takes_nothing_away(tmp_path: Path) -> None:
    folder = tmp_path / "model_saved_model"
    folder.mkdir()
    for name, text in (("saved_model.pb", "x"), ("notes.txt", "a person's own")):
        (folder / name).write_text(text)
    assert safeconvert("torch2tf", tmp_path / "typo.pt", "-o", folder).code == 2
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "saved_model.pb": "x", "notes.txt": "a person's own",
    }  # fmt: skip


def test_a_rejected_target_has_a_certificate_that_check_refuses(source: Path, tmp_path: Path) -> None:
    called = convert(source, tmp_path, "wrong_weight", "--no-repair", "--json")
    certificate = Path(called.json["certificate"])
    assert certificate.name == "out.onnx.rejected.certificate.json"
    checked = safeconvert("check", certificate)
    assert checked.code == 1
    assert "its verdict is not 'verified'" in checked.out


def test_a_wrong_weight_is_refused_by_verify_too(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path, "wrong_weight", "--no-repair")
    rejected = tmp_path / "out.onnx.rejected"
    called = safeconvert("verify", source, rejected, *SHAPE, "--json")
    assert called.code == 1
    assert called.json["predicate"]["verification"]["source native vs target native"]["equal"] is False


def test_the_next_route_is_taken_where_one_fails(source: Path, tmp_path: Path) -> None:
    config = tmp_path / "first.toml"
    folder = tmp_path / "converters"
    shutil.copytree(FAKES / "converters", folder)
    for name in ("fake_segfault", "fake_wrong_weight"):
        manifest = folder / name / "adapter.toml"
        manifest.write_text(manifest.read_text().replace("rank = 90", "rank = 0"))
    config.write_text('[adapters]\nfolders = ["converters"]\n')
    called = convert(source, tmp_path, "", "--json", config=str(config))
    assert called.code == 0, called.text
    outcomes = {attempt["route"]: attempt["outcome"] for attempt in called.json["attempts"]}
    assert outcomes["fake_segfault"] == "crashed"
    assert outcomes["fake_wrong_weight"] == "not_equivalent"
    assert list(outcomes.values())[-1] == "verified"
    assert called.json["predicate"]["attempts"][0]["reason"]


def test_a_wrong_exporter_is_said_and_not_blamed_on_the_converter(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "converters"
    shutil.copytree(FAKES / "converters", folder)
    manifest = folder / "fake_wrong_weight" / "adapter.toml"
    manifest.write_text(manifest.read_text().replace("rank = 90", "rank = 0"))
    config = tmp_path / "wrong_exporter.toml"
    config.write_text('[adapters]\nfolders = ["converters"]\n')
    called = convert(source, tmp_path, "right", "--json", config=str(config))
    assert called.code == 0, called.text
    exporters = called.json["predicate"]["exporters"]
    assert exporters["source"]["verdict"] == "different"
    assert exporters["source"]["adapter"] == "fake_wrong_weight"
    assert "fake_wrong_weight changed the source" in exporters["source"]["reason"]


def test_a_target_that_dies_when_run_gives_no_verdict(source: Path, tmp_path: Path) -> None:
    shutil.copy(source, tmp_path / "model.pt")
    called = safeconvert(
        "torch2onnx", tmp_path / "model.pt", "--route", "torch_onnx_script", "--config", FAKES / "runtimes.toml", *SHAPE,
        XDG_STATE_HOME=str(tmp_path / "state"),
    )  # fmt: skip
    assert called.code == 4, called.text
    assert "the target does not run" in called.out and "SIGKILL" in called.out
    assert not (tmp_path / "model.onnx").exists()


def test_two_runs_give_the_same_certificate_but_for_times(source: Path, tmp_path: Path) -> None:
    predicates = []
    for _ in range(2):
        certificate = convert(source, tmp_path, "right", "--json").json["certificate"]
        predicates.append(safeconvert("show", certificate, "--json").json)
    for predicate in predicates:
        assert predicate.pop("seconds") and predicate.pop("made")
    assert json.dumps(predicates[0], sort_keys=True) == json.dumps(predicates[1], sort_keys=True)

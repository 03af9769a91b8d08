"""The table of flags: adding one touches one place, and everything that is made from it agrees with it."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from safeconvert import api
from safeconvert.cli import app as program
from safeconvert.cli import build, completion
from safeconvert.config import flags
from safeconvert.config.commands import COMMANDS, Section
from safeconvert.config.flag import Flag, Group, Kind
from safeconvert.config.flags import FLAGS, drop_in_keywords, keywords, known_flags
from safeconvert.config.project_file import Project, flag_values
from tests.docs import keywords as written
from tests.docs.reference import reference

PRINTED_ONLY = {"as_json", "quiet", "verbose"}


def test_a_flag_that_is_added_is_in_help_settings_config_api_and_reference(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    new = Flag("patience", Kind.INT, Group.LIMITS, ("convert", "torch2keras"), "Hours of it.", takes="int", least=2)
    monkeypatch.setattr(flags, "FLAGS", (*FLAGS, new))
    app = program.program()
    shown = CliRunner().invoke(app, ["torch2keras", "--help"]).output
    assert "--patience" in shown.split("Limits:")[1] and "Hours of it." in shown
    project = Project(tmp_path / "safeconvert.toml", {"flags": {"patience": 3}}, False)
    assert flag_values(project, "convert") == {"patience": 3} and flag_values(project, "verify") == {}
    (tmp_path / "c.toml").write_text("[flags]\npatience = 3\n")
    found = CliRunner().invoke(app, ["config", "convert", "--json", "--config", str(tmp_path / "c.toml")])
    assert {"key": "patience", "value": 3, "origin": "c.toml [flags]"} in json.loads(found.output)["flags"]
    assert "| `--patience` | Hours of it. |" in reference()
    assert "patience" in keywords("convert") and "    patience: int | None\n" in written.module()
    with pytest.raises(TypeError, match="patience"):  # verify has it not
        api.verify("a", "b", patience=3)  # type: ignore[call-arg]


def test_the_written_keywords_are_those_of_the_table() -> None:
    assert written.MODULE.read_text(encoding="utf-8") == written.module(), "run `python -m tests.docs.reference`"


@pytest.mark.parametrize("command", ["convert", "verify"])
def test_every_flag_that_does_not_only_print_is_a_keyword_of_the_api(command: str) -> None:
    named = {flag.parameter for flag in known_flags()[command].values()} - PRINTED_ONLY - {"to"}
    assert named == set(keywords(command))
    shown = inspect.signature(getattr(api, command)).parameters
    assert [*shown] == ["source", "to" if command == "convert" else "target", *keywords(command)]
    assert all(flag.text in (getattr(api, command).__doc__ or "") for flag in keywords(command).values())


def test_drop_ins_take_only_what_says_how_to_compare() -> None:
    assert {"inputs", "rtol", "key", "timeout"} <= set(drop_in_keywords())
    assert not {"route", "output", "trust_pickle", "repair"} & set(drop_in_keywords())


def test_each_command_runs_something_that_takes_its_flags() -> None:
    assert list(program.RUNS) != [] and {command.name for command in COMMANDS} == set(program.RUNS)
    for name, run in program.RUNS.items():
        named = {flag.parameter: None for flag in known_flags()[name].values()}
        arguments = {parameter.name: None for parameter in build.arguments(run)}
        inspect.signature(run).bind(**arguments, **named)


def test_no_key_stands_twice_for_one_command_and_every_flag_is_explained() -> None:
    pairs = [(command, flag.key) for flag in FLAGS for command in flag.commands]
    assert len(pairs) == len(set(pairs))
    for flag in FLAGS:
        assert flag.help[0].isupper() or flag.key in ("model", "comparator"), flag
        assert flag.help.endswith((".", ")")) and not flag.unset.endswith("."), flag
        assert flag.default in (None, "", False, True) or flag.unset, f"--{flag.key} does not say why {flag.default}"
        assert not flag.complete or callable(getattr(completion, flag.complete))


def test_the_main_commands_come_first_and_the_pairs_last() -> None:
    names = [command.name for command in COMMANDS]
    assert names[:7] == ["convert", "verify", "prove", "repair", "localize", "check", "gate"]
    assert all(command.section is Section.PAIRS for command in COMMANDS[-20:])
    assert not any(command.section is Section.PAIRS for command in COMMANDS[:-20])


def test_no_summary_is_cut_in_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = CliRunner().invoke(program.app, ["--help"]).output
    for command in COMMANDS:
        assert f"  {command.summary}\n" in shown, command.name
    places = [shown.index(f"\n{section}:") for section in Section]
    assert places == sorted(places)

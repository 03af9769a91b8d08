"""The project's settings file: which one counts, what it may say, and what goes before what."""

from __future__ import annotations

from pathlib import Path

import pytest

from safeconvert.config.project_file import Project, find_project, flag_values, open_project
from safeconvert.config.request import requested
from safeconvert.config.settings import load_settings
from safeconvert.errors import UnusableInput
from tests.command import safeconvert


def project(path: Path, text: str, named: bool = False) -> Project:
    path.write_text(text)
    if named:
        opened = open_project(path)
        assert opened is not None
        return opened
    found = find_project(path.parent)
    assert found is not None and found.path == path
    return found


def test_the_nearest_file_counts_and_safeconvert_toml_goes_first(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.safeconvert.flags]\nseed = 1\n")
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    found = find_project(inner)
    assert found is not None and found.path == tmp_path / "pyproject.toml"
    assert flag_values(found, "convert") == {"seed": 1}
    (tmp_path / "safeconvert.toml").write_text("[flags]\nseed = 2\n")
    found = find_project(inner)
    assert found is not None and flag_values(found, "convert") == {"seed": 2}
    (tmp_path / "a" / "safeconvert.toml").write_text("")
    found = find_project(inner)
    assert found is not None and found.path == tmp_path / "a" / "safeconvert.toml"


def test_a_command_s_own_table_goes_before_the_general_one(tmp_path: Path) -> None:
    given = project(
        tmp_path / "safeconvert.toml",
        "[flags]\nrtol = 1\nopset = 13\nlayer-analysis = 'tvm'\ninput_shape = ['1,3']\nrepair = false\n"
        "[flags.torch2onnx]\nopset = 18\nsamples = 5\n",
    )
    assert flag_values(given, "torch2onnx") == {
        "rtol": 1, "opset": 18, "input_shape": ["1,3"], "repair": False, "samples": 5,
    }  # fmt: skip
    assert flag_values(given, "localize") == {"rtol": 1, "layer_analysis": "tvm", "input_shape": ["1,3"]}
    assert flag_values(None, "localize") == {}


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    given = project(
        tmp_path / "safeconvert.toml", "[flags]\ninputs = 'images'\nkey = '/k'\npreprocessing = 'own.toml'\n"
        "[flags.repair]\npreprocessing = 'torchvision'\n",
    )  # fmt: skip
    values = flag_values(given, "convert")
    assert values == {"inputs": f"{tmp_path}/images", "key": "/k", "preprocessing": f"{tmp_path}/own.toml"}
    assert flag_values(given, "repair")["preprocessing"] == "torchvision"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[flags]\nsample = 3\n", "flags.sample did you mean samples"),
        ("[flags]\nsamples = '3'\n", "flags.samples of type int"),
        ("[flags]\nsamples = true\n", "flags.samples of type int"),
        ("[flags]\nrepair = 1\n", "flags.repair of type bool"),
        ("[flags]\ninput-shape = '1,3'\n", "flags.input-shape a list of texts"),
        ("[flags]\ninput-shape = [1]\n", "flags.input-shape a list of texts"),
        ("[flags.torch2kera]\nseed = 1\n", "[flags.torch2kera] did you mean torch2keras"),
        ("[flags.check]\nseed = 1\n", "flags.check.seed"),
        ("[flags]\ntrust-pickle = true\n", "flags.trust-pickle on the command line"),
        ("[flags]\ntrust_pickle = true\n", "flags.trust_pickle on the command line"),
        ("[flags]\nconfig = 'x'\n", "flags.config"),
        ("flags = 3\n", "flags is no table"),
    ],
)
def test_what_means_nothing_is_an_error_whatever_the_command(text: str, says: str, tmp_path: Path) -> None:
    given = project(tmp_path / "safeconvert.toml", text)
    for command in ("torch2keras", "show"):
        with pytest.raises(UnusableInput) as raised:
            flag_values(given, command)
        message = f"{raised.value.message} {raised.value.advice}"
        assert "safeconvert.toml" in message and all(word in message for word in says.split())


def test_a_file_that_is_named_may_trust_pickles(tmp_path: Path) -> None:
    text = "[flags]\ntrust-pickle = true\n"
    assert flag_values(project(tmp_path / "c.toml", text, named=True), "convert") == {"trust_pickle": True}


def test_sections_of_settings_are_read_from_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.safeconvert.limits]\nroutes = 2\n[tool.safeconvert.flags]\nseed=1\n"
    )
    assert load_settings(tmp_path / "pyproject.toml").limits.routes == 2
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nroutes = 2\n")
    assert load_settings(tmp_path / "pyproject.toml") == load_settings()


def test_the_command_line_goes_before_the_file_and_a_named_file_before_the_found_one(tmp_path: Path) -> None:
    (tmp_path / "safeconvert.toml").write_text("[flags]\ncomparator = 'found'\n")
    (tmp_path / "other.toml").write_text("[flags]\ncomparator = 'named'\n")
    for arguments, says in (
        ((), "'found'"),
        (("--config", "other.toml"), "'named'"),
        (("--config", "other.toml", "--comparator", "asked"), "'asked'"),
    ):
        called = safeconvert("torch2keras", "x.pt", *arguments, cwd=tmp_path)
        assert called.code == 2 and f"unknown comparator {says}" in called.err


def test_flags_of_commands_without_config_count_too(tmp_path: Path) -> None:
    (tmp_path / "safeconvert.toml").write_text("[flags.check]\njson = true\n")
    called = safeconvert("check", "x.json", cwd=tmp_path)
    assert called.code == 2 and called.json["exit_code"] == 2
    (tmp_path / "safeconvert.toml").write_text("[flags.check]\npublic-kez = 'x'\n")
    called = safeconvert("check", "x.json", cwd=tmp_path)
    assert called.code == 2 and "did you mean public-key?" in called.err and "Traceback" not in called.err


def test_config_shows_each_value_and_where_it_comes_from(tmp_path: Path) -> None:
    (tmp_path / "safeconvert.toml").write_text(
        "[flags]\nsamples = 14\nopset = 13\n[flags.torch2onnx]\nopset = 18\ninput_shape = ['1,3']\n[limits]\nroutes = 2\n"
    )
    shown = safeconvert("config", "torch2onnx", "--json", cwd=tmp_path).json
    assert shown["file"] == str(tmp_path / "safeconvert.toml")
    flags = {line["key"]: (line["value"], line["origin"]) for line in shown["flags"]}
    assert flags["samples"] == (14, "safeconvert.toml [flags]")
    assert flags["opset"] == (18, "safeconvert.toml [flags.torch2onnx]")
    assert flags["input-shape"] == (["1,3"], "safeconvert.toml [flags.torch2onnx]")
    assert flags["optimize"] == ("none", "default") and flags["inputs"] == (None, "default")
    settings = {line["key"]: (line["value"], line["origin"]) for line in shown["settings"]}
    assert settings["limits.routes"] == (2, "safeconvert.toml [limits]") and settings["inputs.seed"] == (0, "default")
    text = safeconvert("config", "torch2onnx", cwd=tmp_path).out
    assert "precedence: command line, settings file, defaults" in text and "[flags.torch2onnx]" in text
    assert safeconvert("config", "torch2onx", cwd=tmp_path).code == 2
    nothing = safeconvert("config", "--json", cwd=Path("/")).json
    assert nothing["file"] is None and {line["origin"] for line in nothing["flags"]} == {"default"}


@pytest.mark.parametrize("text", ['[limits]\ncontainment = "off"\n', '[flags]\ncontainment = "off"\n'])
def test_containment_is_switched_off_by_a_named_or_trusted_file_only(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "safeconvert.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnusableInput, match="switches containment off; a settings file that was found may not"):
        requested("convert", {})
    for given, config in (({"trust_project": True}, None), ({}, tmp_path / "safeconvert.toml")):
        assert requested("convert", given, config).settings.limits.containment == "off"
    (tmp_path / "safeconvert.toml").write_text(text.replace("off", "require"))
    assert requested("convert", {}).settings.limits.containment == "require"

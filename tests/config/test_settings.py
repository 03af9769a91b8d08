"""Settings: defaults, overlays, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.config.settings import load_settings
from safeconvert.core.resources import data_folder
from safeconvert.errors import UnusableInput


def test_defaults_agree_with_those_of_the_library() -> None:
    configured, built_in = load_settings().verify, VerifySettings()
    assert Tolerance(configured.rtol, configured.atol) == built_in.tolerance
    assert (configured.top_k, configured.cosine_threshold) == (built_in.top_k, built_in.cosine_threshold)
    assert configured.max_discrepancy == built_in.max_discrepancy == 0.0


def test_an_overlay_replaces_single_keys(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[inputs]\nseed = 9\n[verify]\nrtol = 1\n")
    settings = load_settings(tmp_path / "c.toml")
    assert settings.inputs.seed == 9 and settings.verify.rtol == 1.0
    assert settings.inputs.generated == load_settings().inputs.generated


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[inputs]\nsead = 1\n", "did you mean seed"),
        ("[input]\nseed = 1\n", "did you mean inputs"),
        ("[inputs]\nseed = 'x'\n", "inputs.seed"),
        ("[inputs]\nseed = 1.5\n", "inputs.seed"),
        ("[limits]\nseconds = true\n", "limits.seconds"),
        ("[limits]\nseconds = -1\n", "limits.seconds"),
        ("inputs = 3\n", "no table"),
        ("[[", "TOML"),
        ("[adapters]\nfolders = ['nowhere']\n", "no folder"),
        ("[adapters]\nfolders = 3\n", "not a list"),
        ("[adapters]\nfolders = [3]\n", "not a list"),
        ("[adapters]\nfolder = ['.']\n", "did you mean folders"),
        ("[adapters]\nenvironments = 3\n", "is no folder"),
        ("[adapters]\npython = 'venv/bin/python'\n", "no table of interpreters"),
        ("[adapters]\npython = { onnx2tf = 3 }\n", "no table of interpreters"),
        ("[verify]\nrtol = nan\n", "verify.rtol"),
        ("[verify]\nrtol = inf\n", "verify.rtol"),
        ("[verify]\natol = '0'\n", "verify.atol"),
        ("[verify]\ntop_k = 0\n", "1 or more"),
        ("[verify]\nmax_discrepancy = 1.5\n", "0 to 1"),
        ("[inputs]\nchunk = 0\n", "1 or more"),
        ("[inputs]\ngenerated = 0\n", "1 or more"),
        ("[inputs]\nheld_out = 3\n", "0 to 1"),
        ("[limits]\nroutes = 0\n", "1 or more"),
        ("[limits]\nseconds = 0\n", "1 or more"),
        ("[limits]\nmemory_share = 0.0\n", "0.01 to 1"),
        ("[repair]\nprobes = 0\n", "1 or more"),
        ("[repair]\nstrategies = ['XX']\n", "repair.strategies"),
        ("[repair]\nstrategies = [['PP']]\n", "repair.strategies"),
        ("[repair]\nstrategies = 'PP'\n", "repair.strategies"),
    ],
)
def test_what_means_nothing_is_an_error_that_names_the_file(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(UnusableInput) as raised:
        load_settings(path)
    assert "c.toml" in raised.value.message and says in raised.value.message + raised.value.advice


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_bytes(b"[inputs]\nseed = \xff")
    for name in ("c.toml", "gone.toml", "."):
        with pytest.raises(UnusableInput, match="cannot be read as TOML"):
            load_settings(tmp_path / name)


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("")
    assert load_settings(tmp_path / "c.toml") == load_settings()


def test_folders_of_adapters_are_relative_to_the_file_that_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own" / "mine").mkdir(parents=True)
    (tmp_path / "own" / "c.toml").write_text("[adapters]\nfolders = ['mine', '..']\n")
    monkeypatch.chdir(tmp_path)
    found = load_settings(Path("own/c.toml")).adapters.folders
    assert [folder.resolve() for folder in found] == [tmp_path / "own" / "mine", tmp_path]
    assert all(folder.is_absolute() for folder in found)


def test_whole_numbers_stand_for_fractions_and_not_the_other_way_round(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[limits]\nseconds = 5\n[inputs]\nheld_out = 1\n")
    settings = load_settings(tmp_path / "c.toml")
    assert (settings.limits.seconds, settings.inputs.held_out) == (5.0, 1.0)
    assert type(settings.limits.seconds) is type(settings.inputs.held_out) is float


def test_every_default_is_explained() -> None:
    """Above each key of default.toml stands a comment."""
    lines = (data_folder("configs") / "default.toml").read_text().splitlines()
    keys = [number for number, line in enumerate(lines) if "=" in line and not line.startswith("#")]
    assert len(keys) > 10 and all(lines[number - 1].startswith("#") for number in keys)

"""A settings file that somebody else left: it is not found, or names no code that runs."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

import pytest

import safeconvert as package
from safeconvert.config.project_file import Project, find_project, flag_values, open_project, passed_over
from safeconvert.config.settings import load_settings, project_settings
from safeconvert.errors import UnusableInput
from tests.command import safeconvert

LOOSE = "[verify]\nrtol = 1e9\n"


def test_a_file_above_the_working_directory_does_not_count_outside_a_repository(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "safeconvert.toml").write_text(LOOSE)
    assert find_project(tmp_path / "a" / "b") is None
    found = find_project(tmp_path)
    assert found is not None and found.path == tmp_path / "safeconvert.toml"


@pytest.mark.parametrize("worktree", [False, True])
def test_the_search_ends_at_the_repository_s_root(worktree: bool, tmp_path: Path) -> None:
    root, inner = tmp_path / "repository", tmp_path / "repository" / "a" / "b"
    inner.mkdir(parents=True)
    (root / ".git").write_text("gitdir: elsewhere") if worktree else (root / ".git").mkdir()
    (tmp_path / "safeconvert.toml").write_text(LOOSE)
    assert find_project(inner) is None
    (root / "safeconvert.toml").touch()
    found = find_project(inner)
    assert found is not None and found.path == root / "safeconvert.toml"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file to another user")
def test_a_file_of_another_user_is_passed_over_and_config_says_so(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "safeconvert.toml").write_text(LOOSE)
    os.chown(tmp_path / "a" / "safeconvert.toml", 12345, 12345)
    (tmp_path / "safeconvert.toml").write_text("[flags]\nseed = 3\n")
    found = find_project(tmp_path / "a")
    assert found is not None and found.path == tmp_path / "safeconvert.toml"
    assert passed_over(tmp_path / "a") == [tmp_path / "a" / "safeconvert.toml"]
    called = safeconvert("config", cwd=tmp_path / "a")
    assert "belongs to another user" in called.out and "1000000000" not in called.out
    named = open_project(tmp_path / "a" / "safeconvert.toml")  # whoever names it has looked at it
    assert named is not None and named.table == {"verify": {"rtol": 1e9}}


CODE = [
    ("[adapters]\nfolders = ['.']\n", "adapters.folders"),
    ("[adapters]\nenvironments = 'env'\n", "adapters.environments"),
    ("[adapters]\npython = { onnx2tf = 'bin/python' }\n", "adapters.python"),
    ("[flags]\ncomparator = 'mine:never'\n", "flags.comparator"),
    ("[flags]\nmetric = 'mine:never'\n", "flags.metric"),
    ("[flags.torch2onnx]\ncomparator = 'mine:never'\n", "flags.torch2onnx.comparator"),
    ("[flags]\nmodel = 'mine:build'\n", "flags.model"),
]


@pytest.mark.parametrize(("text", "key"), CODE, ids=[key for _, key in CODE])
def test_code_that_a_found_file_names_counts_only_where_it_is_trusted(
    text: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "safeconvert.toml"
    file.write_text(text)
    for trusted in (False, True):
        opened = open_project(None, trusted)
        with nullcontext() if trusted else pytest.raises(UnusableInput, match="which is code") as raised:
            values = flag_values(opened, "torch2onnx")
            settings = project_settings(opened)
            assert settings.adapters != load_settings().adapters or values
        if not trusted:
            assert key in raised.value.message and "--trust-project" in raised.value.advice
    named = open_project(file)
    assert flag_values(named, "torch2onnx") == values and project_settings(named) == settings


def test_a_comparator_of_a_found_file_is_not_even_imported(tmp_path: Path) -> None:
    (tmp_path / "safeconvert.toml").write_text("[flags]\ncomparator = 'mine:never'\n")
    (tmp_path / "mine.py").write_text("open('ran', 'w').close()\n\ndef never(a, b):\n    raise ValueError\n")
    called = safeconvert("torch2onnx", "x.pt", cwd=tmp_path)
    assert called.code == 2 and "flags.comparator names" in called.err and not (tmp_path / "ran").exists()
    called = safeconvert("torch2onnx", "x.pt", "--trust-project", cwd=tmp_path)
    assert "x.pt: no such file" in called.err and (tmp_path / "ran").exists()


def test_a_found_file_cannot_trust_itself_and_commands_that_run_none_of_it_go_on(tmp_path: Path) -> None:
    (tmp_path / "safeconvert.toml").write_text("[flags]\ntrust-project = true\n")
    called = safeconvert("torch2onnx", "x.pt", cwd=tmp_path)
    assert called.code == 2 and "flags.trust-project cannot stand" in called.err
    found = Project(tmp_path / "safeconvert.toml", {"flags": {"comparator": "mine:never"}}, False)
    assert flag_values(found, "show") == {}
    builtin = Project(
        tmp_path / "safeconvert.toml", {"flags": {"comparator": "top1"}, "adapters": {"folders": []}}, False
    )
    assert flag_values(builtin, "convert") == {"comparator": "top1"} and project_settings(builtin) is not None
    (tmp_path / "safeconvert.toml").write_text("[flags]\ncomparator = 'mine:never'\n[adapters]\nfolders = ['.']\n")
    assert "mine:never" in safeconvert("config", cwd=tmp_path).out


def test_the_api_trusts_no_found_file_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "safeconvert.toml").write_text("[adapters]\nfolders = ['.']\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnusableInput, match=r"adapters\.folders"):
        package.convert("x.pt", to="onnx")
    with pytest.raises(UnusableInput, match="no such file"):
        package.convert("x.pt", to="onnx", trust_project=True)

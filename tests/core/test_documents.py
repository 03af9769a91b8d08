"""Documents of unknown origin: whatever stands in one, it is read or refused with a reason by all that read such files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from safeconvert.batch.manifest import read_manifest
from safeconvert.config.project_file import read_table
from safeconvert.core.documents import deeper_than, read_json, read_toml
from safeconvert.core.files import is_folder, is_there
from safeconvert.errors import UnusableInput
from safeconvert.gate.acknowledged import read_accepted
from safeconvert.inputs.preprocessing import load_presets
from safeconvert.registry.manifest import read_manifest as read_adapter

BAD = {
    "deeper than the stack": "a = " + "[" * 20_000,
    "deeper than it can be printed": "a = " + "[" * 300 + "]" * 300,
    "a number of five thousand digits": "a = " + "9" * 5000,
    "no document": "a = ]",
    "tables in tables": "a" + ".a" * 200 + " = 1",
}
READERS: dict[str, Callable[[Path], object]] = {
    "settings": read_table,
    "obligations": read_accepted,
    "manifest": lambda path: read_manifest(path, path.parent),
    "presets": load_presets,
    "adapter": read_adapter,
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_what_cannot_be_read_is_refused_in_a_line(reader: Callable[[Path], object], text: str, tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_text(text)
    with pytest.raises(UnusableInput) as caught:
        reader(path)
    assert caught.value.message.startswith(f"{path}: ")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 300 + "1" + "}" * 300, "9" * 5000, "]"], ids=lambda t: t[:9])
def test_a_manifests_line_that_cannot_be_read_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "jobs.jsonl"
    path.write_text(f"\n{text}\n")
    with pytest.raises(UnusableInput, match="line 2 is no JSON"):
        read_manifest(path, tmp_path)


def test_what_is_meant_is_read() -> None:
    assert read_toml("[a.b]\nc = [[1], {d = 'x'}]") == {"a": {"b": {"c": [[1], {"d": "x"}]}}}
    assert read_json(b'{"a": [1, null]}') == {"a": [1, None]}
    assert deeper_than([[1]], 0) and not deeper_than([[1]], 2)


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "file/below"])
def test_a_name_that_no_file_can_have_is_not_there(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not is_there(tmp_path / name) and not is_folder(tmp_path / name)
    assert is_there(tmp_path / "file") and is_folder(tmp_path) and not is_folder(tmp_path / "file")

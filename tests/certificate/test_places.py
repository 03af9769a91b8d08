"""A certificate goes where nothing stands, or one of safeconvert's own; a slip in its name costs no file."""

from __future__ import annotations

from pathlib import Path

import pytest

import safeconvert
from safeconvert.certificate import archive
from safeconvert.certificate.archive import Evidence
from safeconvert.certificate.envelope import write_certificate
from safeconvert.certificate.places import require_place
from safeconvert.certificate.statement import build_statement
from safeconvert.errors import UnusableInput
from tests.command import safeconvert as called


def certificate(path: Path) -> Path:
    write_certificate(path, build_statement("m.onnx", "0" * 64, {"schema": 1, "target": {"sha256": "0" * 64}}), None)
    return path


@pytest.mark.parametrize("name", ["m.onnx", "c.json", "c.certificate.json"])
def test_another_file_is_not_written_over(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b'{"model": 1}')
    with pytest.raises(UnusableInput, match="is no certificate"):
        require_place("--certificate", tmp_path / name)
    assert (tmp_path / name).read_bytes() == b'{"model": 1}'


def test_nor_a_folder_or_a_link_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "saved_model").mkdir()
    (tmp_path / "link.json").symlink_to("elsewhere.json")
    for name in ("saved_model", "link.json"):
        with pytest.raises(UnusableInput, match="is no certificate"):
            require_place("--certificate", tmp_path / name)


@pytest.mark.parametrize("name", ["c.evidence.zip", "c.records.npy"])
def test_nor_what_has_the_name_of_the_files_beside_it(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"the user's")
    with pytest.raises(UnusableInput, match="is there, and is no"):
        require_place("--certificate", tmp_path / "c.certificate.json")


def test_one_of_an_earlier_run_is_replaced_with_its_evidence_and_records(tmp_path: Path) -> None:
    path = tmp_path / "c.certificate.json"
    require_place("--certificate", path)
    archive.write(Evidence({}), tmp_path / "c.evidence.zip")
    certificate(path)
    (tmp_path / "c.records.npy").write_bytes(b"records")
    require_place("--certificate", path)
    path.write_bytes(path.read_bytes()[:-40])  # cut off on its way here
    require_place("--certificate", path)


def test_every_command_that_writes_one_asks_first(tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        (tmp_path / name).write_bytes(b"a model")
    with pytest.raises(UnusableInput, match="is no certificate"):
        safeconvert.verify(tmp_path / "a.onnx", tmp_path / "b.onnx", certificate=tmp_path / "b.onnx")
    shard = certificate(tmp_path / "shard.json")
    assert called("merge", shard, "-o", tmp_path / "b.onnx").code == 2
    assert called("report", shard, "-o", tmp_path / "b.onnx").code == 2
    assert {path.read_bytes() for path in tmp_path.glob("*.onnx")} == {b"a model"}

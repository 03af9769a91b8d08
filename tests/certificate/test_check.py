"""Every file that holds a part of a model is certified, and checked as what it was: a file, a folder."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safeconvert.certificate.check import Status, check
from safeconvert.certificate.digest import digest
from safeconvert.certificate.envelope import write_certificate
from safeconvert.certificate.statement import build_statement
from safeconvert.errors import UnusableInput
from tests.command import safeconvert


def entry(path: Path, folder: Path, *beside: Path) -> dict[str, object]:
    """What a certificate in `folder` says of a model."""
    found = digest(path)
    described = {"path": os.path.relpath(path, folder), "sha256": found.sha256, "kind": found.kind}
    return described | {"files": [entry(part, folder) for part in beside]} if beside else described


def certify(folder: Path, source: object, target: object, subject: str | None = None) -> Path:
    content = {"schema": 1, "verdict": "verified", "source": source, "target": target}
    named = subject or (target["sha256"] if isinstance(target, dict) else "0" * 64)
    path = folder / "c.json"
    write_certificate(path, build_statement("target", named, content), None)
    return path


def found(path: Path) -> dict[str, Status]:
    """What is not as certified, by file name."""
    return {item.path.name: item.status for item in check(path).items if not item.ok}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "variables").mkdir()
    (tmp_path / "source" / "saved_model.pb").write_bytes(bytes(range(200)))
    (tmp_path / "source" / "variables" / "variables.index").write_bytes(bytes(300))
    (tmp_path / "target.onnx").write_bytes(bytes(range(256)))
    (tmp_path / "weights.bin").write_bytes(bytes(500))
    return tmp_path


def both(models: Path) -> Path:
    target = entry(models / "target.onnx", models, models / "weights.bin")
    return certify(models, entry(models / "source", models), target)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["target.onnx", "weights.bin", "source/saved_model.pb", "source/variables/variables.index"]),
    position=st.integers(0, 10**4),
    bit=st.integers(0, 7),
)
def test_a_flipped_bit_in_any_file_of_a_model_is_found_and_named(
    name: str, position: int, bit: int, models: Path
) -> None:
    path = both(models)
    assert found(path) == {}
    whole = (models / name).read_bytes()
    data = bytearray(whole)
    data[position % len(data)] ^= 1 << bit
    (models / name).write_bytes(data)
    assert found(path) == {name.split("/")[0]: Status.CHANGED}
    (models / name).write_bytes(whole)


def test_a_file_too_many_or_too_few_in_a_folder_is_found(models: Path) -> None:
    path = both(models)
    (models / "source" / "more").write_text("")
    assert found(path) == {"source": Status.CHANGED}
    (models / "source" / "more").unlink()
    assert found(path) == {}
    (models / "source" / "saved_model.pb").unlink()
    assert found(path) == {"source": Status.CHANGED}


def test_external_data_that_is_gone_is_found(models: Path) -> None:
    path = both(models)
    (models / "weights.bin").unlink()
    assert found(path) == {"weights.bin": Status.MISSING}


def test_a_file_that_has_a_folders_digest_is_no_folder(models: Path) -> None:
    """The digest of a folder is that of a list of its files; the list itself, as a file, is another model."""
    path = both(models)
    files = sorted(file for file in (models / "source").rglob("*") if file.is_file())
    rows = [
        [f.relative_to(models / "source").as_posix(), f.stat().st_size, hashlib.sha256(f.read_bytes()).hexdigest()]
        for f in files
    ]
    (models / "source").rename(models / "moved")
    (models / "source").write_text(json.dumps(sorted(rows), separators=(",", ":")))
    assert digest(models / "source").sha256 == digest(models / "moved").sha256
    assert found(path) == {"source": Status.CHANGED}


def test_a_certificate_whose_subject_is_another_file_is_inconsistent(models: Path) -> None:
    source, target = (entry(models / name, models) for name in ("source", "target.onnx"))
    assert found(certify(models, source, target, "0" * 64)) == {"c.json": Status.INCONSISTENT}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("gone", Status.MISSING),
        ("", Status.MISSING),
        ("target.onnx/below", Status.MISSING),
        ("a\0b", Status.MISSING),
        ("x" * 5000, Status.UNREADABLE),
        ("pipe", Status.UNREADABLE),
        ("loop", Status.UNREADABLE),
        ("looped", Status.UNREADABLE),
        ("/etc/passwd", Status.OUTSIDE),
        (7, Status.MISSING),
        (None, Status.MISSING),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_forged_path_has_a_status_of_its_own_and_is_never_waited_for(
    path: object, status: Status, models: Path
) -> None:
    os.mkfifo(models / "pipe")
    (models / "loop").symlink_to("loop")
    (models / "looped").mkdir()
    (models / "looped" / "x").symlink_to("x")
    target = entry(models / "target.onnx", models)
    report = check(certify(models, {"path": path, "sha256": "0" * 64, "kind": "file"}, target))
    assert [item.status for item in report.items if not item.ok] == [status]


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["path", "sha256", "files"]), inner),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(source=NESTED, target=NESTED, beside=NESTED)
def test_nonsense_in_a_whole_certificate_never_passes(
    source: object, target: object, beside: object, models: Path
) -> None:
    true = entry(models / "target.onnx", models)
    assert not check(certify(models, source, target, true["sha256"])).ok
    assert check(certify(models, true | {"files": beside}, true)).ok == (beside == [])


@pytest.mark.parametrize(
    "members",
    [
        {"predicate": {}},
        {"predicate": {"schema": "x"}},
        {"predicate": []},
        {"predicate": {"schema": float("1e400")}},
        {"subject": [{}]},
        {"subject": 3},
        {"subject": None},
        {"predicateType": None},
    ],
    ids=str,
)
def test_an_envelope_without_our_statement_is_unusable(members: dict[str, object], tmp_path: Path) -> None:
    statement = json.loads(build_statement("t", "0" * 64, {"schema": 1}))
    write_certificate(tmp_path / "c.json", json.dumps(statement | members).encode(), None)
    with pytest.raises(UnusableInput, match=r"c\.json"):
        check(tmp_path / "c.json")


@pytest.mark.converters
def test_the_external_data_of_a_real_model_is_certified(tmp_path: Path) -> None:
    weight = onnx.numpy_helper.from_array(np.arange(12, dtype=np.float32).reshape(3, 4), "w")
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])], "g",
        [value("x", onnx.TensorProto.FLOAT, ["n", 3])], [value("y", onnx.TensorProto.FLOAT, ["n", 4])], [weight],
    )  # fmt: skip
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    for name in ("source", "target"):
        onnx.save(
            model, tmp_path / f"{name}.onnx",
            save_as_external_data=True, size_threshold=0, location=f"{name}.bin", convert_attribute=True,
        )  # fmt: skip
        model = onnx.load(tmp_path / f"{name}.onnx")
    path = tmp_path / "c.json"
    called = safeconvert("verify", tmp_path / "source.onnx", tmp_path / "target.onnx", "--certificate", path)
    assert called.code == 0, called.text
    assert found(path) == {}
    for name in ("source.bin", "target.bin"):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
        assert found(path) == {name: Status.CHANGED}
        (tmp_path / name).write_bytes(whole)

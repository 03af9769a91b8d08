"""Inputs behind the first ones: one run, shards and their merge say the same, and what is changed in between is seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from safeconvert.certificate.check import check, read_certificate
from safeconvert.certificate.envelope import write_certificate
from safeconvert.certificate.merge import NATIVE
from safeconvert.certificate.statement import build_statement
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.inputs.generate import generate
from safeconvert.pipeline import verify_pair
from safeconvert.verification import given_inputs
from tests.command import Called, safeconvert
from tests.inputs.test_records import npy, shard
from tests.onnx_models import model, random

ROWS = 700
FIRST = 64
COUNTS = ("count", "distinct", "used", "held_out")


def net(path: Path, prefix: str, wrong: bool = False) -> Path:
    """Four numbers to three scores; a wrong one gives others where a number is above 50."""
    nodes = [
        helper.make_node("MatMul", ["x", f"{prefix}w"], [f"{prefix}p"]),
        helper.make_node("Relu", [f"{prefix}p"], ["relu" if wrong else "y"]),
    ]
    constants = {f"{prefix}w": random(4, 3)}
    if wrong:
        constants |= {"limit": np.array(50, "f4"), "more": np.array([100, 0, 0], "f4")}
        nodes += [
            helper.make_node("ReduceMax", ["x"], ["largest"], axes=[1], keepdims=1),
            helper.make_node("Greater", ["largest", "limit"], ["above"]),
            helper.make_node("Cast", ["above"], ["one"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", ["one", "more"], ["added"]),
            helper.make_node("Add", ["relu", "added"], ["y"]),
        ]
    onnx.save(model(nodes, {"x": ["n", 4]}, ["y"], constants), path)
    return path


def rows() -> np.ndarray:
    """Rows of which some stand twice, in one shard and in several; large ones only behind the first."""
    found = np.random.default_rng(3).normal(size=(ROWS, 4)).astype("f4")
    found[400:450] = found[:50]
    found[650:690] = found[300:340]
    found[[100, 350, 699], 0] = 60
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("passing")
    net(folder / "a.onnx", "a")
    net(folder / "b.onnx", "b")
    net(folder / "w.onnx", "w", wrong=True)
    np.save(folder / "x.npy", rows())
    shard(folder / "x.tar", {f"{n:04d}.npy": npy(row) for n, row in enumerate(rows())})
    (folder / "safeconvert.toml").write_text(f"[inputs]\nfirst = {FIRST}\n")
    return folder


def verified(folder: Path, target: str, name: str, *flags: object, inputs: str = "x.npy") -> Called:
    given = ("--inputs", inputs) if inputs else ()
    return safeconvert("verify", "a.onnx", target, *given, "--search", 0, "--certificate", name, *flags, cwd=folder)


def sharded(folder: Path, target: str, name: str, inputs: str) -> tuple[list[Path], int]:
    codes = [
        verified(folder, target, f"{name}{number}.json", "--shard", f"{number}/3", inputs=inputs).code
        for number in (1, 2, 3)
    ]
    return [folder / f"{name}{number}.json" for number in (1, 2, 3)], max(codes)


@pytest.fixture(scope="module")
def parts(folder: Path) -> list[Path]:
    paths, code = sharded(folder, "b.onnx", "part", "x.tar")
    assert code == 0
    return paths


@pytest.fixture(scope="module")
def merged(folder: Path, parts: list[Path]) -> Path:
    called = safeconvert("merge", *reversed(parts), "-o", "merged.json", cwd=folder)
    assert (called.code, called.err) == (0, "")
    return folder / "merged.json"


def test_shards_merged_are_one_run_in_all_counts(folder: Path, merged: Path) -> None:
    """Also where the one run reads an array, and the shards a tar file of the same rows."""
    assert verified(folder, "b.onnx", "one.json").code == 0
    one, found = read_certificate(folder / "one.json"), read_certificate(merged)
    assert found["verification"][NATIVE] == one["verification"][NATIVE]
    assert {name: found["inputs"][name] for name in COUNTS} == {name: one["inputs"][name] for name in COUNTS}
    assert one["inputs"]["count"] == ROWS and one["inputs"]["distinct"] == len(np.unique(rows(), axis=0))
    assert "in 3 shards" in found["reason"] and [entry["number"] for entry in found["shards"]] == [1, 2, 3]
    assert check(merged).ok


def test_a_target_that_differs_behind_the_first_inputs_alone_is_refused_in_one_run_and_in_shards(folder: Path) -> None:
    assert verified(folder, "w.onnx", "wrong.json").code == 1
    paths, code = sharded(folder, "w.onnx", "wrong", "x.npy")
    called = safeconvert("merge", *paths, "-o", "wrong-merged.json", cwd=folder)
    assert (code, called.code) == (1, 1) and "differs from the source on 3 of" in called.out
    one, found = (read_certificate(folder / name) for name in ("wrong.json", "wrong-merged.json"))
    assert found["verification"][NATIVE] == one["verification"][NATIVE] and found["verdict"] == one["verdict"]
    assert one["verification"][NATIVE]["disagreeing"] == [100, 350, 699]
    report = check(folder / "wrong-merged.json")
    assert [item.status.name for item in report.items if not item.ok] == ["NOT_VERIFIED"]


def test_generated_inputs_behind_the_first_are_those_of_any_run(folder: Path) -> None:
    assert verified(folder, "b.onnx", "made.json", "--samples", 200, inputs="").code == 0
    signature = Signature((TensorSpec("x", (None, 4), "float32"),), ())
    assert read_certificate(folder / "made.json")["inputs"]["sha256"] == generate(signature, 200, 0, {}).digest()


def changed_record(path: Path) -> None:
    content = bytearray(path.with_name("part2.records.npy").read_bytes())
    content[-1] ^= 1
    path.with_name("part2.records.npy").write_bytes(content)


def without_records(path: Path) -> None:
    path.with_name("part2.records.npy").unlink()


def rewritten(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """Another certificate in place of one, in order in itself."""

    def write(path: Path) -> None:
        content = read_certificate(path)
        del content["subject"]
        change(content)
        write_certificate(path, build_statement("b.onnx", content["target"]["sha256"], content), None)

    return write


BROKEN: dict[str, Callable[[Path], None]] = {
    "another record": changed_record,
    "no records": without_records,
    "another seed": rewritten(lambda content: content["inputs"].update(split_seed=5)),
    "another model": rewritten(lambda content: content["source"].update(sha256="0" * 64)),
    "other tolerances": rewritten(lambda content: content["comparator"].update(max_discrepancy=0.5)),
    "records elsewhere": rewritten(lambda content: content["shard"]["records"].update(path="../part2.records.npy")),
    "other first inputs": rewritten(lambda content: content["shard"]["figures_of_first"].update(max_abs=1.0)),
    "the same shard": rewritten(lambda content: content["shard"].update(number=1)),
    "a gap": rewritten(lambda content: content["shard"].update(start=content["shard"]["start"] + 1)),
    "no numbers": rewritten(lambda content: content["shard"].update(moments=3)),
    "other versions": rewritten(lambda content: content["environment"]["packages"].update(numpy="1.0")),
    "no containment": rewritten(lambda content: content["containment"].update(level="much")),
    "no inputs": rewritten(lambda content: content.update(inputs=None)),
    "of all inputs": rewritten(lambda content: content.pop("shard")),
}


def copied(folder: Path, files: list[Path], target: Path) -> list[Path]:
    for path in (
        *files,
        *(path.with_name(f"{path.stem}.records.npy") for path in files),
        folder / "a.onnx",
        folder / "b.onnx",
    ):
        if path.exists():
            (target / path.name).write_bytes(path.read_bytes())
    return [target / path.name for path in files]


@pytest.mark.parametrize("name", BROKEN)
def test_shards_that_do_not_belong_together_are_refused_by_merge_and_by_check(
    name: str, folder: Path, parts: list[Path], merged: Path, tmp_path: Path
) -> None:
    paths = copied(folder, parts, tmp_path)
    whole = copied(folder, [merged], tmp_path)[0]
    assert check(whole).ok
    BROKEN[name](paths[1])
    called = safeconvert("merge", *paths, "-o", "again.json", cwd=tmp_path)
    assert called.code == 2 and called.err.startswith("error: ") and not (tmp_path / "again.json").exists()
    assert not check(whole).ok


def test_a_merge_of_some_shards_is_refused(folder: Path, parts: list[Path]) -> None:
    for some in (parts[:2], [*parts, parts[0]], parts[1:]):
        called = safeconvert("merge", *some, "-o", "some.json", cwd=folder)
        assert called.code == 2 and "not each of them once" in called.err and not (folder / "some.json").exists()


def test_the_weakest_containment_of_all_shards_is_that_of_the_merge(
    folder: Path, parts: list[Path], tmp_path: Path
) -> None:
    paths = copied(folder, parts, tmp_path)
    rewritten(lambda content: content["containment"].update(level="off", lacking=["network"]))(paths[2])
    assert safeconvert("merge", *paths, "-o", "m.json", cwd=tmp_path).code == 0
    assert read_certificate(tmp_path / "m.json")["containment"]["lacking"] == ["network"]


def test_a_merged_certificate_that_says_more_than_its_shards_is_found(
    folder: Path, merged: Path, parts: list[Path], tmp_path: Path
) -> None:
    copied(folder, parts, tmp_path)
    whole = copied(folder, [merged], tmp_path)[0]
    rewritten(lambda content: content["inputs"].update(held_out=10**6))(whole)
    assert [item.name for item in check(whole).items if not item.ok] == ["merge"]


def test_inputs_that_change_while_they_are_read_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shard's are read where they lie, so they are read again at the end."""
    np.save(tmp_path / "x.npy", rows())
    real = verify_pair.compare_rest

    def swapped(*arguments: Any) -> Any:
        found = real(*arguments)
        other = rows()
        other[-1] += 1
        (tmp_path / "x.npy").write_bytes(npy(other))
        return found

    monkeypatch.setattr(verify_pair, "compare_rest", swapped)
    called = verified(folder, "b.onnx", str(tmp_path / "c.json"), "--shard", "3/3", inputs=str(tmp_path / "x.npy"))
    assert called.code == 2 and "changed while it was read" in called.err and not (tmp_path / "c.json").exists()


@pytest.mark.parametrize("samples", [20, 200])
def test_inputs_that_are_too_large_to_copy_are_read_twice(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, samples: int
) -> None:
    np.save(tmp_path / "x.npy", rows())
    monkeypatch.setattr(given_inputs, "free_space", lambda folder: 10)
    flags = ("--samples", samples)
    called = verified(folder, "b.onnx", str(tmp_path / "c.json"), *flags, inputs=str(tmp_path / "x.npy"))
    assert called.code == 0
    real = verify_pair.accept_export_rounding

    def swapped(*arguments: Any) -> Any:
        other = rows()
        other[samples - 1] += 1
        (tmp_path / "x.npy").write_bytes(npy(other))
        return real(*arguments)

    monkeypatch.setattr(verify_pair, "accept_export_rounding", swapped)
    called = verified(folder, "b.onnx", str(tmp_path / "d.json"), *flags, inputs=str(tmp_path / "x.npy"))
    assert called.code == 2 and "changed while it was read" in called.err and not (tmp_path / "d.json").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--shard", "4/3"), "no part of a whole"),
        (("--shard", "x"), "no part of a whole"),
        (("--shard", "1/2", "--samples", 10), "there is nothing in it"),
        (("--shard", "1/2", "--max-drop", 0.1), "need all inputs at once"),
    ],
)
def test_shards_that_cannot_be_are_named(folder: Path, flags: tuple[object, ...], message: str) -> None:
    called = verified(folder, "b.onnx", "none.json", *flags)
    assert called.code == 2 and message in called.err and not (folder / "none.json").exists()
    called = safeconvert("verify", "a.onnx", "b.onnx", "--shard", "1/2", cwd=folder)
    assert called.code == 2 and "only certificates can be merged" in called.err


def test_json_of_a_merge(folder: Path, parts: list[Path]) -> None:
    called = safeconvert("merge", *parts, "-o", "json.json", "--json", cwd=folder)
    assert json.loads(called.out)["predicate"]["verdict"] == "verified"

"""What is run is what was hashed, and what was given is what it was at the end."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from safeconvert.adapter_api.protocol import UNCHANGED
from safeconvert.app.runs import run_convert
from safeconvert.certificate.digest import digest
from safeconvert.config.options import ConvertOptions, DataOptions
from safeconvert.config.settings import load_settings
from safeconvert.conversion.route import Candidate
from safeconvert.core.formats import detect
from safeconvert.core.progress import Advance, Phases
from safeconvert.errors import NoVerdict, UnusableInput
from safeconvert.verification.snapshot import confirm, sealed, snapshot
from safeconvert.workers.run import Run, open_run

TFLITE = b"\0\0\0\0TFL3" + bytes(64)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with open_run(load_settings(), Phases()) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A SavedModel, as far as its files tell."""
    place = tmp_path / "saved"
    (place / "variables").mkdir(parents=True)
    (place / "saved_model.pb").write_bytes(b"graph")
    (place / "variables" / "variables.index").write_bytes(b"index")
    return place


def test_a_file_is_copied_under_its_own_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(TFLITE)
    copy = snapshot(run, detect(tmp_path / "m.tflite"))
    assert copy.path.name == "m.tflite" and copy.path.is_relative_to(run.copies)
    assert copy.named == tmp_path / "m.tflite" and copy.format == "tflite"
    assert copy.sha256 == digest(tmp_path / "m.tflite").sha256
    assert run.pool.given(copy.path) == tmp_path / "m.tflite"
    confirm(copy)


def test_the_folder_that_it_lies_in_may_have_the_longest_name(run: Run, tmp_path: Path) -> None:
    place = tmp_path / ("a" * 255)
    place.mkdir()
    (place / "m.tflite").write_bytes(TFLITE)
    confirm(snapshot(run, detect(place / "m.tflite")))


def test_a_folder_is_copied_whole(run: Run, folder: Path) -> None:
    copy = snapshot(run, detect(folder))
    assert copy.sha256 == digest(folder).sha256
    confirm(copy)


@pytest.mark.parametrize("link", ["data", "folder"])
def test_data_that_are_a_link_out_of_the_folder_are_refused(link: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "w.bin").write_bytes(np.ones(64, np.float32).tobytes())
    place = tmp_path / "in"
    place.mkdir()
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[64], data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="w.bin" if link == "data" else "sub/w.bin")
    graph = helper.make_graph([helper.make_node("Identity", ["w"], ["y"])], "g", [], [], [tensor])
    (place / "model.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    target = tmp_path / "secret" / ("w.bin" if link == "data" else "")
    (place / ("w.bin" if link == "data" else "sub")).symlink_to(target)
    with pytest.raises(UnusableInput, match="a link that leads outside the model's folder"):
        snapshot(run, detect(place / "model.onnx"))


def test_weights_of_a_checkpoint_that_are_a_link_out_of_the_folder_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    place = tmp_path / "in"
    place.mkdir()
    (place / "m.meta").write_bytes(b"\x12\x00\x1a\x00")  # an empty graph and an empty saver
    (place / "m.data-00000-of-00001").symlink_to(tmp_path / "secret")
    with pytest.raises(UnusableInput, match="a link that leads outside the model's folder"):
        snapshot(run, detect(place / "m.meta"))


@pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index"])
def test_a_file_that_changes_while_it_is_run_is_refused(name: str, run: Run, folder: Path) -> None:
    copy = snapshot(run, detect(folder))
    (folder / name).write_bytes(b"other")
    with pytest.raises(UnusableInput, match="saved: changed while it was read"):
        confirm(copy)


def test_a_copy_that_code_changed_gives_no_verdict(run: Run, folder: Path) -> None:
    copy = snapshot(run, detect(folder))
    (copy.path / "saved_model.pb").write_bytes(b"other")
    with pytest.raises(NoVerdict, match="the copy that was run was changed"):
        confirm(copy)


def test_files_beside_it_are_part_of_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "m.meta").write_bytes(b"\x12\x00\x1a\x00")  # an empty graph and an empty saver
    for name in ("m.index", "m.data-00000-of-00001", "n.index"):
        (tmp_path / name).write_bytes(name.encode())
    copy = snapshot(run, detect(tmp_path / "m.meta"))
    assert copy.variant == "checkpoint"
    assert [name for name, _ in copy.beside] == ["m.data-00000-of-00001", "m.index"]
    (tmp_path / "m.index").write_bytes(b"other")
    with pytest.raises(UnusableInput, match=r"m\.meta: changed"):
        confirm(copy)


def test_a_link_that_leads_out_of_a_folder_is_refused(run: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (folder / "assets").symlink_to(tmp_path / "secret")
    with pytest.raises(UnusableInput, match="leads out of the folder"):
        snapshot(run, detect(folder))


def test_a_target_is_sealed_with_its_side_files(run: Run) -> None:
    made = run.folder("step") / "m.onnx"
    made.write_bytes(b"model")
    (made.parent / "m.data").write_bytes(b"weights")
    still_open = made.open("r+b")
    copy = sealed(run, Candidate(made, UNCHANGED))
    still_open.write(b"wrong")
    still_open.close()
    (made.parent / "m.data").write_bytes(b"wrong")
    assert copy.path.read_bytes() == b"model" and (copy.path.parent / "m.data").read_bytes() == b"weights"
    assert copy.sha256 == digest(copy.path).sha256
    assert sealed(run, copy) == copy
    assert sealed(run, replace(copy, path=made)).sha256 == digest(made).sha256


def test_a_target_that_is_the_sealed_form_is_that_file(run: Run) -> None:
    made, form = run.folder("step") / "m.onnx", run.kept("form") / "m.onnx"
    for path in (made, form):
        path.write_bytes(b"model")
        (path.parent / "m.onnx.data").write_bytes(b"weights")
    target = sealed(run, Candidate(made, UNCHANGED), form)
    assert target.path == form and target.sha256 == digest(form).sha256
    (made.parent / "m.onnx.data").write_bytes(b"another")
    target = sealed(run, Candidate(made, UNCHANGED), form)
    assert target.path != form and (target.path.parent / "m.onnx.data").read_bytes() == b"another"


def test_a_link_that_a_converter_left_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    made = run.folder("step") / "m.onnx"
    made.symlink_to(tmp_path / "secret")
    with pytest.raises(UnusableInput, match="left a link"):
        sealed(run, Candidate(made, UNCHANGED))


class Swapping(Phases):
    """Swaps a file when a phase begins."""

    def __init__(self, phase: str, swap: Callable[[], None]) -> None:
        super().__init__()
        self._at, self._swap = phase, swap

    @contextmanager
    def phase(self, name: str, total: int | None = None) -> Iterator[Advance]:
        if name == self._at:
            self._swap()
        with super().phase(name, total) as advance:
            yield advance


@pytest.mark.converters
@pytest.mark.parametrize("what", ["source", "inputs"])
def test_a_file_swapped_between_running_and_hashing_gets_no_certificate(
    what: str, source: Path, tmp_path: Path
) -> None:
    model, inputs, target = tmp_path / "model.pt", tmp_path / "inputs.npy", tmp_path / "out.onnx"
    shutil.copy(source, model)
    np.save(inputs, np.random.default_rng(0).normal(size=(8, 3, 8, 8)).astype(np.float32))
    target.write_text("of last week")
    swapped = model if what == "source" else inputs
    phases = Swapping("hashing", lambda: swapped.write_bytes(b"another"))
    options = ConvertOptions(model, "onnx", target, data=DataOptions(path=inputs), route="torch_onnx_script")
    with pytest.raises(UnusableInput, match="changed while it was read"):
        run_convert(options, load_settings(), phases)
    assert {path.name for path in tmp_path.iterdir()} == {"model.pt", "inputs.npy", "out.onnx"}
    assert target.read_text() == "of last week"

"""Tar shards and columns of tables as samples, and what of them is refused."""

from __future__ import annotations

import importlib
import io
import pickle
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput
from safeconvert.inputs.open import open_inputs
from safeconvert.inputs.records import npy_array

VECTORS = Signature((TensorSpec("x", (None, 3), "float32"),), ())
IMAGES = Signature((TensorSpec("x", (None, 4, 6, 3), "float32", "NHWC"),), ())
TWO = Signature((TensorSpec("a", (None, 2), "float32"), TensorSpec("b", (None, 2, 2), "int64")), ())


def npy(array: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def png(number: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((4, 6, 3), number, np.uint8)).save(file, "PNG")
    return file.getvalue()


def shard(path: Path, members: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_images_of_shards_in_order_with_their_labels(tmp_path: Path) -> None:
    shard(tmp_path / "1.tar", {"c.png": png(3), "c.json": b"{}"})
    shard(tmp_path / "0.tar", {"d/a.png": png(1), "d/a.cls": b"7\n", "d/b.png": png(2)})
    inputs = open_inputs(tmp_path, IMAGES, None, None)
    assert (inputs.count, inputs.labels, inputs.kinds) == (3, (7, None, None), ("image",))
    assert [int(image[0, 0, 0]) for image in inputs.chunk(0, 3)["x"]] == [1, 2, 3]
    assert [int(image[0, 0, 0]) for image in inputs.chunk(1, 3)["x"]] == [2, 3]
    assert open_inputs(tmp_path, IMAGES, None, 2).count == 2


def test_arrays_of_a_shard_by_the_inputs_that_they_are_named_after(tmp_path: Path) -> None:
    rows = [(np.array([n, 1], "f4"), np.full((2, 2), n)) for n in range(5)]
    members = {
        f"{n}.{name}.npy": npy(array) for n, row in enumerate(rows) for name, array in zip("ba", row[::-1], strict=True)
    }
    inputs = open_inputs(shard(tmp_path / "x.tar", members), TWO, None, None)
    found = inputs.chunk(1, 4)
    assert np.array_equal(found["a"], np.stack([row[0] for row in rows[1:4]])) and found["b"].dtype == np.int64
    assert np.array_equal(found["b"][:, 0, 0], [1, 2, 3]) and not inputs.whole


def test_a_digest_is_of_the_bytes_and_the_names(tmp_path: Path) -> None:
    first = shard(tmp_path / "a.tar", {"0.npy": npy(np.zeros(3, "f4"))})
    before = open_inputs(tmp_path, VECTORS, None, None).digest()
    assert open_inputs(tmp_path, VECTORS, None, None).digest() == before
    first.rename(tmp_path / "b.tar")
    assert open_inputs(tmp_path, VECTORS, None, None).digest() != before


class Evil:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return (importlib.import_module("os").mkdir, ("/tmp/safeconvert-was-here",))


def odd(kind: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        with tarfile.open(folder / "x.tar", "w") as archive:
            info = tarfile.TarInfo("0.npy")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        return folder / "x.tar"

    return write


def of(members: Mapping[str, bytes]) -> Callable[[Path], Path]:
    return lambda folder: shard(folder / "x.tar", members)


def packed(folder: Path) -> Path:
    with tarfile.open(folder / "x.tar", "w:gz") as archive:
        info = tarfile.TarInfo("0.npy")
        info.size = 1 << 20
        archive.addfile(info, io.BytesIO(bytes(1 << 20)))
    return folder / "x.tar"


def cut(folder: Path) -> Path:
    path = shard(folder / "x.tar", {f"{n}.npy": npy(np.zeros(3, "f4")) for n in range(4)})
    path.write_bytes(path.read_bytes()[:2200])
    return path


def broken_middle(folder: Path) -> Path:
    path = shard(folder / "x.tar", {f"{n}.npy": npy(np.zeros(3, "f4")) for n in range(4)})
    content = bytearray(path.read_bytes())
    content[1024:1124] = b"\xff" * 100
    path.write_bytes(content)
    return path


def endless_header(folder: Path) -> Path:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40
    (folder / "x.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    return folder / "x.tar"


def huge_header(folder: Path) -> Path:
    content = bytearray(npy(np.zeros(3, "f4")))
    at = content.index(b"(3,)")
    content[at : at + 14] = b"(3000000000,)}"[:14]
    return shard(folder / "x.tar", {"0.npy": bytes(content)})


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "symbolic link": (odd(tarfile.SYMTYPE), "no plain file"),
    "hard link": (odd(tarfile.LNKTYPE), "no plain file"),
    "device": (odd(tarfile.CHRTYPE), "no plain file"),
    "fifo": (odd(tarfile.FIFOTYPE), "no plain file"),
    "upwards": (of({"../0.npy": npy(np.zeros(3, "f4"))}), "leads outside"),
    "absolute": (of({"/tmp/0.npy": npy(np.zeros(3, "f4"))}), "leads outside"),
    "compressed": (packed, "no tar file"),
    "cut off": (cut, "damaged"),
    "damaged in the middle": (broken_middle, "damaged"),
    "header without end": (endless_header, "header"),
    "array larger than its bytes": (huge_header, "damaged"),
    "pickle": (of({"0.npy": npy(np.array([Evil()], dtype=object))}), "not numbers"),
    "bare pickle": (of({"0.npy": pickle.dumps(Evil())}), "damaged"),
    "not an image": (of({"0.png": b"\x89PNG\r\n\x1a\nnothing"}), "4-dimensional"),
    "two kinds": (of({"0.png": png(0), "0.npy": npy(np.zeros(3, "f4"))}), "which is the model's input"),
    "nothing to read": (of({"0.txt": b"x"}), "neither an image nor"),
    "other fields": (of({"0.npy": npy(np.zeros(3, "f4")), "1.y.npy": npy(np.zeros(3, "f4"))}), "the first sample"),
    "another size": (of({"0.npy": npy(np.zeros(4, "f4"))}), "a record holds"),
    "no number as label": (of({"0.npy": npy(np.zeros(3, "f4")), "0.cls": b"cat"}), "no whole number"),
    "empty": (of({}), "no samples"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_plain_shard_is_named_and_nothing_runs_or_is_written(name: str, tmp_path: Path) -> None:
    make, message = REFUSED[name]
    path = make(tmp_path)
    with pytest.raises(UnusableInput, match=message):
        open_inputs(path, VECTORS, None, None).chunk(0, 1)
    assert sorted(tmp_path.iterdir()) == [path] and not Path("/tmp/safeconvert-was-here").exists()


def test_a_later_sample_of_another_shape_or_damaged_is_named(tmp_path: Path) -> None:
    path = shard(tmp_path / "x.tar", {"0.npy": npy(np.zeros(3, "f4")), "1.npy": npy(np.zeros(2, "f4"))})
    with pytest.raises(UnusableInput, match="record 1 holds"):
        open_inputs(path, VECTORS, None, None).chunk(0, 2)


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_shard_is_read_or_refused_by_name(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(
        shard(tmp_path / "x.tar", {f"{n}.npy": npy(np.zeros(3, "f4")) for n in range(3)}).read_bytes()[:4096]
    )
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "x.tar").write_bytes(content)
    try:
        inputs = open_inputs(tmp_path / "x.tar", VECTORS, None, None)
        assert inputs.chunk(0, inputs.count)["x"].shape == (inputs.count, 3)
    except UnusableInput as error:
        assert "x.tar" in error.message


@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda end: npy(np.zeros(3, "f4"))[:90] + end))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_an_array_or_refused(content: bytes) -> None:
    try:
        assert isinstance(npy_array(content, "it"), np.ndarray)
    except UnusableInput as error:
        assert error.message.startswith("it")

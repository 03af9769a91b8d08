"""`.npy` and `.npz`: what fits is fed unchanged; whatever else there is ends in UnusableInput, at once or at the chunk."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput
from safeconvert.inputs.open import open_inputs

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def takes(dtype: str, shape: tuple[int | None, ...] = (None, 3), *more: TensorSpec) -> Signature:
    return Signature((TensorSpec("x", shape, dtype), *more), ())


def fed(path: Path, signature: Signature) -> dict[str, np.ndarray]:
    opened = open_inputs(path, signature, None, None)
    return opened.chunk(0, opened.count)


def saved(path: Path, array: np.ndarray) -> Path:
    np.save(path, array, allow_pickle=True)
    return path


@QUICK
@given(
    array=arrays.arrays(
        st.sampled_from(["f4", "f8", "f2", ">f4", "i1", "u1", "i4", "i8", "u8", "?"]),
        st.tuples(st.integers(1, 4), st.just(3)),
    ),
    wanted=st.sampled_from(["float16", "float32", "float64", "int8", "uint8", "int32", "int64", "uint64", "bool"]),
)
def test_integers_are_exact_and_floats_near_or_the_file_is_refused(
    array: np.ndarray, wanted: str, tmp_path: Path
) -> None:
    """A value that the model's type cannot hold is never fed as another one."""
    path = saved(tmp_path / "x.npy", array)
    try:
        made = fed(path, takes(wanted))["x"]
    except UnusableInput as error:
        assert "x.npy" in error.message and " x " in error.message
        held = array.astype(np.longdouble)
        limits = np.finfo(wanted) if wanted.startswith("float") else None
        assert not (limits and np.isfinite(held).all() and np.abs(held).max(initial=0) < limits.max)
        return
    assert made.dtype == np.dtype(wanted) and made.shape == array.shape and np.isfinite(made).all()
    if made.dtype.kind == "f":
        step = np.finfo(wanted)
        np.testing.assert_allclose(
            made.astype("f8"), array.astype("f8"), rtol=float(step.eps), atol=float(step.smallest_subnormal)
        )
    else:
        assert made.tolist() == array.tolist()  # Python compares integers and floats exactly


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (np.full((2, 3), np.nan, "f4"), "float32"),
        (np.full((2, 3), np.inf, "f4"), "float32"),
        (np.full((2, 3), 1e300), "float32"),
        (np.full((2, 3), 70000.0, "f4"), "float16"),
        (np.full((2, 3), 0.5, "f4"), "int64"),
        (np.full((2, 3), 2**63, "u8"), "int64"),
        (np.full((2, 3), float(2**63)), "int64"),
        (np.full((2, 3), -1, "i8"), "uint8"),
        (np.full((2, 3), 2, "i8"), "bool"),
        (np.full((2, 3), 1j), "float32"),
        (np.full((2, 3), "a"), "float32"),
        (np.zeros((2, 3), "M8[s]"), "int64"),
        (np.zeros((2, 3), [("a", "f4")]), "float32"),
        (np.array([{"a": 1}], dtype=object), "float32"),
        (np.float32(3), "float32"),
        (np.zeros((0, 3), "f4"), "float32"),
        (np.zeros((2, 4), "f4"), "float32"),
        (np.zeros((2, 3), "f4"), "bfloat16"),
        (np.zeros((2, 3), "f4"), "string"),
    ],
    ids=str,
)
def test_values_that_the_input_does_not_take_are_refused(array: np.ndarray, dtype: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "x.npy", array)
    with pytest.raises(UnusableInput, match=r"x\.npy"):
        fed(path, takes(dtype))


def test_a_bare_number_is_a_whole_call_of_a_model_of_one_and_no_sample_of_another(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.npy", np.float32(3))
    np.testing.assert_array_equal(fed(path, takes("float32", ()))["x"], [3])
    with pytest.raises(UnusableInput, match=r"x\.npy"):
        fed(path, takes("float32"))


def test_a_single_sample_gets_its_batch_axis(tmp_path: Path) -> None:
    np.testing.assert_array_equal(
        fed(saved(tmp_path / "x.npy", np.arange(3, dtype="f4")), takes("float32"))["x"], [[0, 1, 2]]
    )


def test_channels_elsewhere_are_named_and_never_moved(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput) as raised:
        fed(saved(tmp_path / "x.npy", np.zeros((2, 8, 9, 3), "f4")), takes("float32", (None, 3, 8, 9)))
    assert "transpose" in raised.value.advice


def test_a_fixed_batch_says_nothing_about_the_number_of_samples(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.npy", np.zeros((5, 3), "f4"))
    assert open_inputs(path, takes("float32", (1, 3)), None, None).count == 5


def test_some_names_that_match_and_some_that_do_not_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros((2, 3), "f4"), other=np.zeros((2, 3), "f4"))
    with pytest.raises(UnusableInput, match=r"no array is named mask"):
        fed(tmp_path / "x.npz", takes("float32", (None, 3), TensorSpec("mask", (None, 3), "float32")))


@pytest.mark.parametrize(("inside", "name"), [("npy", "x.npz"), ("npz", "x.npy"), ("npy", "x.txt"), ("npy", "x")])
def test_a_file_that_calls_itself_something_else_is_refused(inside: str, name: str, tmp_path: Path) -> None:
    with (tmp_path / name).open("wb") as file:
        (np.save if inside == "npy" else np.savez)(file, np.zeros((2, 3), "f4"))
    with pytest.raises(UnusableInput, match=name):
        fed(tmp_path / name, takes("float32"))


def encoded(suffix: str) -> bytes:
    file = io.BytesIO()
    write = {".npy": np.save, ".npz": np.savez_compressed}[suffix]
    write(file, np.arange(30, dtype="f4").reshape(10, 3))
    return file.getvalue()


@QUICK
@given(
    suffix=st.sampled_from([".npy", ".npz"]),
    changes=st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255)), min_size=1, max_size=3),
    cut=st.none() | st.integers(0, 10**4),
)
@example(suffix=".npy", changes=[(10, 0x28)], cut=None)  # an open bracket: the header's tokens never end
@example(suffix=".npz", changes=[(60, 255)], cut=None)  # not a deflated stream
@example(suffix=".npz", changes=[(8, 99)], cut=None)  # an unknown way of compression
def test_damage_is_unusable_or_goes_unseen_but_never_anything_else(
    suffix: str, changes: list[tuple[int, int]], cut: int | None, tmp_path: Path
) -> None:
    data = bytearray(encoded(suffix))
    for position, value in changes:
        data[position % len(data)] = value
    path = tmp_path / f"x{suffix}"
    path.write_bytes(data[: cut % len(data) if cut is not None else None])
    try:
        assert np.isfinite(fed(path, takes("float32"))["x"]).all()
    except UnusableInput as error:
        assert path.name in error.message


def test_a_member_that_is_no_array_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", b"not what numpy writes")
    with pytest.raises(UnusableInput, match="x is no array"):
        open_inputs(tmp_path / "x.npz", takes("float32"), None, None)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("row,label\n0,7\n2,1\n", (7, None, 1)),
        ("cat.png,7\ndog.png,1\n", None),  # of a folder of images
        ("what,this\nis,not\n", None),
    ],
)
def test_rows_have_the_labels_that_stand_beside_them(
    text: str, labels: tuple[int | None, ...] | None, tmp_path: Path
) -> None:
    path = saved(tmp_path / "x.npy", np.zeros((3, 3), np.float32))
    assert open_inputs(path, takes("float32"), None, None).labels is None
    (tmp_path / "labels.csv").write_text(text)
    assert open_inputs(path, takes("float32"), None, None).labels == labels


def test_a_file_that_is_read_through_takes_no_memory_but_its_last_part(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.arange(1 << 23, dtype=np.float32).reshape(-1, 16))
    signature = Signature((TensorSpec("x", (None, 16), "float32"),), ())
    inputs = open_inputs(path, signature, None, None)
    read = sum(float(inputs.chunk(start, start + 256)["x"].sum()) for start in range(0, inputs.count, 256))
    assert read > 0
    assert _resident(path) <= 4096  # KiB, of 32768; the system maps 2 MiB at once


def _resident(path: Path) -> int:
    """KiB of a mapped file that are in this process's memory."""
    lines = Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.endswith(str(path))]
    return next(int(line.split()[1]) for line in lines[at:] if line.startswith("Rss:"))

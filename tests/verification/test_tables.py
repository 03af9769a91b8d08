"""Columns of Parquet and Arrow files as samples: read in a worker, and what of them is refused."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safeconvert.config.settings import load_settings
from safeconvert.core.progress import Phases
from safeconvert.errors import UnusableInput
from safeconvert.inputs import open as opening
from safeconvert.inputs.interface import InputSet
from safeconvert.verification.tables import Tables
from safeconvert.workers.run import Run, open_run
from tests.inputs.test_records import IMAGES, TWO, VECTORS, png

_MANY = (1 << 27) + 8  # numbers of one row, which as float64 have more than 1 GiB


@pytest.fixture(scope="module")
def pa() -> Any:
    pytest.importorskip("pyarrow.parquet")
    return importlib.import_module("pyarrow")


@pytest.fixture(scope="module")
def opened(pa: Any) -> Iterator[Callable[..., InputSet]]:
    """`open_inputs`, with a run whose worker reads tables."""
    with open_run(load_settings(), Phases()) as run:
        yield lambda path, signature: opening.open_inputs(
            path, signature, None, None, tables=partial(Tables, _for(run, path))
        )


def _for(run: Run, path: Path) -> Run:
    """The run; a worker that was made before may not read another folder, so that each gets a new one."""
    for key in [key for key in run.pool._workers if key.role == "tables"]:
        run.pool._workers.pop(key).close()
    return run


def _read(inputs: InputSet) -> None:
    inputs.chunk(0, inputs.count)


def written(pa: Any, path: Path, columns: Mapping[str, Any], **more: Any) -> Path:
    table = pa.table(dict(columns))
    if path.suffix == ".parquet":
        importlib.import_module("pyarrow.parquet").write_table(table, path, **more)
    else:
        options = pa.ipc.IpcWriteOptions(**more)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=40)
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".feather"])
def test_columns_by_name_any_part_of_them(
    pa: Any, opened: Callable[..., InputSet], tmp_path: Path, suffix: str
) -> None:
    a, b = np.random.default_rng(0).normal(size=(150, 2)).astype("f4"), np.arange(600).reshape(150, 2, 2)
    columns = {
        "b": b.tolist(),
        "label": list(range(150)),
        "a": pa.FixedSizeListArray.from_arrays(pa.array(a.ravel()), 2),
    }
    inputs = opened(written(pa, tmp_path / f"x{suffix}", columns), TWO)
    assert inputs.count == 150 and inputs.labels == tuple(range(150))
    for start, stop in [(0, 70), (70, 150), (3, 5), (100, 101)]:
        found = inputs.chunk(start, stop)
        assert np.array_equal(found["a"], a[start:stop]) and np.array_equal(found["b"], b[start:stop])


def test_images_of_a_column_and_of_many_files(pa: Any, opened: Callable[..., InputSet], tmp_path: Path) -> None:
    for part in range(2):
        values = [{"bytes": png(10 * part + n), "path": None} for n in range(3)]
        written(pa, tmp_path / f"{part}.parquet", {"image": values, "label": [part] * 3})
    inputs = opened(tmp_path, IMAGES)
    assert [int(image[0, 0, 0]) for image in inputs.chunk(1, 5)["x"]] == [1, 2, 10, 11]
    assert inputs.labels == (0, 0, 0, 1, 1, 1)


ODD: dict[str, tuple[Callable[[Any], Mapping[str, Any]], str]] = {
    "text": (lambda pa: {"x": ["a", "b"]}, "not numbers"),
    "dates": (lambda pa: {"x": pa.array([1, 2], pa.timestamp("s"))}, "not numbers"),
    "map": (lambda pa: {"x": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64()))}, "not numbers"),
    "dictionary": (lambda pa: {"x": pa.array(["a", "a"]).dictionary_encode()}, "not numbers"),
    "struct": (lambda pa: {"x": [{"a": 1}]}, "not numbers"),
    "null": (lambda pa: {"x": [[1.0, 2.0, 3.0], None]}, "null"),
    "null within": (lambda pa: {"x": [[1.0, 2.0, None]]}, "null"),
    "other lengths": (lambda pa: {"x": [[1.0, 2.0, 3.0], [1.0]]}, "lists of"),
    "nothing": (lambda pa: {"x": pa.nulls(2)}, "not numbers"),
    "only labels": (lambda pa: {"label": [1, 2]}, "which is the model's input"),
    "path of an image": (
        lambda pa: {"x": [{"bytes": None, "path": "/etc/passwd"}]},
        "which is the model|4-dimensional|no image|not numbers",
    ),
    "no rows": (lambda pa: {"x": pa.array([], pa.list_(pa.float32()))}, "no samples"),
}


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
@pytest.mark.parametrize("name", ODD)
def test_columns_of_odd_types_are_named(
    pa: Any, opened: Callable[..., InputSet], tmp_path: Path, name: str, suffix: str
) -> None:
    make, message = ODD[name]
    path = written(pa, tmp_path / f"x{suffix}", make(pa))
    with pytest.raises(UnusableInput, match=message):
        _read(opened(path, VECTORS))


@pytest.mark.slow
def test_what_may_unpack_to_any_size_is_refused(pa: Any, opened: Callable[..., InputSet], tmp_path: Path) -> None:
    path = written(pa, tmp_path / "x.arrow", {"x": np.zeros((50, 3)).tolist()}, compression="zstd")
    with pytest.raises(UnusableInput, match="compressed"):
        opened(path, VECTORS)
    large = pa.ListArray.from_arrays([0, _MANY], pa.array(np.zeros(_MANY, np.int8)))
    path = written(pa, tmp_path / "x.parquet", {"x": large}, compression="zstd")
    assert path.stat().st_size < 1 << 20
    with pytest.raises(UnusableInput, match=r"row group of|unreasonably large"):
        opened(path, VECTORS)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_table_is_read_or_refused_by_name(
    pa: Any, opened: Callable[..., InputSet], tmp_path: Path, suffix: str, data: st.DataObject
) -> None:
    path = written(pa, tmp_path / f"x{suffix}", {"x": np.ones((5, 3), "f4").tolist()})
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        inputs = opened(path, VECTORS)
        assert inputs.chunk(0, inputs.count)["x"].shape == (inputs.count, 3)
    except UnusableInput as error:
        assert path.name in error.message


def test_without_a_worker_no_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(UnusableInput, match="in workers only"):
        opening.open_inputs(tmp_path / "x.parquet", VECTORS, None, None)


def test_without_the_library_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = importlib.import_module("safeconvert.inputs.columns")
    monkeypatch.setitem(importlib.import_module("sys").modules, "pyarrow", None)
    with pytest.raises(UnusableInput, match="needs pyarrow") as caught:
        columns.describe([tmp_path / "x.parquet"])
    assert "safeconvert[data]" in caught.value.advice

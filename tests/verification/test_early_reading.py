"""The graph of a source's file is taken from the background only where it was looked at as it is asked for."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np

from safeconvert.conversion.models import Evaluated, Export
from safeconvert.core.signature import Signature
from safeconvert.inputs.store import Chunk
from safeconvert.verification.early_reading import EarlyForm
from safeconvert.verification.native_forms import NativeForm, NativeModel, Unread, readable_beside
from safeconvert.verification.types import UNSEEN, Counted


def _early() -> EarlyForm:
    outputs = Evaluated(Signature((), ()), ())
    model = NativeModel(
        "source", Path("net.pt"), "torch", (Chunk(0, 8, {"x": Path("x.npy")}),), outputs, (Export("", None, ""), UNSEEN)
    )
    form: Future[NativeForm | Unread] = Future()
    form.set_result(Unread("why"))
    return EarlyForm(model, Counted(np.arange(4), np.arange(0)), form)


def test_it_is_taken_for_the_same_run_and_samples_alone() -> None:
    early = _early()
    assert early.of(early.model, Counted(np.arange(4), np.arange(0))) == Unread("why")
    assert early.of(early.model, Counted(np.arange(3), np.arange(0))) is None
    assert early.of(early.model, Counted(np.arange(4), np.arange(1))) is None
    fewer = replace(early.model, chunks=())
    assert early.of(fewer, early.counted) is None
    again = replace(early.model, outputs=replace(early.model.outputs))
    assert early.of(again, early.counted) is None


def test_large_files_and_onnx_are_no_work_for_the_background(tmp_path: Path) -> None:
    small, large = tmp_path / "small.pt", tmp_path / "large.pt"
    small.write_bytes(b"x")
    with large.open("wb") as file:
        file.truncate(1 << 28)
    assert readable_beside(small, "torch")
    assert not readable_beside(large, "torch") and not readable_beside(small, "onnx")

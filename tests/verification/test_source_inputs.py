"""The source's run that began before its ONNX form was there is taken where it is a run of the same opened model."""

from __future__ import annotations

import sys
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated, Export
from safeconvert.core.formats import ModelFile
from safeconvert.core.signature import Signature
from safeconvert.errors import NoVerdict
from safeconvert.registry.manifest import adapters, find
from safeconvert.verification.source_inputs import Begun, Fedable
from safeconvert.workers.session import Session
from safeconvert.workers.worker import Limits, Worker

NOTHING: Any = None  # neither the surroundings nor the inputs are looked at
SETTINGS = VerifySettings()


def _source(tmp_path: Path, outputs: Future[Evaluated]) -> Fedable:
    worker = Worker(Path(sys.executable), tmp_path / "log", Limits(1, 1 << 30), tmp_path)
    session = Session(find("torch", adapters()), worker, 0, 0, Signature((), ()), Path("net.pt"))
    file = ModelFile(Path("net.pt"), "torch", "torchscript")
    return Fedable(file, session, Export("", None, ""), Begun(session, outputs))


def test_it_is_taken_with_whatever_became_of_it(tmp_path: Path) -> None:
    outputs: Future[Evaluated] = Future()
    source = _source(tmp_path, outputs)
    ran = Evaluated(Signature((), ()), ())
    outputs.set_result(ran)
    assert source.outputs(NOTHING, NOTHING, SETTINGS) is ran
    failed: Future[Evaluated] = Future()
    failed.set_exception(NoVerdict("not a function"))
    with pytest.raises(NoVerdict, match="not a function"):
        _source(tmp_path, failed).outputs(NOTHING, NOTHING, SETTINGS)


def test_a_model_that_was_opened_again_is_run_again(tmp_path: Path) -> None:
    outputs: Future[Evaluated] = Future()
    outputs.set_exception(NoVerdict("its process was killed by an exporter"))
    source = _source(tmp_path, outputs)
    again = replace(source, session=replace(source.session, generation=1))
    with pytest.raises(AttributeError):  # it goes on to the inputs, of which there are none here
        again.outputs(NOTHING, NOTHING, SETTINGS)

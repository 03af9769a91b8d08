"""What is the same is done once: an exporter that is the converter exports once, and the target that is the ONNX form is run once."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

import safeconvert
from safeconvert.adapter_api.protocol import ConvertRequest, ModelRequest
from safeconvert.certificate.digest import digest
from safeconvert.conversion.models import Evaluated, Export
from safeconvert.conversion.step import step_key
from safeconvert.core.signature import Signature
from safeconvert.errors import NotEquivalent
from safeconvert.inputs.store import Chunk
from safeconvert.registry.manifest import adapters
from safeconvert.verification.form_check import first_chunks
from safeconvert.verification.source_check import KnownRun
from safeconvert.verification.types import Counted


@pytest.fixture
def source(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    pool = torch.nn.AdaptiveAvgPool2d(1)  # so that height and width are free
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), pool, torch.nn.Flatten(), torch.nn.Linear(4, 5)
    )
    path = tmp_path / "net.pt"
    torch.jit.script(net.eval()).save(str(path))
    return path


@pytest.mark.converters
def test_an_export_that_is_the_target_is_made_and_run_once(source: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(64, 3, 8, 8)).astype(np.float32))
    place = tmp_path / "profile.json"
    outcome = safeconvert.convert(source, "onnx", inputs=tmp_path / "x.npy", profile=place)
    spans = [event for event in json.loads(place.read_text())["traceEvents"] if event["ph"] == "X"]
    calls = [event["name"] for event in spans if event["cat"] == "call"]
    assert len([name for name in calls if "converting net.pt" in name]) == 1
    phases = [event["name"] for event in spans if event["cat"] == "phase"]
    # the one form that is run is the graph that is read of the source's file, in the background
    assert phases.count("running the source (ONNX)") == 1
    assert phases.index("reading the source file") < phases.index("running the target")
    figures = outcome.predicate["verification"]
    assert figures["source native vs source ONNX"]["max_abs"] == figures["source native vs target native"]["max_abs"]
    assert outcome.predicate["exporters"]["source"]["verdict"] == "equal"
    assert any("sizes left free" in note for note in outcome.predicate["notes"])
    assert outcome.predicate["structure"] == "same exporter" and outcome.predicate["proof"]["level"] == "native"
    assert "comparing structures" not in outcome.predicate["seconds"]
    assert digest(outcome.target).sha256 == outcome.predicate["target"]["sha256"]


@pytest.mark.converters
def test_a_converter_runs_where_its_framework_is(source: Path, tmp_path: Path) -> None:
    place = tmp_path / "profile.json"
    safeconvert.convert(source, "keras", samples=16, profile=place)
    spans = [event for event in json.loads(place.read_text())["traceEvents"] if event["ph"] == "X"]
    calls = {event["name"] for event in spans if "converting" in event["name"] and event["cat"] == "call"}
    roles = {name.split("-")[0]: name.split()[-1] for name in calls if not name.startswith("source")}
    assert roles == {
        "convert by torch": "net.pt",
        "convert": "step1.onnx",
    }  # which has TensorFlow and never imports torch
    began = {event["name"]: event["ts"] for event in reversed(spans) if event["cat"] == "phase"}
    assert began["converting torch to onnx (torch_onnx_script)"] < began["running the source"]


@pytest.mark.converters
def test_an_onnx_form_is_run_on_all_inputs_only_where_the_target_differs(source: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(160, 3, 8, 8)).astype(np.float32))
    right = safeconvert.convert(source, "onnx", inputs=tmp_path / "x.npy").target
    form, native = "source native vs source ONNX", "source native vs target native"
    figures = safeconvert.verify(source, right, inputs=tmp_path / "x.npy").predicate["verification"]
    assert 0 < figures[form]["samples"] <= 64 < figures[native]["samples"]
    assert figures["source ONNX vs target native"]["samples"] == figures[form]["samples"]
    model = onnx.load(right)
    bias = next(tensor for tensor in model.graph.initializer if list(tensor.dims) == [5])
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + 1, bias.name))
    onnx.save(model, tmp_path / "wrong.onnx")
    place = tmp_path / "profile.json"
    with pytest.raises(NotEquivalent):
        safeconvert.verify(
            source, tmp_path / "wrong.onnx", inputs=tmp_path / "x.npy", certificate=tmp_path / "c.json", profile=place
        )
    calls = [event["name"] for event in json.loads(place.read_text())["traceEvents"] if event.get("cat") == "call"]
    ran = [name for name in calls if "running source.onnx" in name]
    assert len(ran) == 7, "five times 32 given inputs and two kinds of made-up ones; the first 64 are not run again"
    figures = json.loads(base64.b64decode(json.loads((tmp_path / "c.json").read_text())["payload"]))["predicate"][
        "verification"
    ]
    assert figures[form]["samples"] > 64


@pytest.mark.converters
def test_on_which_inputs_a_source_is_rounding_is_not_asked_where_nothing_differs(source: Path) -> None:
    outcome = safeconvert.convert(source, "onnx")
    assert "running the source" in outcome.predicate["seconds"]
    assert "running the source again" not in outcome.predicate["seconds"]
    assert outcome.predicate["inputs"]["used"] >= 60


def test_the_first_chunks_hold_inputs_that_count_and_save_half() -> None:
    chunks = [Chunk(start, min(start + 32, 200), {}) for start in range(0, 200, 32)]
    every = Counted(np.arange(200), np.empty(0, dtype=int))
    assert len(first_chunks(chunks, every)) == 2
    assert len(first_chunks(chunks, Counted(np.asarray([70, 90]), every.joined))) == 3
    assert first_chunks(chunks, Counted(np.asarray([199]), every.joined)) == chunks
    assert first_chunks(chunks[:3], every) == chunks[:3], "64 of 96 save little"


def test_a_run_of_another_file_or_on_other_inputs_is_not_taken(tmp_path: Path) -> None:
    for folder in ("one", "other", "beside"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "m.onnx").write_bytes(b"other" if folder == "other" else b"one")
    (tmp_path / "beside" / "weights").write_bytes(b"")
    feeds = [{"x": tmp_path / "in.npy"}]
    known = KnownRun(digest(tmp_path / "one" / "m.onnx").sha256, feeds, Evaluated(Signature((), ()), ()))
    assert known.is_of(Export("exporter", tmp_path / "one" / "m.onnx", ""), feeds)
    assert not known.is_of(Export("exporter", tmp_path / "other" / "m.onnx", ""), feeds)
    assert not known.is_of(Export("exporter", tmp_path / "beside" / "m.onnx", ""), feeds), "it may have weights there"
    assert not known.is_of(Export("", tmp_path / "one" / "m.onnx", ""), feeds), "the source is ONNX itself"
    assert not known.is_of(Export("exporter", tmp_path / "one" / "m.onnx", ""), [{"y": tmp_path / "in.npy"}])
    assert not known.is_of(Export("exporter", None, "failed"), feeds)


def test_a_model_in_another_format_is_another_step(tmp_path: Path) -> None:
    adapter = next(one for one in adapters() if one.name == "keras_export")
    request = ConvertRequest(ModelRequest(str(tmp_path / "m.keras")), str(tmp_path / "step1.onnx"))
    elsewhere = replace(request, target=str(tmp_path / "other" / "step2.onnx"))
    folder = replace(request, target=str(tmp_path / "step1_saved_model"))
    assert step_key(adapter, request) == step_key(adapter, elsewhere) != step_key(adapter, folder)

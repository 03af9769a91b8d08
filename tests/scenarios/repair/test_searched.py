"""A weak fault that only the search finds is named and repaired by what the search found, and the repaired target is searched anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from safeconvert.compare.settings import VerifySettings
from safeconvert.config.options import DataOptions, VerifyOptions
from safeconvert.config.settings import load_settings
from safeconvert.core.progress import Phases
from safeconvert.errors import ExitCode
from safeconvert.inputs.store import Chunk
from safeconvert.pipeline.verify_pair import verify_pair
from safeconvert.verification.search import search
from safeconvert.verification.types import Searched
from safeconvert.workers.run import open_run
from tests.command import safeconvert
from tests.scenarios.wrong_targets import pairs

pytestmark = pytest.mark.converters


def bounded(folder: Path) -> None:
    """A bound that noise never reaches is another in the target."""
    for name, high in (("source", 60.0), ("target", 66.0)):
        nodes = [pairs.node("MatMul", "x w", "m"), pairs.node("Min", "m high", "r"), pairs.node("MatMul", "r v", "y")]
        made = pairs.graph(
            nodes, {"x": ("f", ["N", 16])}, ["y"],
            {"w": pairs.weights(16, 16), "v": pairs.weights(16, 4, seed=1), "high": np.float32(high)},
        )  # fmt: skip
        onnx.save(made, folder / f"{name}.onnx")


def test_it_ends_localized(tmp_path: Path) -> None:
    bounded(tmp_path)
    found = safeconvert("localize", tmp_path / "source.onnx", tmp_path / "target.onnx", "--json")
    assert found.code == 1, found.text
    (fault,) = found.json["predicate"]["faults"]
    assert fault["operator"] == "Min" and fault["proven"]
    assert "searched inputs" in found.json["reason"]


def test_it_ends_repaired_and_what_repaired_it_is_no_evidence(tmp_path: Path) -> None:
    bounded(tmp_path)
    fixed = safeconvert(
        "repair", tmp_path / "source.onnx", tmp_path / "target.onnx", "-o", tmp_path / "fixed.onnx", "--json"
    )
    assert fixed.code == 0, fixed.text
    content = fixed.json["predicate"]
    (fault,) = content["faults"]
    assert fault["operator"] == "Min"
    assert [one["outcome"] for one in content["attempts"]] == ["not_equivalent", "verified"]
    searched = content["searched"]
    assert searched["used_in_repair"] >= 1 and searched["counterexamples"] == 0 and searched["rounds"] == 8
    assert searched["inputs"] <= searched["rounds"] * searched["batch"]


def test_a_target_is_refused_by_what_repaired_it_before_any_round(tmp_path: Path) -> None:
    """The inputs are run again, and neither they nor rounds of the search before are counted."""
    bounded(tmp_path)
    options = VerifyOptions(tmp_path / "source.onnx", tmp_path / "target.onnx", data=DataOptions())
    with open_run(load_settings(), Phases()) as run:
        pair = verify_pair(run, options)
        assert pair.exit_code is ExitCode.NOT_EQUIVALENT
        first = pair.verification.searched
        assert isinstance(first, Searched) and first.inputs > 0
        equal = replace(pair.verification, native=replace(pair.verification.native, equal=True), searched=None)
        known = Chunk(0, first.chunks[0].stop, first.chunks[0].arrays)
        again = search(
            run, replace(pair.pair, source=replace(pair.source, counterexamples=(known,))), equal, VerifySettings()
        )
        assert not again.native.equal and again.searched is not None
        assert (again.searched.rounds, again.searched.inputs, again.searched.known) == (0, 0, known.stop)


def test_calls_without_a_batch_are_searched_and_their_fault_is_repaired(tmp_path: Path) -> None:
    """One row of 1500 is another; each call takes the mean of twelve."""
    table = pairs.weights(1500, 8, scale=1500**0.5)
    nodes = [pairs.node("Gather", "table ids", "rows"), pairs.node("ReduceMean", "rows", "y", axes=[0], keepdims=0)]
    source = pairs.graph(nodes, {"ids": ("i", [12])}, ["y"], {"table": table})
    changed = table.copy()
    changed[1008] += 1
    onnx.save(source, tmp_path / "source.onnx")
    onnx.save(pairs.with_constant(source, "table", changed), tmp_path / "target.onnx")
    fixed = safeconvert(
        "repair", tmp_path / "source.onnx", tmp_path / "target.onnx", "-o", tmp_path / "fixed.onnx", "--json"
    )
    assert fixed.code == 0, fixed.text
    content = fixed.json["predicate"]
    assert "searched inputs" in content["attempts"][0]["reason"]
    assert content["inputs"]["axis_0"].startswith("no batch")
    assert [fault["operator"] for fault in content["faults"]] == ["Gather"]
    assert content["searched"]["inputs"] > 0 and content["searched"]["used_in_repair"] >= 1

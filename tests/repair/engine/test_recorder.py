"""What is noted of a repair: errors along the layers, and regions that run by themselves and differ."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from safeconvert.graph.view import tidy
from safeconvert.repair.engine import recorder
from safeconvert.repair.engine.loop import Repair
from tests.engine import solve
from tests.inject import channels_last, inject, renamed
from tests.onnx_models import NETS, random, run

LAST = (0, 2, 3, 1)


def faulty(name: str, kinds: list[str], folder: Path, seed: int = 3) -> Repair:
    """A repair of a disguised copy with faults."""
    make, shape = NETS[name]
    source = make(1)
    view, injected = inject(source, kinds, seed)
    assert len(injected) == len(kinds)
    image = len(shape) == 3
    rewritten, _ = renamed(channels_last(view) if image else view)
    return solve(source, rewritten, {"x": random(10, *shape)}, folder, LAST if image else None)


@pytest.mark.parametrize("kinds", [["WB"], ["LH"], ["WB", "CG drop"]])
def test_isolated_errors_stand_out_at_the_faults_alone(kinds: list[str], tmp_path: Path) -> None:
    found = faulty("cnn", kinds, tmp_path)
    layers = found.record["along"]
    marked = [place for place, layer in enumerate(layers) if layer["faults"]]
    assert sorted(number for place in marked for number in layers[place]["faults"]) == list(range(len(found.faults)))
    for place, layer in enumerate(layers):
        assert (layer["isolated"] > 1e-4) == (place in marked), layer
        assert layer["repaired"] < 1e-4, layer
    assert all(layer["propagated"] < 1e-5 for layer in layers[: marked[0]])
    assert layers[-1]["propagated"] > 1e-4  # the fault shows at the output
    for place in marked:
        faults = [found.faults[number] for number in layers[place]["faults"]]
        assert layers[place]["isolated"] == pytest.approx(max(fault.isolated for fault in faults), rel=1e-3)


def test_values_that_are_many_are_in_a_file_and_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "few").mkdir()
    (tmp_path / "many").mkdir()
    few = faulty("cnn", ["WB"], tmp_path / "few").record["along"]
    monkeypatch.setattr(recorder, "_MANY", 0)
    monkeypatch.setattr(recorder, "_FEW", 64)
    assert faulty("cnn", ["WB"], tmp_path / "many").record["along"] == few and len(few) > 3
    assert not (tmp_path / "many" / "first").exists()


def test_graphs_hold_every_node_and_its_edges(tmp_path: Path) -> None:
    found = faulty("cnn", ["WB"], tmp_path)
    source = tidy(NETS["cnn"][0](1))
    nodes = found.record["graphs"]["source"]
    assert [node["operator"] for node in nodes] == [node.op_type for node in source.nodes]
    for number, node in enumerate(nodes):
        assert all(read < number for read in node["reads"])
        assert [nodes[read]["makes"][0] for read in node["reads"]] == [
            name for name in source.nodes[number].input if name in source.maker
        ]


@pytest.mark.parametrize(("name", "kind"), [("cnn", "WB"), ("cnn", "TSS"), ("cnn", "CG insert"), ("transformer", "WB")])
def test_a_region_runs_by_itself_and_differs(name: str, kind: str, tmp_path: Path) -> None:
    found = faulty(name, [kind], tmp_path)
    (region, *_) = found.record["regions"]
    folder = tmp_path / region["folder"]
    assert region["faults"] == [0] and not region["left_out"]
    sizes = [len(level["operators"]) for level in region["levels"]]
    assert sizes == sorted(set(sizes)) and len(sizes) > 1  # each level takes more of the source in
    for level in region["levels"]:
        model = onnx.load(folder / level["folder"] / "model.onnx")
        onnx.checker.check_model(model, full_check=True)
        assert [node.op_type for node in model.graph.node] == list(level["operators"])
        for data_set in sorted((folder / level["folder"]).glob("test_data_set_*")):
            feeds, wanted = load(data_set, model)
            assert np.allclose(run(model, feeds)[0], wanted, rtol=1e-5, atol=1e-5)
    target = onnx.load(folder / "target.onnx")
    onnx.checker.check_model(target)
    smallest = folder / region["levels"][0]["folder"]
    errors = []
    for data_set in sorted(smallest.glob("test_data_set_*")):
        feeds, wanted = load(data_set, target)
        (got,) = run(target, feeds)
        assert got.shape == wanted.shape
        errors.append(np.abs(got - wanted).max() / np.abs(wanted).max())
    assert max(errors) > 0.3 * found.faults[0].isolated > 3e-5, (errors, asdict(found.faults[0]))


def load(folder: Path, model: onnx.ModelProto) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Inputs by the model's names, and the output, of one ONNX test data set."""
    tensors = {path.stem: numpy_helper.to_array(onnx.load_tensor(path)) for path in folder.glob("*.pb")}
    names = [value.name for value in model.graph.input]
    return {name: tensors[f"input_{number}"] for number, name in enumerate(names)}, tensors["output_0"]

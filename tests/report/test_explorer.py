"""Node data in Google's Model Explorer: read by its own classes, held against the ids of the graphs that it opens."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from safeconvert.certificate.archive import Evidence
from safeconvert.report import explorer
from tests.command import safeconvert
from tests.program import run_program

if TYPE_CHECKING:
    from tests.conftest import Converted

pytestmark = pytest.mark.converters
NEEDS_EXPLORER = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("model_explorer", "model_explorer_onnx")),
    reason="Model Explorer is not installed; it comes with the extra 'explorer'",
)

# what the web page does with node data: a key is an output tensor's name, or else a node's id


def opened(model: Path, extension: str, nodes: Path) -> dict[str, dict[str, float]]:
    """By graph, the operators that Model Explorer colours and their errors; KeyError for a node that is in no graph."""
    program = Path(__file__).parent / "programs" / "explorer_graphs.py"
    return json.loads(run_program(program, model, extension, nodes, explorer.beside(nodes)[1]).splitlines()[-1])


@NEEDS_EXPLORER
def test_the_nodes_of_a_tflite_file_are_found(verified: Converted) -> None:
    shown = opened(verified.model, "builtin_tflite_flatbuffer", verified.nodes)
    assert set(shown) == {"source", "target", "main"}
    assert {"conv_2d", "fully_connected"} <= set(shown["main"]) and max(shown["main"].values()) < 1e-5
    assert "Conv" in shown["source"] and "Conv" in shown["target"]


@NEEDS_EXPLORER
def test_the_nodes_of_an_onnx_file_are_found_and_the_fault_stands_out(refuted: Converted) -> None:
    source = refuted.model.parent / "selu.onnx"
    shown = opened(source, "onnx_adapter", refuted.nodes)
    assert set(shown) == {"source", "target", "made"}
    assert set(shown["made"]) == {"Conv", "Selu"}
    assert shown["made"]["Selu"] > 0.1 and shown["made"]["Conv"] < 1e-5
    behind = json.loads(explorer.beside(refuted.nodes)[0].read_text())
    assert behind["made"]["results"]["selu"]["value"] > 0.1 and behind["made"]["results"]["node"]["value"] > 0.01


def test_the_same_is_written_from_the_certificate(refuted: Converted, tmp_path: Path) -> None:
    called = safeconvert("show", refuted.certificate, "--model-explorer", tmp_path / "again.json")
    assert called.code == 0, called.text
    for one, two in zip([refuted.nodes, *explorer.beside(refuted.nodes)],
                        [tmp_path / "again.json", *explorer.beside(tmp_path / "again.json")], strict=True):  # fmt: skip
        assert one.read_bytes() == two.read_bytes()


def test_a_certificate_without_evidence_says_so(refuted: Converted, tmp_path: Path) -> None:
    alone = tmp_path / refuted.certificate.name
    alone.write_bytes(refuted.certificate.read_bytes())
    called = safeconvert("show", alone, "--model-explorer", tmp_path / "nodes.json")
    assert called.code == 2 and "not beside the certificate" in called.err and not (tmp_path / "nodes.json").exists()


LAYERS: list[dict[str, Any]] = [
    {"source": "a", "target": "b", "isolated": "inf", "propagated": "nan"},
    {"source": "a", "target": "c", "isolated": 0.5, "propagated": None},
]
GRAPHS = {"source": [{"name": "a", "operator": "Conv", "reads": [], "makes": ["t"]}],
          "target": [{"name": "b", "operator": "Conv", "reads": [9, -1], "makes": ["t"]}]}  # fmt: skip


def test_errors_that_are_no_numbers_and_other_content_are_written_as_json() -> None:
    evidence = Evidence({"along": LAYERS, "graphs": GRAPHS})
    data = explorer.node_data(evidence, "isolated", None, None)
    assert data["source"]["results"] == {"a": {"value": sys.float_info.max}}
    json.dumps([data, explorer.graphs(evidence)], allow_nan=False)
    for broken in (None, 3, "text", [], {}, [None], [{"source": []}], {"source": [3], "target": [{}]}):
        for member in ("along", "graphs"):
            other = Evidence({**evidence.content, member: broken})
            json.dumps([explorer.node_data(other, "isolated", None, None), explorer.graphs(other)], allow_nan=False)

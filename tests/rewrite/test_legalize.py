"""A rule that changes the function, or fails, is left out and named; the others are kept."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
from onnx import helper

from safeconvert.errors import UnusableInput
from safeconvert.registry.manifest import adapters, read_manifest
from safeconvert.rewrite import rules
from safeconvert.rewrite.legalize import legalise, rules_of
from tests.onnx_models import cnn, model, random, run


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable], None]:
    def add(name: str, rewrite: Callable) -> None:
        module = ModuleType(f"{rules.__name__}.{name}")
        module.rewrite = rewrite
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return add


def doubled(made: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    (weights,) = [tensor for tensor in made.graph.initializer if tensor.name == "w2"]
    made.graph.initializer.append(
        onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weights) * np.float32(1.01), "other")
    )
    for node in made.graph.node:
        node.input[:] = ["other" if name == "w2" else name for name in node.input]
    return made


def test_a_rule_that_changes_the_function_is_dropped_and_the_others_stay(named: Callable) -> None:
    named("doubled", doubled)
    made = cnn()
    legal = legalise(made, ["safe_names", "doubled", "explicit_defaults"])
    assert legal.applied == ("explicit_defaults",) or legal.applied == ("safe_names", "explicit_defaults")
    assert len(legal.dropped) == 1 and legal.dropped[0].startswith("doubled: output 0 differs")
    assert any("doubled" in note for note in legal.notes())
    feeds = {"x": random(2, 3, 12, 12)}
    np.testing.assert_allclose(run(legal.model, feeds)[0], run(made, feeds)[0], rtol=1e-5, atol=1e-6)


def test_a_rule_that_fails_or_breaks_the_graph_is_dropped(named: Callable) -> None:
    def failing(made: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
        raise ValueError("no such thing")

    def breaking(made: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
        made.graph.node[0].op_type = "NoOperator"
        return made

    named("failing", failing)
    named("breaking", breaking)
    legal = legalise(cnn(), ["failing", "breaking", "explicit_defaults"])
    assert legal.applied == ("explicit_defaults",)
    assert [line.split(":")[0] for line in legal.dropped] == ["failing", "breaking"]


def test_what_does_not_run_on_probes_is_said_to_be_unchecked() -> None:
    picky = model([helper.make_node("Reshape", ["x", "s"], ["r"], "r"), helper.make_node("Relu", ["r"], ["y"], "y")],
                  {"x": ["n", "m"]}, ["y"], {"s": np.array([5, 7])})  # fmt: skip
    legal = legalise(picky, ["explicit_defaults"])
    assert legal.applied == ("explicit_defaults",) and "does not run on probes" in legal.unchecked
    assert any("not checked" in note for note in legal.notes())


def test_manifests_name_rules_that_there_are(tmp_path: Path) -> None:
    for adapter in adapters():
        assert set(adapter.rules) <= set(rules.names())
        if adapter.rules:
            assert rules_of(str(adapter.folder / "adapter.py")) == adapter.rules
    used = {rule for adapter in adapters() for rule in adapter.rules}
    assert used == set(rules.names()), "a rule that no converter uses"
    manifest = tmp_path / "adapter.toml"
    manifest.write_text('name = "a"\nsummary = "a"\nkind = "converter"\nrules = ["safe_nmaes"]\n')
    with pytest.raises(UnusableInput, match="safe_nmaes") as raised:
        read_manifest(manifest)
    assert "safe_names" in raised.value.advice


_FIRST = """
import importlib, sys
import onnx
from safeconvert.rewrite.legalize import legalise, preloaded, rules_of
for module in preloaded(sys.argv[1]):
    importlib.import_module(module)
before = set(sys.modules)
legalise(onnx.load(sys.argv[2]), rules_of(sys.argv[1]))
print(*sorted({name.split(".")[0] for name in set(sys.modules) - before} - {"safeconvert"}))
"""


def test_what_the_first_graph_imports_is_named(tmp_path: Path) -> None:
    onnx.save(cnn(), tmp_path / "m.onnx")
    adapter = next(one.folder for one in adapters() if one.name == "onnx2keras") / "adapter.py"
    command = [sys.executable, "-c", _FIRST, str(adapter), str(tmp_path / "m.onnx")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == []

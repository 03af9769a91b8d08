"""The lists of operators are what the rules give for these versions of the frameworks, and hold nothing that touches files."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from adapters._shared.untrusted.allowed import tensorflow_operators, torch_operators
from tests.command import ROOT

_PRINT = "from tests.attacks.operator_lists import {name} as made; print('\\n'.join(made()))"


@pytest.mark.converters
@pytest.mark.parametrize("name", ["torch_operators", "tensorflow_operators"])
def test_a_list_is_what_the_rules_give(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PRINT.format(name=name)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    listed = torch_operators() if name == "torch_operators" else tensorflow_operators()
    assert set(done.stdout.split()) == listed


def test_no_operator_of_the_lists_is_named_after_files_or_code() -> None:
    pattern = re.compile(
        r"file|save|restore|py_?func|dataset|socket|load_|::load|dump|python|rpc|checkpoint|queue|reader", re.IGNORECASE
    )
    found = {name for name in torch_operators() | tensorflow_operators() if pattern.search(name)}
    assert found == set()


@pytest.mark.parametrize(
    "name",
    ["aten::from_file", "aten::save", "prim::PythonOp", "debugprims::load_tensor", "profiler::_record_function_enter"],
)
def test_torch_operators_that_reach_out_are_not_listed(name: str) -> None:
    assert name not in torch_operators()


@pytest.mark.parametrize(
    "name",
    ["ReadFile", "WriteFile", "MatchingFiles", "ImmutableConst", "SaveV2", "RestoreV2", "PyFunc", "EagerPyFunc", "DebugIdentityV2",
     "InitializeTableFromTextFileV2", "GenerateVocabRemapping", "LoadAndRemapMatrix", "SnapshotDataset", "XlaCallModule"],
)  # fmt: skip
def test_tensorflow_operators_that_reach_out_are_not_listed(name: str) -> None:
    assert name not in tensorflow_operators()

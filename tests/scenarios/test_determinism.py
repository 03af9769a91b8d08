"""The same SavedModel through tf2onnx is the same file, in order and names, whatever Python's hashes are; so is a whole run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.command import ROOT

pytestmark = [pytest.mark.converters, pytest.mark.slow]
_SAVE = """
import sys
import tensorflow as tf

class Two(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 4], name=n) for n in ("zulu", "alpha")])
    def __call__(self, zulu, alpha):
        return {"second": tf.nn.relu(zulu - alpha), "first": tf.nn.softmax(alpha * 2.0)}

tf.saved_model.save(Two(), sys.argv[1])
"""
_EXPORT = """
import hashlib, json, sys
from pathlib import Path
import onnx
from adapters.tf.adapter import load
from adapters.tf2onnx.adapter import convert
from safeconvert.adapter_api.protocol import ConvertRequest, ModelRequest

request = ModelRequest(sys.argv[1])
signature = load(request.to_json()).signature()
for _ in range(int(sys.argv[3])):  # functions that the process traced before
    load(request.to_json())
convert(ConvertRequest(request, sys.argv[2], signature).to_json())
graph = onnx.load(sys.argv[2]).graph
names = [[value.name for value in values] for values in (graph.input, graph.output)]
print(json.dumps([*names, hashlib.sha256(Path(sys.argv[2]).read_bytes()).hexdigest()]))
"""


def _ran(code: str, seed: int, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(seed), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "two"
    _ran(_SAVE, 0, folder)
    return folder


def test_ten_exports_under_other_hashes_are_one_file(saved: Path, tmp_path: Path) -> None:
    seeds = range(1, 11)
    with ThreadPoolExecutor(2) as threads:
        found = list(
            threads.map(lambda seed: json.loads(_ran(_EXPORT, seed, saved, tmp_path / f"{seed}.onnx", seed % 2)), seeds)
        )
    assert found[0][0] and found[0][1] and all(one == found[0] for one in found)


def test_whole_runs_under_other_hashes_come_to_one_certificate(saved: Path, tmp_path: Path) -> None:
    predicates: list[dict[str, Any]] = []
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-m", "safeconvert", "tf2onnx", str(saved), "-o", str(folder / "two.onnx"), "--json"],
            cwd=folder, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(seed), "XDG_STATE_HOME": str(folder / "state")},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr[-2000:]
        predicates.append(json.loads(done.stdout)["predicate"])
    one, two = ({key: value for key, value in made.items() if key not in ("seconds", "made")} for made in predicates)
    for made in (one, two):
        made["attempts"] = [
            {key: value for key, value in attempt.items() if key != "seconds"} for attempt in made["attempts"]
        ]
        made["source"].pop("path")  # relative to the certificate's folder
    assert one == two
    assert one["searched"]["inputs"] > 0 and one["searched"]["limit"] == "rounds"

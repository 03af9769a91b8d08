"""Localize and repair MobileNetV2 with 1, 5 and 20 faults on 10 and 200 images, in multiples of one pass of both models;
and the memory that the layer analysis of 200 inputs takes: `python bench/repair_speed.py`, after `bench/pairs.py`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
from common import DATA, ROOT, WORK, table, write

sys.path.insert(0, str(ROOT))

from safeconvert.compare.relation import identity
from safeconvert.core.resources import data_folder
from safeconvert.core.signature import Signature
from safeconvert.graph.activations import with_onnxruntime
from safeconvert.graph.view import tidy
from safeconvert.inputs.open import open_inputs
from safeconvert.inputs.preprocessing import preset_or_file
from safeconvert.localize.alignment import align
from safeconvert.localize.layer_analysis import Groups, analyse, core_pairs
from safeconvert.localize.matching import Pair
from safeconvert.repair.engine.loop import repair
from safeconvert.repair.engine.scoring import Scorer
from tests.engine import SETTINGS, problem, specs
from tests.inject import inject

MODEL = WORK / "pairs" / "mobilenetv2-torch2onnx.onnx"


def main() -> None:
    """Each measurement in a process of its own."""
    rows = []
    for faults in (1, 5, 20):
        for images in (10, 200):
            rows.append(tuple(json.loads(_child(str(faults), str(images)))))
            print(*rows[-1], flush=True)
    headers = ("faults", "images", "found", "repaired", "one pass of both, s", "localize + repair, s", "multiple",
               "peak memory, MiB")  # fmt: skip
    body = table(headers, rows)
    memory = json.loads(_child("memory", "200"))
    body += "\n\nLayer analysis of 200 inputs (similar and dissimilar, 100 each, three samples): "
    body += (
        f"{memory['layers']} core layers in {memory['seconds']:.1f} s, peak {memory['peak']} MiB resident, of which "
    )
    body += f"{memory['before']} MiB before it (bar: 2048 MiB + model)."
    write("repair_speed", "Speed and memory of localization and repair (bars: 5 passes for one fault on 200 images, "
          "10 s on 10 images)", "python bench/repair_speed.py", body)  # fmt: skip


def _child(*arguments: str) -> str:
    command = [sys.executable, str(Path(__file__)), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]


def _images(model: onnx.ModelProto, count: int) -> dict[str, np.ndarray]:
    inputs, outputs = specs(model)
    recipe = preset_or_file("torchvision", data_folder("configs") / "preprocessing.toml")
    opened = open_inputs(DATA / "images" / "imagenet_val", Signature(tuple(inputs), tuple(outputs)), recipe, count)
    return opened.chunk(0, opened.count)


def _measure(faults: int, images: int) -> None:
    source = onnx.load(MODEL)
    target, injected = inject(source, ["WB"] * faults, 7)
    with tempfile.TemporaryDirectory() as folder:
        given = problem(source, target, _images(source, images), Path(folder))
        began = time.perf_counter()
        Scorer(given, tidy(source)).score(target)
        one_pass = time.perf_counter() - began
        began = time.perf_counter()
        found = repair(given)
        seconds = time.perf_counter() - began
    named = len({fault.target for fault in found.faults} & {name for one in injected for name in one.targets})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    row = [str(len(injected)), str(images), str(named), "yes" if found.after.equal else "no", f"{one_pass:.1f}",
           f"{seconds:.1f}", f"{seconds / one_pass:.2f}", str(peak)]  # fmt: skip
    print(json.dumps(row))


def _memory(images: int) -> None:
    source = onnx.load(MODEL)
    target, _ = inject(source, ["WB"], 7)
    left = tidy(source)
    name, array = next(iter(_images(source, images).items()))
    pairs = [({name: array[n : n + 1]}, {name: array[n : n + 1]}) for n in range(len(array))]
    inputs = {name: Pair(name, name, identity(4))}
    found = align(
        left, target, [one for one, _ in pairs[:2]], inputs, dict(zip(target.outputs, left.outputs, strict=True)), 1e-4
    )
    layers = core_pairs(left, target, found.pairs, SETTINGS.core_layers)
    half = len(pairs) // 2
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    began = time.perf_counter()
    scores = analyse(left, target, layers, Groups(pairs[:half], pairs[half:], 0), with_onnxruntime)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"layers": len(scores), "seconds": seconds, "before": before, "peak": peak}))


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    elif sys.argv[1] == "memory":
        _memory(int(sys.argv[2]))
    else:
        _measure(int(sys.argv[1]), int(sys.argv[2]))

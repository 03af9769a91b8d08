"""`python large_torch.py FOLDER`: state dicts opened as large ones are, and one exported; prints what was mapped and what is equal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from adapters._shared import torch_files
from adapters.torch_onnx_dynamo.adapter import convert
from safeconvert.adapter_api.protocol import ConvertRequest, ModelRequest
from safeconvert.core.signature import Signature, TensorSpec

CODE = """
import torch

def plain():
    return torch.nn.Sequential(torch.nn.Linear(6, 6), torch.nn.BatchNorm1d(6), torch.nn.Linear(6, 6, bias=False))

def tied():
    made = plain()
    made[2].weight = made[0].weight
    return made
"""


def main(folder: Path) -> None:
    """Make the files, open them, export one."""
    (folder / "large_nets.py").write_text(CODE, encoding="utf-8")
    sys.path.insert(0, str(folder))
    torch.manual_seed(0)
    found: dict[str, Any] = {}
    for kind in ("small", "plain", "tied", "half", "legacy"):
        torch_files._LARGE = 1 << 29 if kind == "small" else 0
        found[kind] = opened(folder, kind)
    found["exported"] = exported(folder)
    print(json.dumps(found))


def request(folder: Path, kind: str) -> ModelRequest:
    """Of one kind's file."""
    factory = f"large_nets:{'tied' if kind == 'tied' else 'plain'}"
    return ModelRequest(str(folder / f"{kind}.pt"), factory=factory, search_path=str(folder))


def opened(folder: Path, kind: str) -> dict[str, Any]:
    """How many tensors lie in a mapping of the file, and whether all are those that were saved."""
    asked = request(folder, kind)
    state = torch_files.build(asked.factory, str(folder)).state_dict()
    if kind == "half":
        state = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    torch.save(state, asked.path, _use_new_zipfile_serialization=kind != "legacy")
    module = torch_files.open_torch(asked).module
    regions = [
        line.split()[0].split("-") for line in Path("/proc/self/maps").read_text().splitlines() if asked.path in line
    ]
    own = module.state_dict()
    places = [value.data_ptr() for value in own.values() if value.dim()]
    mapped = sum(any(int(low, 16) <= place < int(high, 16) for low, high in regions) for place in places)
    kept = {name: torch.equal(value, state[name].to(value.dtype)) for name, value in own.items()}
    floats = all(value.dtype in (torch.float32, torch.int64) for value in own.values())
    return {"mapped": mapped, "equal": all(kept.values()) and floats and not module.training}


def exported(folder: Path) -> dict[str, Any]:
    """The files of a large export, its free axes, and whether it is the module."""
    (folder / "made").mkdir()
    target = folder / "made" / "m.onnx"
    spec, out = TensorSpec("input", (None, 6), "float32"), TensorSpec("output", (None, 6), "float32")
    convert(ConvertRequest(request(folder, "plain"), str(target), Signature((spec,), (out,)), 0).to_json())
    session = onnxruntime.InferenceSession(str(target))
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("f4")
    (ours,) = session.run(None, {"input": x})
    theirs = torch_files.open_torch(request(folder, "plain")).module(torch.from_numpy(x)).numpy()
    shape = [size if isinstance(size, int) else "n" for size in session.get_inputs()[0].shape]
    files = sorted(file.name for file in target.parent.iterdir())
    return {"files": files, "open": shape, "equal": bool(np.allclose(ours, theirs, atol=1e-5))}


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""What a framework's adapter observes of small models: `observed.py ADAPTER FOLDER FILE...`, JSON by file."""

import json
import sys
from pathlib import Path

import numpy as np

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.resources import data_folder
from safeconvert.workers._worker import load_adapter

adapter = load_adapter(str(Path(data_folder("adapters")) / sys.argv[1]))
folder = Path(sys.argv[2])
found = {}
for name in sys.argv[3:]:
    shapes = {"": (0, 3, 8, 8)} if sys.argv[1] == "torch" else {}
    request = ModelRequest(
        str(folder / name), shapes, factory="factory:build", trust_pickle=name == "pickled.pt", search_path=str(folder)
    )
    model = adapter.load(request.to_json())
    random = np.random.default_rng(0)
    count = 2 if name == "program.pt2" else 1
    specs = model.signature().inputs
    feeds = {
        spec.name: (random.normal(size=[count, *spec.shape[1:]]) * (30 if spec.dtype == "int8" else 1)).astype(
            spec.dtype
        )
        for spec in specs
    }
    (output,) = model.predict(feeds).values()
    quantization = model.signature().outputs[0].quantization
    if quantization is not None:
        output = (output.astype(float) - quantization.zero_point) * quantization.scale
    tensors = model.intermediates(feeds)
    known = {spec.name for spec in specs} | {one.tensor for one in tensors}
    found[name] = {
        "layers": [[one.layer, one.operator] for one in tensors],
        "connected": bool(tensors[-1].reads) and all(set(one.reads) <= known for one in tensors),
        "output": bool(np.allclose(tensors[-1].value.ravel(), output.ravel(), rtol=1e-4, atol=1e-5)),
        "convolved": any(one.value.size == 144 * count for one in tensors),
    }
print(json.dumps(found))

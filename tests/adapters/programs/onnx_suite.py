"""ONNX' own cases through one back end, every n-th: `onnx_suite.py torch|keras N`; prints what was right, refused and wrong."""

import json
import sys
import warnings

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

warnings.filterwarnings("ignore")

back_end, every = sys.argv[1], int(sys.argv[2])
if back_end == "torch":
    import torch

    from adapters.torch_ops.module import GraphModule, as_tensor

    def run(model, feeds):
        with torch.inference_mode():
            outputs = GraphModule(model).eval()(*map(as_tensor, feeds.values()))
        return [o.to(torch.float32).numpy() if o.dtype == torch.bfloat16 else o.numpy() for o in outputs]
else:
    import keras

    from adapters.keras_ops.model import build

    def run(model, feeds):
        return [np.asarray(o) for o in keras.tree.flatten(build(model)(list(feeds.values())))]


def baked(model, feeds, kept):
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    inputs = list(copy.graph.input)
    del copy.graph.input[:]
    for value in inputs:
        if value.name in kept:
            copy.graph.input.append(value)
        else:
            copy.graph.initializer.append(numpy_helper.from_array(feeds[value.name], value.name))
    return copy, {name: feeds[name] for name in feeds if name in kept}


def wrong(name, got, expected, rtol, atol):
    for one, other in zip(got, expected, strict=False):
        if one.shape != other.shape:
            return f"shape {one.shape}, not {other.shape}"
        if other.dtype.name in ("bfloat16", "float16"):  # a rounding or two of the type itself
            rtol, atol = max(rtol, 2**-7), max(atol, 2**-7)
        elif one.dtype != other.dtype:
            return f"type {one.dtype}, not {other.dtype}"
        if name.startswith("test_dft"):  # what the suite expects was rounded on the way: zeros are 2e-7 beside 54
            atol = max(atol, float(np.finfo(other.dtype).eps * np.abs(other).max()))
        if not np.allclose(one.astype("float64"), other.astype("float64"), rtol, atol, equal_nan=True):
            return "values"
    return "" if len(got) >= len(expected) else "outputs are missing"


found = {"right": 0, "refused": 0, "wrong": []}
for case in load_model_tests(kind="node")[::every]:
    inputs, outputs = case.data_sets[0]
    arrays = [*inputs, *outputs]
    if not inputs or not all(isinstance(a, (np.ndarray, np.generic)) for a in arrays):
        continue
    inputs, outputs = ([np.asarray(a) for a in part] for part in (inputs, outputs))
    if any(a.dtype.kind in "OSUc" for a in [*inputs, *outputs]):
        continue
    feeds = dict(zip([value.name for value in case.model.graph.input], inputs, strict=False))
    outcome = "refused"
    for kept in (list(feeds), list(feeds)[:1]):
        try:
            model, rest = baked(case.model, feeds, kept)
            reason = wrong(case.name, run(model, rest), outputs, case.rtol, case.atol)
            outcome = f"{case.name}: {reason}" if reason else "right"
            break
        except NotImplementedError as error:
            assert str(error)
        except Exception as error:  # noqa: BLE001 - whatever an operator raises is a result
            outcome = f"{case.name}: {type(error).__name__} {error}"[:300]
            break
    if outcome in found:
        found[outcome] += 1
    else:
        found["wrong"].append(outcome)
print(json.dumps(found))

"""Division rounded down, remainders, shifts and masked attention: the raw exporters give something else, ours what the source gives.

Fixed upstream? The raw case starts to agree, and what stands before the exporter is dropped.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.converters, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]

DYNAMO = {
    "floor of wide integers": "torch.div(wide, 7, rounding_mode='floor')",
    "trunc of wide integers": "torch.div(wide, 7, rounding_mode='trunc')",
    "floor division of tenths": "tenths // steps",
    "floor division of integers by a fraction": "integers // 2.5",
    "remainder of tenths": "tenths % steps",
    "remainder by a tenth": "tenths % 0.3",
    "shift to the right": "integers >> (wide % 5)",
    "attention under a mask": "F.scaled_dot_product_attention(q, q, q, attn_mask=mask)",
    "attention under a mask, heads joined": (
        "F.scaled_dot_product_attention(q, q, q, attn_mask=mask).transpose(1, 2).reshape(2, 6, 16)"
    ),
    "attention under minus infinity": "F.scaled_dot_product_attention(q, q, q, attn_mask=torch.log(mask.float()))",
    "attention of three dimensions": "F.scaled_dot_product_attention(q[0], q[0], q[0], attn_mask=mask[0])",
    "attention of grouped queries": "F.scaled_dot_product_attention(q, q[:, :1], q[:, :1], attn_mask=mask, enable_gqa=True)",
    "logaddexp of large numbers": "torch.logaddexp(tenths * 99, -tenths * 99)",
}
SCRIPT = {
    "floor division of integers": "integers // 4",
    "floor division of 32 bits": "integers.int() // 4",
    "floor division of tenths": "tenths // steps",
    "remainder of tenths": "tenths % steps",
    "shift to the right": "integers >> 2",
    "attention under minus infinity": "F.scaled_dot_product_attention(q, q, q, attn_mask=torch.log(mask.float()))",
}
TENSORFLOW = {
    "floor division": "integers // 4",
    "floor division by negative ones": "integers // -divisors",
    "floor division of 64 bits": "tf.cast(integers, tf.int64) * 10**9 // 7",
    "floor division of 8 bits": "tf.cast(integers, tf.int8) // tf.cast(divisors, tf.int8)",
    "floor remainder": "integers % divisors",
    "floor remainder of 64 bits": "tf.cast(integers, tf.int64) * 10**9 % -7",
    "ceiling": "-(-integers // 3)",
}

_TORCH = """
import io, json, sys, tempfile, contextlib, numpy, onnxruntime, torch
from torch.nn import functional as F
sys.path.insert(0, ".")
from adapters.torch_onnx_dynamo.lacking import spelled_out
from adapters.torch_onnx_script import attention, division
which, cases = json.load(sys.stdin)
torch.manual_seed(0)
integers = torch.randint(-30, 31, (5, 6))
divisors = torch.randint(1, 9, (5, 6))
mask = torch.rand(2, 1, 6, 6) > 0.4
mask[0, 0, 2] = False
given = (integers, integers * 10**9 + divisors, torch.round(torch.randn(5, 6) * 4, decimals=1), divisors * 0.1,
         torch.randn(2, 2, 6, 8), mask)

def dynamo(model, path, own):
    program = torch.export.export(model, given)
    torch.onnx.export(spelled_out(program) if own else program, dynamo=True, verbose=False).save(path)

def script(model, path, own):
    if own:
        attention.register(), division.register()
    traced = torch.jit.trace(model, given, check_trace=False)
    torch.onnx.export(traced, given, path, dynamo=False, opset_version=17)

def right(name, model, own):
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        try:
            {"dynamo": dynamo, "script": script}[which](model, folder + "/m.onnx", own)
            session = onnxruntime.InferenceSession(folder + "/m.onnx")
        except Exception as error:
            return str(error)[-300:]
        names = [one.name for one in session.get_inputs()]
        order = ("integers", "wide", "tenths", "steps", "q", "mask")
        feeds = {name: given[order.index(name.split(".")[0])].numpy() for name in names}
        found = session.run(None, feeds)[0]
    wanted = model(*given).numpy()
    close = 1e-5 if wanted.dtype.kind == "f" else 0
    return bool(found.dtype == wanted.dtype and found.shape == wanted.shape
                and numpy.allclose(found, wanted, rtol=close, atol=close, equal_nan=True))

for own in (False, True):
    for name, text in cases.items():
        scope = {"torch": torch, "F": F}
        exec("def forward(self, integers, wide, tenths, steps, q, mask): return " + text, scope)
        model = type("Model", (torch.nn.Module,), {"forward": scope["forward"]})().eval()
        print(json.dumps([name, own, right(name, model, own)]), flush=True)
"""

_TF = """
import os, sys, json
os.environ["TF_CPP_MIN_LOG_LEVEL"], os.environ["CUDA_VISIBLE_DEVICES"] = "3", ""
import numpy as np
np.object = object
import onnxruntime, tensorflow as tf, tf2onnx
sys.path.insert(0, ".")
_, cases = json.load(sys.stdin)
random = np.random.default_rng(0)
arrays = {"integers": random.integers(-30, 31, (5, 6)).astype("i4"), "divisors": random.integers(1, 9, (5, 6)).astype("i4")}
specs = [tf.TensorSpec(a.shape, a.dtype, name=n) for n, a in arrays.items()]
for own in (False, True):
    if own:
        import adapters._shared.tf2onnx_lean
    for name, text in cases.items():
        call = tf.function(eval("lambda integers, divisors: " + text, {"tf": tf}), input_signature=specs)
        model, _ = tf2onnx.convert.from_function(call, input_signature=specs, opset=17)
        session = onnxruntime.InferenceSession(model.SerializeToString())
        found = session.run(None, {one.name: arrays[one.name] for one in session.get_inputs()})[0]
        wanted = call(*map(tf.constant, arrays.values())).numpy()
        print(json.dumps([name, own, bool(found.dtype == wanted.dtype and (found == wanted).all())]), flush=True)
"""


def _exported(which: str, script: str, cases: dict[str, str]) -> dict[tuple[str, bool], bool | str]:
    """By case and whether ours stands before it: True where the ONNX file gives what the source gives."""
    given = json.dumps([which, cases])
    run = subprocess.run([sys.executable, "-c", script], input=given, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr[-2000:]
    lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith('["')]
    return {(name, own): right for name, own, right in lines}


@pytest.mark.parametrize(
    ("which", "script", "cases"),
    [("dynamo", _TORCH, DYNAMO), ("script", _TORCH, SCRIPT), ("tensorflow", _TF, TENSORFLOW)],
    ids=["dynamo", "script", "tensorflow"],
)
def test_ours_gives_what_the_source_gives_and_the_raw_exporter_does_not(
    which: str, script: str, cases: dict[str, str]
) -> None:
    found = _exported(which, script, cases)
    assert [(name, found[name, True]) for name in cases if found[name, True] is not True] == []
    assert [name for name in cases if found[name, False] is True] == [], (
        "right upstream now: drop what stands before it"
    )

"""Export an expression of x with torch's dynamo exporter, raw and spelled out: `exported.py NAME EXPRESSION`; prints two truths."""

import json
import sys
import tempfile

import numpy
import onnxruntime
import torch
import torch.nn.functional as F  # noqa: F401 - expressions use it

from adapters.torch_onnx_dynamo.lacking import spelled_out


def export(program, path=None):
    try:
        exported = torch.onnx.export(program, dynamo=True, verbose=False)
    except torch.onnx.OnnxExporterError:
        return False
    if path:
        exported.save(path)
    return True


class Expression(torch.nn.Module):
    def __init__(self, text):
        super().__init__()
        self.text = text

    def forward(self, x):
        return eval(self.text)


torch.manual_seed(0)
name, text = sys.argv[1:]
model, x = Expression(text).eval(), torch.randn(2, 7, 9)
if name == "cumprod":
    x = x[:, :, :3].clone(memory_format=torch.contiguous_format)
free = ({0: torch.export.Dim.AUTO},) if "of all" not in name else None
program = torch.export.export(model, (x,), dynamic_shapes=free)
with tempfile.TemporaryDirectory() as folder:
    raw, path = export(program), folder + "/m.onnx"
    assert export(spelled_out(program), path), name
    session = onnxruntime.InferenceSession(path)
    found = session.run(None, {session.get_inputs()[0].name: x.numpy()})
wanted = model(x)
wanted = [one.numpy() for one in (wanted if isinstance(wanted, tuple) else (wanted,))]
same = len(found) == len(wanted) and all(
    one.dtype == other.dtype
    and one.shape == other.shape
    and numpy.allclose(one, other, rtol=1e-5, atol=1e-6, equal_nan=True)
    for one, other in zip(found, wanted, strict=True)
)
print(json.dumps([raw, same]))

"""What torch's dynamo exporter has no translation for: the raw exporter refuses it, spelled out it is right.

Fixed upstream? The raw case starts to pass, and its decomposition is dropped.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import ROOT, safeconvert

pytestmark = pytest.mark.converters

CASES = {
    "kthvalue": "torch.kthvalue(x[..., 0], 2, dim=1, keepdim=True)",
    "median": "torch.median(x, dim=1)",
    "median of all": "torch.median(x)",
    "nanmedian": "torch.nanmedian(torch.log(x), dim=1)[0]",
    "mode": "torch.mode(torch.round(x), dim=1)[0]",
    "cummax": "torch.cummax(x, dim=1)",
    "cummax of integers": "torch.cummax(torch.round(x * 3).to(torch.int64), dim=2)",
    "cummin with equals": "torch.cummin(torch.round(x), dim=1)",
    "cummax of minus infinity": "torch.cummax(torch.log(torch.relu(x)), dim=1)[0]",
    "cumprod": "torch.cumprod(x, dim=1)",
    "hypot beyond float32's square": "torch.hypot(x * 1e25, x.flip(1) * 1e25)",
    "hypot of zero": "torch.hypot(x * 0, torch.relu(x))",
    "copysign of negative zero": "torch.copysign(x, -torch.relu(x.flip(1)))",
    "erfinv": "torch.erfinv(torch.clamp(x / 3, -0.9999, 0.9999))",
    "erfinv of one": "torch.special.erfinv(torch.sign(x))",
    "adaptive max pool 1d": "F.adaptive_max_pool1d(x, 4, return_indices=True)",
    "adaptive max pool 2d": "F.adaptive_max_pool2d(x, (3, 4), return_indices=True)",
    "adaptive max pool 2d, an axis kept": "F.adaptive_max_pool2d(x, (3, None))",
    "adaptive max pool 3d": "F.adaptive_max_pool3d(x[:, None], (1, 3, 2), return_indices=True)",
    "cdist": "torch.cdist(x, x.flip(1) * 2)",
    "cdist 0": "torch.cdist(torch.round(x), torch.round(x.flip(1)), p=0.0)",
    "cdist 1": "torch.cdist(x, x.flip(1) * 2, p=1.0)",
    "cdist 3": "torch.cdist(x, x.flip(1) * 2, p=3.0)",
    "cdist inf": "torch.cdist(x, x.flip(1) * 2, p=float('inf'))",
    "pdist": "F.pdist(x[0])",
    "rrelu": "F.rrelu(x, 0.1, 0.4)",
    "searchsorted": "torch.searchsorted(torch.arange(-2.0, 3.0), x)",
    "searchsorted in rows, right": "torch.searchsorted(torch.sort(x)[0], torch.round(x), right=True, out_int32=True)",
}

_SCRIPT = """
import json, sys, tempfile, numpy, onnxruntime, torch
from torch.nn import functional as F
from adapters.torch_onnx_dynamo.lacking import spelled_out

def export(program, path=None):
    try:
        exported = torch.onnx.export(program, dynamo=True, verbose=False)
    except torch.onnx.OnnxExporterError:
        return False
    if path:
        exported.save(path)
    return True

for name, text in json.load(sys.stdin).items():
    class Model(torch.nn.Module):
        def forward(self, x):
            return eval(text)
    torch.manual_seed(0)
    model, x = Model().eval(), torch.randn(2, 7, 9)
    if name == "cumprod": x = x[:, :, :3].clone(memory_format=torch.contiguous_format)
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
        one.dtype == other.dtype and one.shape == other.shape
        and numpy.allclose(one, other, rtol=1e-5, atol=1e-6, equal_nan=True)
        for one, other in zip(found, wanted))
    print(json.dumps([name, raw, same]), flush=True)
"""


@pytest.fixture(scope="module")
def exported() -> dict[str, tuple[bool, bool]]:
    """By case: whether the raw exporter takes it, and whether the spelled-out program gives what torch gives."""
    script = [sys.executable, "-c", _SCRIPT]
    run = subprocess.run(script, input=json.dumps(CASES), capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr[-2000:]
    lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith('["')]
    return {name: (raw, same) for name, raw, same in lines}


@pytest.mark.parametrize("name", CASES)
def test_spelled_out(exported: dict[str, tuple[bool, bool]], name: str) -> None:
    raw, same = exported[name]
    assert not raw, "torch's exporter takes it now: drop the decomposition"
    assert same


_MODEL = """
import sys, torch
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.dense = torch.nn.Conv2d(3, 6, 3), torch.nn.Linear(6, 4)
    def forward(self, x):
        features = torch.nn.functional.adaptive_max_pool2d(self.conv(x), (3, 4)).flatten(2)
        near = torch.kthvalue(torch.cdist(features, features), 2, dim=-1)[0]
        return self.dense(torch.copysign(near, torch.cumprod(features[..., :3], 2)[..., 2]))
torch.manual_seed(0)
model, x = Model().eval(), torch.randn(2, 3, 9, 11)
torch.export.save(torch.export.export(model, (x,), dynamic_shapes=({0: torch.export.Dim("n")},)), sys.argv[1])
"""


def test_an_exported_program_of_such_operators_is_converted(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _MODEL, tmp_path / "m.pt2"], check=True, capture_output=True)
    called = safeconvert(
        "torch2keras", tmp_path / "m.pt2", "-o", tmp_path / "m.keras", "--samples", "20", "--json",
        XDG_STATE_HOME=str(tmp_path / "state"), XDG_DATA_HOME=str(tmp_path / "no optional converters"),
    )  # fmt: skip
    assert called.code == 0, called.text

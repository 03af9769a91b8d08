"""What torch's dynamo exporter has no translation for: the raw exporter refuses it, spelled out it is right.

Fixed upstream? The raw case starts to pass, and its decomposition is dropped.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import safeconvert
from tests.program import DYNAMO, TORCH, run_program
from tests.slow import first_of_every

pytestmark = pytest.mark.converters
PROGRAMS = Path(__file__).parent / "programs"

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


@pytest.mark.parametrize("name", first_of_every(4, CASES))
def test_spelled_out(name: str) -> None:
    """The raw exporter refuses it, and the spelled-out program gives what torch gives."""
    raw, same = json.loads(run_program(PROGRAMS / "exported.py", name, CASES[name], modules=DYNAMO).splitlines()[-1])
    assert not raw, "torch's exporter takes it now: drop the decomposition"
    assert same


@pytest.mark.slow
def test_an_exported_program_of_such_operators_is_converted(tmp_path: Path) -> None:
    run_program(PROGRAMS / "many_lacking.py", tmp_path / "m.pt2", modules=TORCH)
    called = safeconvert(
        "torch2keras", tmp_path / "m.pt2", "-o", tmp_path / "m.keras", "--samples", "20", "--json",
        XDG_STATE_HOME=str(tmp_path / "state"), XDG_DATA_HOME=str(tmp_path / "no optional converters"),
    )  # fmt: skip
    assert called.code == 0, called.text


def test_an_exported_program_with_quoted_names_in_its_assertions_is_converted(tmp_path: Path) -> None:
    run_program(PROGRAMS / "sized_by_values.py", tmp_path / "m.pt2", modules=TORCH)
    called = safeconvert(
        "torch2onnx", tmp_path / "m.pt2", "-o", tmp_path / "m.onnx", "--search", "0", "--json", XDG_STATE_HOME=str(tmp_path / "state")
    )  # fmt: skip
    assert called.code == 0, called.text

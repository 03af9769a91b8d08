"""The source that the fakes convert."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = """
import sys, torch
torch.manual_seed(3)
net = torch.nn.Sequential(
    torch.nn.Conv2d(3, 6, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(6 * 8 * 8, 10)
).eval()
torch.jit.trace(net, torch.zeros(2, 3, 8, 8)).save(sys.argv[1])
"""


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TorchScript CNN on (N,3,8,8) with ten classes."""
    path = tmp_path_factory.mktemp("fakes") / "model.pt"
    subprocess.run([sys.executable, "-c", _SCRIPT, str(path)], check=True, capture_output=True)
    return path

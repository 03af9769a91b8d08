"""The wheel outside the checkout."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.command import ROOT


@pytest.mark.slow
@pytest.mark.converters
def test_the_wheel_runs_the_demo_in_an_environment_of_its_own(tmp_path: Path) -> None:
    """Installed without the checkout on its path; the frameworks are lent from this environment, which takes minutes less."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(ROOT)],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = (tmp_path / "dist").glob("safeconvert-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "safeconvert/py.typed" in names, "type checkers read the annotations of an installed package only with it"
    assert "safeconvert/compat/tf2onnx/__main__.py" in names and "safeconvert/report/template/page.html.jinja" in names
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)],
        check=True, capture_output=True,
    )  # fmt: skip
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = subprocess.run(
        [python, str(ROOT / "tests" / "programs" / "where.py")],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert Path(where.stdout.strip()).is_relative_to(site)
    done = subprocess.run(
        [python, "-m", "safeconvert.cli", "demo", "--folder", str(tmp_path / "made")],
        capture_output=True, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "made" / "digits.keras").is_file()
    explained = subprocess.run(
        [python, "-m", "safeconvert.cli", "explain", "WB"], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert explained.stdout == (ROOT / "docs" / "faults" / "wb.md").read_text(encoding="utf-8")

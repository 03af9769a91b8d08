"""Every version of Landlock up to the kernel's own: what each guards, and that a worker's folder stays usable."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

from safeconvert.workers.containment import landlock

pytestmark = pytest.mark.skipif(not landlock.abi(), reason="this kernel has no Landlock")

PROGRAM = Path(__file__).parent / "programs" / "guarded.py"
HELD = Path(__file__).parent / "programs" / "held.py"
FORGET = Path("/proc/sys/vm/drop_caches")


@pytest.mark.parametrize("version", range(1, landlock.abi() + 1))
def test_a_version_guards_what_it_knows(version: int, tmp_path: Path) -> None:
    for name in ("given", "outside", "own"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path), str(version)],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    truncated = "done" if version < 3 else "PermissionError"
    renamed = "OSError" if version < 2 else "done"
    assert done.stdout.split("\n") == [
        "done PermissionError", "PermissionError done", truncated, renamed, "",
    ]  # fmt: skip


def test_rights_of_unknown_versions_are_those_of_the_last_known() -> None:
    assert [landlock.handled(version).bit_length() for version in range(1, 10)] == [13, 14, 15, 15, 16, 16, 16, 16, 16]


def test_what_stays_open_does_so_when_the_kernel_forgets_names() -> None:
    """As it does when memory is short; made to where this user may, and elsewhere the descriptors that prevent it are looked at."""
    with subprocess.Popen(
        [sys.executable, str(HELD), "/proc/self", "/proc/cpuinfo"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(Path(__file__).parents[3])},
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        assert {"/proc/cpuinfo", f"/proc/{process.pid}"} <= set(process.stdout.readline().split())
        with contextlib.suppress(OSError):
            for _ in range(3):
                FORGET.write_text("2")
        process.stdin.write("\n")
        process.stdin.close()
        assert process.stdout.read().split() == ["True", "True"]

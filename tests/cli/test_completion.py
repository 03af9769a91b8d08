"""Shell completion, in a real bash."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import ROOT, safeconvert

CASES = (
    ("safeconvert torch2", ("torch2keras", "torch2onnx")),
    ("safeconvert exp", ("explain",)),
    ("safeconvert explain W", ("WB",)),
    ("safeconvert config torch2t", ("torch2tf", "torch2tflite")),
    ("safeconvert keras2tflite --optimize d", ("default",)),
    ("safeconvert repair --layer-analysis t", ("tvm",)),
    ("safeconvert torch2keras --in", ("--inputs", "--input-shape")),
    ("safeconvert torch2keras --preprocessing keras.mobilenet", ("keras.mobilenet_v2",)),
    ("safeconvert torch2keras --comparator co", ("cosine",)),
    ("safeconvert torch2keras --route torch_onnx_script,onnx2k", ("torch_onnx_script,onnx2keras",)),
    ("safeconvert convert m.pt --to tf", ("tf", "tflite")),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a `safeconvert` program, as an installation makes one, and the script that bash is given."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "safeconvert"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom safeconvert.cli.app import main\nmain()\n"
    )
    program.chmod(0o755)
    script = subprocess.run(
        [program, "--show-completion", "bash"], capture_output=True, text=True, check=True,
        env={"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
    )  # fmt: skip
    (folder / "completion.sh").write_text(script.stdout)
    return folder


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(("typed", "offered"), CASES, ids=[typed for typed, _ in CASES])
def test_bash_offers_commands_flags_and_values(typed: str, offered: tuple[str, ...], folder: Path) -> None:
    words = typed.split()
    script = (
        f"source {folder}/completion.sh; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; "
        f"_safeconvert_completion {folder}/safeconvert {words[-1]} {words[-2]}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert set(offered) <= set(done.stdout.split()), done.stdout + done.stderr
    assert all(word.casefold().startswith(words[-1].casefold()) for word in done.stdout.split())


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script(shell: str) -> None:
    script = safeconvert("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert script.code == 0 and "_COMPLETE" in script.out

"""`python -m safeconvert.compat.tf2onnx` in its main forms: parsed, and run on tiny models."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from safeconvert.adapter_api.protocol import ModelPart
from safeconvert.compat.tf2onnx import command
from tests.command import ROOT
from tests.program import KERAS, run_program

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("words", "part", "shapes", "own"),
    [
        (["--saved-model", "m"], ModelPart(), {}, ()),
        (
            ["--saved-model", "m", "--signature_def", "serve", "--tag", "a,b", "--opset", "15"],
            ModelPart("serve", ("a", "b")), {}, ("--opset", "15", "--tag", "a,b", "--signature_def", "serve"),
        ),
        (
            ["--graphdef", "m", "--inputs", "x:0[-1,28,28,3],k:0", "--outputs", "y:0,z:0", "--inputs-as-nchw", "x:0"],
            ModelPart(inputs=("x:0", "k:0"), outputs=("y:0", "z:0")), {"x": (0, 28, 28, 3)},
            ("--inputs", "x:0[-1,28,28,3],k:0", "--outputs", "y:0,z:0", "--inputs-as-nchw", "x:0"),
        ),
        (["--checkpoint", "m", "--inputs", "x:0", "--outputs", "y:0"], ModelPart(inputs=("x:0",), outputs=("y:0",)), {},
         ("--inputs", "x:0", "--outputs", "y:0")),
        (["--input", "m", "--inputs", "x:0", "--outputs", "y:0"], ModelPart(inputs=("x:0",), outputs=("y:0",)), {},
         ("--inputs", "x:0", "--outputs", "y:0")),
        (["--keras", "m", "--outputs-as-nchw", "y", "--extra_opset", "own:2"], ModelPart(), {},
         ("--extra_opset", "own:2", "--outputs-as-nchw", "y")),
        (["--tflite", "m", "--dequantize", "--target", "rs6"], ModelPart(), {}, ("--target", "rs6", "--dequantize")),
    ],
)  # fmt: skip
def test_the_main_forms_are_handed_to_tf2onnx_as_they_are(
    words: list[str], part: ModelPart, shapes: dict[str, tuple[int, ...]], own: tuple[str, ...]
) -> None:
    parsed = command.parse([*words, "--output", "out.onnx"])
    assert (parsed.source, parsed.output, parsed.part, parsed.shapes) == (Path("m"), Path("out.onnx"), part, shapes)
    assert parsed.own == own and not parsed.verbose


def _command(
    folder: Path, *words: object, module: str = "safeconvert.compat.tf2onnx"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, words)], capture_output=True, text=True, cwd=folder, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder whose settings file says on how many inputs to check."""
    (tmp_path / "safeconvert.toml").write_text("[flags]\nsamples = 12\n")
    return tmp_path


@pytest.mark.converters
def test_a_saved_model_with_its_signature_and_channels_first(whole: Path, project: Path) -> None:
    done = _command(
        project, "--saved-model", whole / "saved", "--signature_def", "serving_default", "--tag", "serve", "--opset", "16",
        "--rename-inputs", "picture", "--output", "m.onnx",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("verified  m.onnx\n") and (project / "m.onnx.certificate.json").exists()
    model = onnx.load(project / "m.onnx")
    assert [o.version for o in model.opset_import if not o.domain] == [16]
    assert [value.name for value in model.graph.input] == ["picture"]


@pytest.mark.slow
@pytest.mark.converters
def test_a_checkpoint_between_its_inputs_and_outputs(project: Path) -> None:
    run_program(HERE / "programs" / "checkpoint.py", project / "net", modules=KERAS)
    done = _command(
        project, "--checkpoint", "net.meta", "--inputs", "x:0", "--outputs", "y:0", "--output", "m.onnx",
        module="safeconvert.compat.tf2onnx.convert",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert [value.name for value in onnx.load(project / "m.onnx").graph.output] == ["y:0"]


@pytest.mark.slow
@pytest.mark.converters
def test_a_wrong_model_is_left_under_another_name_with_exit_code_1(whole: Path, tmp_path: Path) -> None:
    settings = (HERE / "unrepaired.toml").read_text().replace('"wrong"', f'"{HERE / "wrong"}"')
    (tmp_path / "safeconvert.toml").write_text(settings)
    words = ("--keras", whole / "model.keras", "--output", "m.onnx")
    refused = _command(tmp_path, *words)
    assert refused.returncode == 2 and "adapters.folders names" in refused.stderr, refused.stderr
    done = subprocess.run(
        [sys.executable, HERE / "programs" / "named_settings.py", "safeconvert.toml", *map(str, words)],
        capture_output=True, text=True, cwd=tmp_path, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.startswith("not equivalent  m.onnx\n") and "fault WB" in done.stdout
    assert not (tmp_path / "m.onnx").exists() and (tmp_path / "m.onnx.rejected").exists()


def test_an_option_that_cannot_be_honoured_ends_with_exit_code_2_and_nothing_written(project: Path) -> None:
    done = _command(project, "--saved-model", "saved", "--large_model", "--output", "m.onnx")
    assert done.returncode == 2 and done.stderr.startswith("error: --large_model cannot be honoured: "), done.stderr
    assert _command(project).returncode == 2 and _command(project, "--help").returncode == 0
    assert _command(project, "--nonsense").returncode == 2
    assert [path.name for path in project.iterdir()] == ["safeconvert.toml"]

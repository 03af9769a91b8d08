"""The plain API: what it takes, what it gives back, what it raises."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import safeconvert
from safeconvert.compare.settings import Tolerance
from safeconvert.config.request import Request, requested
from safeconvert.errors import UnusableInput
from tests.command import ROOT

HEAVY = ("torch", "tensorflow", "keras", "onnx", "onnxruntime", "tvm", "scipy", "numpy", "typer", "rich")
FAKES = ROOT / "tests" / "fakes" / "fakes.toml"


def _python(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of `tests/programs` outside the checkout, with nothing of the environment but where safeconvert is."""
    return subprocess.run(
        [sys.executable, str(ROOT / "tests" / "programs" / program), *arguments],
        capture_output=True, text=True, cwd="/", check=True, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "import safeconvert",
        "from safeconvert import NotEquivalent, UnusableInput, Outcome, __version__",
        "dir(safeconvert)",
    ],
)
def test_importing_imports_nothing_heavy(statement: str) -> None:
    done = _python("imported.py", statement, *HEAVY)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("use", ["convert", "verify", "convert,verify"])
def test_the_api_imports_no_framework(use: str) -> None:
    done = _python("refusing.py", use, *HEAVY[:6])
    assert done.stdout.splitlines() == ["/a: no such file or folder", "[]"]


def test_verify_is_a_function_and_a_package() -> None:
    from safeconvert.compare.settings import VerifySettings

    assert VerifySettings is not None and callable(safeconvert.verify)


@pytest.mark.parametrize("command", ["convert", "verify"])
def test_a_keyword_of_another_name_is_a_type_error(command: str) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'tol'"):
        getattr(safeconvert, command)("a", "b", tol=1)


def test_types_are_offered_to_type_checkers(tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(
        "import safeconvert\n"
        "outcome = safeconvert.convert('m.pt', to='keras', inputs='images/')\n"
        "reveal_type(outcome)\nreveal_type(safeconvert.verify('a', 'b').predicate)\n"
        "try:\n    safeconvert.convert('m.pt', to='keras', rtol='x')\nexcept safeconvert.NotEquivalent as error:\n"
        "    reveal_type(error.certificate)\n"
    )
    # As of a package that is installed, the bodies of its functions are not looked at: `make lint` does that.
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\n[mypy-safeconvert.*]\nignore_errors = True\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--no-incremental", "use.py"],
        capture_output=True, text=True, cwd=tmp_path, env={"MYPYPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    printed = done.stdout
    assert 'Revealed type is "safeconvert.report.outcome.Outcome"' in printed, printed
    assert (
        'Revealed type is "dict[str, Any]"' in printed
        or 'Revealed type is "builtins.dict[builtins.str, Any]"' in printed
    )
    wrong = [line for line in printed.splitlines() if line.startswith("use.py") and "error:" in line]
    assert "Mapping[" in printed and len(wrong) == 1 and 'Argument "rtol"' in wrong[0]


def asked(config: Path, **given: object) -> Request:
    return requested("convert", given, config)


def test_what_is_not_given_comes_from_the_settings_file(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text(
        "[flags]\nrtol = 0.5\nseed = 3\ninput-shape = ['1,3,?,8']\ntolerance = ['y=1,2']\ntarget-layout = ['x=keep']\n"
        "output = 'elsewhere'\ntimeout = 7\n"
    )
    request = asked(file, seed=4, atol=None)
    assert (request.values["rtol"], request.values["seed"], "atol" in request.values) == (0.5, 4, False)
    assert request.shapes() == {"": (1, 3, 0, 8)} and request.layouts() == {"x": "keep"}
    assert request.comparison().tolerance == Tolerance(0.5, 1e-5)
    assert request.comparison().tolerances == {"y": Tolerance(1, 2)}
    assert asked(file, input_shape={"a": (None, 4)}).shapes() == {"a": (0, 4)}
    assert request.path("output") == tmp_path / "elsewhere" and request.settings.limits.seconds == 7
    assert asked(file, rtol=0.0).comparison().tolerance.rtol == 0.0


def test_arrays_in_memory_become_a_file_for_the_time_of_the_run(tmp_path: Path) -> None:
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    (tmp_path / "c.toml").touch()
    with asked(tmp_path / "c.toml", inputs=x).data() as data:
        assert data.path is not None and np.array_equal(np.load(data.path), x)
    assert not data.path.exists()
    several = {"file": x, "b": x[:, ::2]}
    with asked(tmp_path / "c.toml", inputs=several).data() as data, np.load(str(data.path)) as archive:
        assert np.array_equal(archive["file"], x) and np.array_equal(archive["b"], x[:, ::2])
    for nonsense in (np.array(["x"]), np.float32(3), {"a": np.array([object()])}):
        request = asked(tmp_path / "c.toml", inputs=nonsense)
        with pytest.raises(UnusableInput, match="holds no samples"), request.data():
            pass


def test_an_unknown_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.toml").touch()
    with pytest.raises(UnusableInput, match="unknown"):
        asked(tmp_path / "c.toml", target_layout="NHCW").layouts()


@pytest.mark.converters
def test_convert_and_verify_give_outcomes_and_raise_with_the_certificate(source: Path, tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(12, 3, 8, 8)).astype(np.float32)
    made = safeconvert.convert(source, to="onnx", inputs=x, output=tmp_path / "made.onnx")
    assert made.target == tmp_path / "made.onnx" and made.target.exists()
    assert made.certificate is not None and made.predicate["inputs"]["count"] == 12
    again = safeconvert.verify(source, made.target, inputs=x, certificate=tmp_path / "pair.json")
    assert again.predicate["verdict"] == "verified" and (tmp_path / "pair.json").exists()
    with pytest.raises(safeconvert.NotEquivalent) as raised:
        safeconvert.convert(
            source,
            to="onnx",
            inputs=x,
            output=tmp_path / "wrong.onnx",
            route="fake_wrong_weight",
            repair=False,
            config=FAKES,
        )
    error = raised.value
    assert error.certificate["verdict"] == "not_equivalent" and error.certificate["faults"][0]["kind"] == "WB"
    assert error.rejected is not None and error.rejected.exists() and not (tmp_path / "wrong.onnx").exists()
    json.dumps(error.certificate)
    with pytest.raises(safeconvert.NoRoute, match="unsupported padding"):
        safeconvert.convert(source, to="onnx", inputs=x, output=tmp_path / "no.onnx", route="fake_raises", config=FAKES)

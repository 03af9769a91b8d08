"""The plain API: what it takes, what it gives back, what it raises."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import typing
from pathlib import Path

import numpy as np
import pytest

import safeconvert
from safeconvert.cli.app import app
from safeconvert.cli.project_defaults import known_flags
from safeconvert.compare.settings import Tolerance
from safeconvert.config.check_options import Checks
from safeconvert.config.settings import load_settings
from safeconvert.errors import UnusableInput
from tests.command import ROOT

HEAVY = ("torch", "tensorflow", "keras", "onnx", "onnxruntime", "tvm", "scipy", "numpy", "typer", "rich")
FAKES = ROOT / "tests" / "fakes" / "fakes.toml"


@pytest.mark.parametrize(
    "statement",
    [
        "import safeconvert",
        "from safeconvert import NotEquivalent, UnusableInput, Outcome, __version__",
        "dir(safeconvert)",
    ],
)
def test_importing_imports_nothing_heavy(statement: str) -> None:
    script = f"import sys, safeconvert\n{statement}\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("use", ["convert", "verify", "convert, verify"])
def test_the_api_imports_no_framework(use: str) -> None:
    heavy = HEAVY[:6]
    script = (
        f"import sys\nfrom safeconvert import {use}\nimport safeconvert\nassert callable(safeconvert.verify)\n"
        "try:\n    safeconvert.verify('a', 'b')\nexcept safeconvert.UnusableInput as error:\n    print(error)\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd="/", check=True,
                          env={"PYTHONPATH": str(ROOT)})  # fmt: skip
    assert done.stdout.splitlines() == ["/a: no such file or folder", "[]"]


def test_verify_is_a_function_and_a_package() -> None:
    from safeconvert.compare.settings import VerifySettings

    assert VerifySettings is not None and callable(safeconvert.verify)


@pytest.mark.parametrize("command", ["convert", "verify"])
def test_every_flag_of_the_command_line_is_an_argument(command: str) -> None:
    from safeconvert import api

    flags = {flag.name for flag in known_flags(app)[command].values()}
    only_printed = {"as_json", "quiet", "verbose"}
    arguments = set(inspect.signature(getattr(api, command)).parameters)
    assert flags - only_printed == arguments - {"source", "target"}
    assert set(typing.get_type_hints(getattr(api, command))) == arguments | {"return"}


def test_types_are_offered_to_type_checkers(tmp_path: Path) -> None:
    (tmp_path / "use.py").write_text(
        "import safeconvert\n"
        "outcome = safeconvert.convert('m.pt', to='keras', inputs='images/')\n"
        "reveal_type(outcome)\nreveal_type(safeconvert.verify('a', 'b').predicate)\n"
        "try:\n    safeconvert.convert('m.pt', to='keras', rtol='x')\nexcept safeconvert.NotEquivalent as error:\n"
        "    reveal_type(error.certificate)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", str(tmp_path / "use.py")],
        capture_output=True, text=True, cwd=tmp_path, env={"MYPYPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    said = done.stdout
    assert 'Revealed type is "safeconvert.report.outcome.Outcome"' in said, said
    assert 'Revealed type is "dict[str, Any]"' in said or 'Revealed type is "builtins.dict[builtins.str, Any]"' in said
    assert "Mapping[" in said and said.count("error:") == 1 and 'Argument "rtol"' in said


def test_what_is_not_given_comes_from_the_settings_file() -> None:
    flags = {"rtol": 0.5, "seed": 3, "input_shape": ["1,3,?,8"], "tolerance": ["y=1,2"], "target_layout": ["x=keep"],
             "output": "elsewhere"}  # fmt: skip
    merged = Checks(seed=4).over(flags)
    assert (merged.rtol, merged.seed, merged.atol) == (0.5, 4, None)
    assert merged.shapes() == {"": (1, 3, 0, 8)} and merged.layouts() == {"x": "keep"}
    settings = merged.comparison(load_settings())
    assert settings.tolerance == Tolerance(0.5, 1e-5) and settings.tolerances == {"y": Tolerance(1, 2)}
    assert Checks(input_shape={"a": (None, 4)}).over(flags).shapes() == {"a": (0, 4)}


def test_arrays_in_memory_become_a_file_for_the_time_of_the_run() -> None:
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    with Checks(inputs=x).data() as data:
        assert data.path is not None and np.array_equal(np.load(data.path), x)
    assert not data.path.exists()
    with Checks(inputs={"file": x, "b": x[:, ::2]}).data() as data, np.load(str(data.path)) as archive:
        assert np.array_equal(archive["file"], x) and np.array_equal(archive["b"], x[:, ::2])
    for nonsense in (np.array(["x"]), np.float32(3), {"a": np.array([object()])}):
        with pytest.raises(UnusableInput, match="holds no samples"), Checks(inputs=nonsense).data():
            pass


def test_an_unknown_layout_is_refused() -> None:
    with pytest.raises(UnusableInput, match="unknown"):
        Checks(target_layout="NHCW").layouts()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small ONNX classifier with a symmetric weight that a fake converter gets wrong."""
    path = tmp_path_factory.mktemp("api") / "model.pt"
    script = (
        "import sys, torch\ntorch.manual_seed(3)\n"
        "net = torch.nn.Sequential(torch.nn.Conv2d(3, 6, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(),"
        " torch.nn.Linear(384, 10)).eval()\n"
        "torch.jit.trace(net, torch.zeros(2, 3, 8, 8)).save(sys.argv[1])\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    return path


@pytest.mark.converters
def test_convert_and_verify_give_outcomes_and_raise_with_the_certificate(model: Path, tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(12, 3, 8, 8)).astype(np.float32)
    made = safeconvert.convert(model, to="onnx", inputs=x, output=tmp_path / "made.onnx")
    assert made.target == tmp_path / "made.onnx" and made.target.exists()
    assert made.certificate is not None and made.predicate["inputs"]["count"] == 12
    again = safeconvert.verify(model, made.target, inputs=x, certificate=tmp_path / "pair.json")
    assert again.predicate["verdict"] == "verified" and (tmp_path / "pair.json").exists()
    with pytest.raises(safeconvert.NotEquivalent) as raised:
        safeconvert.convert(
            model,
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
        safeconvert.convert(model, to="onnx", inputs=x, output=tmp_path / "no.onnx", route="fake_raises", config=FAKES)

"""Environments of their own: really made, offline, with a package that lies on the disk; and what is reported where there is none."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from safeconvert.config.settings import AdapterSettings, load_settings
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.registry.environments import environment, environment_folder, inherited, known, lock_file, offers
from safeconvert.registry.install import lock_text, remove
from safeconvert.registry.manifest import Adapter, Step, adapters, find
from safeconvert.workers.pool import WorkerPool
from safeconvert.workers.requests import ImportModules
from safeconvert.workers.worker import Limits, Worker
from tests.command import Called, safeconvert

ADAPTER = """
import importlib.util
from pathlib import Path
import tiny_converter
from safeconvert.adapter_api.protocol import UNCHANGED, ConvertRequest

def convert(request):
    assert importlib.util.find_spec("numpy") is None, "packages of another environment are seen"
    step = ConvertRequest.from_json(request)
    tiny_converter.copy(Path(__file__).with_name("model.onnx"), step.target)
    return UNCHANGED.to_json()
"""
MANIFEST = """
name = "tiny"
summary = "Copies what lies beside it"
kind = "converter"
modules = ["tiny_converter"]
packages = ["tiny-converter"]
advice = "safeconvert adapters install tiny"
requirements = ["tiny-converter>=1"]

[[converts]]
from = "torch"
to = "onnx"
rank = 0
"""


def wheel(folder: Path, version: str) -> None:
    """A wheel of one module."""
    files = {
        "tiny_converter.py": "from shutil import copy\n",
        f"tiny_converter-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: tiny-converter\nVersion: {version}\n",
        f"tiny_converter-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"tiny_converter-{version}.dist-info/RECORD"
    lines = [
        f"{name},sha256={urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}\n"
        for name, text in files.items()
    ]
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"tiny_converter-{version}-py3-none-any.whl", "w") as archive:
        for name, text in (files | {record: "".join(lines) + f"{record},,\n"}).items():
            archive.writestr(name, text)


@dataclass(frozen=True)
class Place:
    """A folder with a settings file, the adapter, and its packages."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "c.toml"

    @property
    def settings(self) -> AdapterSettings:
        return load_settings(self.config).adapters

    @property
    def adapter(self) -> Adapter:
        return find("tiny", adapters(self.settings.folders))

    def run(self, *arguments: object) -> Called:
        """The command line, its installers kept from any network."""
        links, logs = str(self.folder / "wheels"), str(self.folder / "state")
        return safeconvert(
            *arguments, "--config", self.config, XDG_STATE_HOME=logs, PIP_NO_INDEX="1", PIP_FIND_LINKS=links,
            PIP_CONFIG_FILE="/dev/null", UV_NO_INDEX="1", UV_FIND_LINKS=links,
        )  # fmt: skip


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The tiny adapter, installed by the command with `--relock` while version 1.0 was the newest."""
    here = Place(tmp_path_factory.mktemp("environments"))
    (here.folder / "more" / "tiny").mkdir(parents=True)
    (here.folder / "more" / "tiny" / "adapter.toml").write_text(MANIFEST)
    (here.folder / "more" / "tiny" / "adapter.py").write_text(ADAPTER)
    here.config.write_text('[adapters]\nfolders = ["more"]\nenvironments = "environments"\n')
    wheel(here.folder / "wheels", "1.0")
    assert environment(here.adapter, here.settings).state == "absent"
    called = here.run("adapters", "install", "tiny", "--relock")
    assert called.code == 0, called.text
    assert "ok  tiny" in called.out and "tiny-converter 1.0" in called.out
    return here


def test_what_was_installed_is_locked_and_recorded(installed: Place) -> None:
    where = environment(installed.adapter, installed.settings)
    assert where.state == "installed" and where.usable
    assert where.python == installed.folder / "environments" / "tiny" / "bin" / "python"
    lines = lock_file(installed.adapter).read_text().splitlines()
    assert "tiny-converter==1.0" in lines and not any(line.startswith("pip=") for line in lines)
    record = json.loads((installed.folder / "environments" / "tiny" / "safeconvert.json").read_text())
    assert record["versions"]["tiny-converter"] == "1.0"


@pytest.mark.slow
def test_the_lock_file_is_kept_to_although_there_is_a_newer_version(installed: Place) -> None:
    wheel(installed.folder / "wheels", "1.1")
    called = installed.run("adapters", "install", "tiny", "--json")
    assert called.code == 0, called.text
    (state,) = called.json
    assert state["versions"] == {"tiny-converter": "1.0"} and state["state"] == "installed" and state["loads"]


@pytest.mark.converters
def test_a_conversion_through_it_is_verified_and_names_its_versions(
    installed: Place, whole: Path, tmp_path: Path
) -> None:
    shutil.copyfile(whole / "model.onnx", installed.folder / "more" / "tiny" / "model.onnx")
    called = installed.run(
        "torch2onnx", whole / "script.pt", "-o", tmp_path / "made.onnx", "--input-shape", "0,3,8,8", "--json"
    )
    assert called.code == 0, called.text
    (step,) = called.json["predicate"]["route"]
    assert step["adapter"] == "tiny" and step["packages"] == {"tiny-converter": "1.0"}
    assert "tiny-converter" not in called.json["predicate"]["environment"]["packages"]


def test_other_requirements_make_it_outdated_and_a_cut_off_installation_broken(
    installed: Place, tmp_path: Path
) -> None:
    shutil.copytree(installed.folder / "more", tmp_path / "more")
    shutil.copytree(installed.folder / "environments", tmp_path / "environments", symlinks=True)
    (tmp_path / "c.toml").write_text(installed.config.read_text())
    here = Place(tmp_path)
    manifest = tmp_path / "more" / "tiny" / "adapter.toml"
    assert environment(here.adapter, here.settings).state == "installed"
    manifest.write_text(MANIFEST.replace(">=1", ">=1.1"))
    adapters.cache_clear()
    outdated = environment(here.adapter, here.settings)
    assert (
        outdated.state == "outdated" and not outdated.usable and outdated.command == "safeconvert adapters install tiny"
    )
    (tmp_path / "environments" / "tiny" / "safeconvert.json").unlink()
    assert environment(here.adapter, here.settings).state == "broken"
    assert remove(here.adapter, here.settings) and not environment_folder(here.adapter, here.settings).exists()
    assert not remove(here.adapter, here.settings)


@pytest.mark.slow
def test_an_installation_that_fails_says_why_and_leaves_nothing(installed: Place, tmp_path: Path) -> None:
    shutil.copytree(installed.folder / "more", tmp_path / "more")
    (tmp_path / "c.toml").write_text(installed.config.read_text())
    here = Place(tmp_path)  # without packages, and no index
    called = here.run("adapters", "install", "tiny")
    assert called.code == 2
    assert "tiny: installing requirements.lock of tiny" in called.err and "tiny-converter" in called.err
    assert "Traceback" not in called.text and not (tmp_path / "environments" / "tiny").exists()


def test_a_folder_that_is_no_environment_is_left_alone(installed: Place, tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "thesis.txt").write_text("mine")
    with pytest.raises(UnusableInput, match="left alone"):
        remove(installed.adapter, AdapterSettings((), tmp_path))
    assert (tmp_path / "tiny" / "thesis.txt").exists()


def test_an_interpreter_may_be_given(installed: Place, tmp_path: Path) -> None:
    python = environment(installed.adapter, installed.settings).python
    config = tmp_path / "given.toml"
    config.write_text(f'[adapters]\npython = {{ tiny = "{python}", onnx2tf = "gone" }}\n')
    settings = load_settings(config).adapters
    given = environment(installed.adapter, settings)
    assert given.state == "given" and given.python == python
    gone = environment(find("onnx2tf", adapters()), settings)
    assert gone.state == "broken" and str(tmp_path / "gone") in gone.reason


@pytest.mark.parametrize(
    "action", [("install",), ("list", "tiny"), ("dance",), ("install", "onnx"), ("install", "nobody")]
)
def test_what_cannot_be_meant_is_a_usage_error(action: tuple[str, ...]) -> None:
    called = safeconvert("adapters", *action)
    assert called.code == 2 and "try:" in called.err and "Traceback" not in called.text


TINY = Adapter("tiny", "s", "converter", "", (), (), (Step("onnx", "keras", 5),), "", Path(), requirements=("x",))
REAL = Adapter("real", "s", "converter", "", (), (), (Step("torch", "onnx", 5),), "", Path())


def test_what_is_not_installed_is_not_tried_but_offered(tmp_path: Path) -> None:
    where = environment(TINY, AdapterSettings((), tmp_path))
    assert where.state == "absent" and where.python == tmp_path / "tiny" / "bin" / "python"
    (offer,) = offers("torch", "keras", [REAL], [(TINY, where)])
    assert (offer.routes, offer.command) == (("real → tiny",), "safeconvert adapters install tiny")
    assert offers("torch", "onnx", [REAL], [(TINY, where)]) == ()
    usable, missing = known(AdapterSettings((), tmp_path))
    assert {adapter.name for adapter, _ in missing} == {adapter.name for adapter in adapters() if adapter.requirements}
    assert not any(adapter.requirements for adapter in usable)


def test_lock_files_of_the_built_in_adapters_pin_what_they_require() -> None:
    optional = [adapter for adapter in adapters() if adapter.requirements]
    assert {adapter.name for adapter in optional} >= {"onnx2tf", "litert_torch"}
    for adapter in optional:
        lines = lock_file(adapter).read_text().splitlines()
        assert all("==" in line and "+" not in line for line in lines if not line.startswith("#"))
        assert set(adapter.requirements) <= set(lines)


def test_a_lock_file_holds_no_local_versions() -> None:
    assert lock_text(TINY, [("torch", "2.13.0+cpu"), ("pip", "23.2")]).splitlines()[1:] == ["torch==2.13.0"]


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[WorkerPool]:
    with WorkerPool(tmp_path, tmp_path, Limits(60, 1 << 33)) as made:
        yield made


def test_an_interpreter_that_is_not_there_is_a_failure_of_its_adapter(pool: WorkerPool, tmp_path: Path) -> None:
    worker: Worker = pool.worker("convert", tmp_path / "python")
    with pytest.raises(AdapterFailure, match="cannot be started"):
        worker.call("tiny", "converting", ImportModules([]))
    assert worker.failed


def test_another_interpreter_does_not_inherit_this_ones_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("HTTPS_PROXY", "proxy")
    assert "PYTHONPATH" not in inherited(Path("/other/python")) and inherited(Path("/other/python"))["HTTPS_PROXY"]

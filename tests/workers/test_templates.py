"""Workers that are forked from a template: as new, contained, and ended as if they had been started by themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from safeconvert.core.containment import Level, Mode
from safeconvert.errors import AdapterFailure
from safeconvert.registry.manifest import adapters, find
from safeconvert.workers.engine import ENGINE
from safeconvert.workers.grants import policy_for
from safeconvert.workers.requests import CallFunction, ImportModules, LoadAdapter, OpenModel
from safeconvert.workers.templates import Templates, modules_of, run_templates, sharing
from safeconvert.workers.worker import Limits, Worker
from tests.command import ROOT

STATE = Path(__file__).parent / "state"
MODULES = ["onnx", "onnxruntime"]


@pytest.fixture(scope="module")
def own() -> Iterator[Templates]:
    with Templates() as made:
        yield made


Make = Callable[..., Worker]


@pytest.fixture
def worker(own: Templates, tmp_path: Path) -> Iterator[Make]:
    """Makes workers that are forked from the module's templates."""
    made: list[Worker] = []

    def make(mode: Mode = Mode.AUTO, seconds: float = 120, templates: Templates = own) -> Worker:
        policy = policy_for(mode, [STATE.parent], [tmp_path], 4 << 30)
        log = tmp_path / f"test-{len(made)}"
        made.append(Worker(Path(sys.executable), log, Limits(seconds, 4 << 30), tmp_path, policy, templates=templates))
        return made[-1]

    yield make
    for each in made:
        each.close()


def ask(worker: Worker, function: str, modules: list[str] = MODULES, **arguments: Any) -> Any:
    return worker.call("state", function, CallFunction(STATE, function, arguments, modules))


def test_a_worker_begins_with_its_modules_imported_and_contained(worker: Make) -> None:
    made = worker(Mode.REQUIRE)
    first = ask(made, "look", names=["onnxruntime", "torch", "tests", "safeconvert.adapter_api"])
    assert first["modules"] == ["onnxruntime"] and first["program"] == "_template.py"
    assert made.held is not None and made.held.level is Level.FULL
    assert os.getpgid(first["pid"]) == first["pid"] != os.getpgid(0)


def test_one_worker_sees_nothing_of_another(worker: Make) -> None:
    one = worker()
    ask(one, "leave", text="of the first model")
    assert ask(one, "found") == "of the first model"
    assert ask(worker(), "found") is None


def test_what_two_frameworks_import_is_imported_once(worker: Make) -> None:
    with Templates() as templates:
        names = ["ml_dtypes", "h5py"]
        found = [ask(worker(templates=templates), "look", [module], names=names) for module in ("onnx", "tensorflow")]
        assert [one["modules"] for one in found] == [["ml_dtypes"], names]
        parents = {psutil.Process(psutil.Process(one["parent"]).ppid()).pid for one in found}
        assert len(parents) == 1, "both templates are forked from the one that has imported ml_dtypes"
        assert [one["collects"] for one in found] == [True, True], "garbage is collected again behind the imports"


def test_a_worker_starts_anew_after_its_end(worker: Make) -> None:
    made = worker()
    ask(made, "leave", text="before")
    made.close()
    assert ask(made, "found") is None and made.generation == 2


@pytest.mark.parametrize(
    ("number", "code", "message"),
    [(signal.SIGSEGV, 0, r"died of signal 11 \(SIGSEGV\)"), (0, 7, "ended by itself with exit code 7")],
)
def test_how_it_ended_is_known(number: int, code: int, message: str, worker: Make) -> None:
    with pytest.raises(AdapterFailure, match=message):
        ask(worker(), "end", number=number, code=code)


def test_it_has_the_folder_and_the_variables_of_its_run(worker: Make, tmp_path: Path) -> None:
    assert ask(worker(), "place") == {"folder": str(tmp_path), "temporary": str(tmp_path), "home": str(tmp_path)}


def test_a_variable_of_another_run_is_not_inherited(
    worker: Make, monkeypatch: pytest.MonkeyPatch, own: Templates
) -> None:
    ask(worker(), "found")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert ask(worker(), "variable", name="OMP_NUM_THREADS") == "3"
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert ask(worker(), "variable", name="OMP_NUM_THREADS") is None


def test_where_a_template_died_a_worker_is_started_anew(worker: Make) -> None:
    with Templates() as templates:
        template = ask(worker(templates=templates), "look", names=[])["parent"]
        assert template in {process.pid for process in psutil.Process().children(recursive=True)}
        os.kill(template, signal.SIGKILL)
        _until(lambda: not _lives(template))
        again = ask(worker(templates=templates), "look", names=[])
        assert again["program"] == "_worker.py"


def test_leaving_ends_all(worker: Make) -> None:
    with Templates() as templates:
        state = ask(worker(templates=templates), "look", names=[])
        assert psutil.pid_exists(state["pid"])
    _until(lambda: not _lives(state["pid"]) and not _lives(state["parent"]))


def test_a_worker_dies_with_its_host(tmp_path: Path) -> None:
    program = Path(__file__).parent / "programs" / "host.py"
    host = subprocess.Popen(
        [sys.executable, str(program), str(STATE), str(tmp_path)],
        stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert host.stdout is not None
    worker, template = map(int, host.stdout.readline().split())
    assert _lives(worker) and _lives(template)
    host.kill()
    host.communicate()
    _until(lambda: not _lives(worker) and not _lives(template))


def test_who_waits_for_an_import_is_let_go(worker: Make) -> None:
    with Templates() as templates:
        made = worker(templates=templates)
        failed: list[str] = []

        def call() -> None:
            try:
                ask(made, "found", modules=["tensorflow"])
            except AdapterFailure as error:
                failed.append(str(error))

        waiting = threading.Thread(target=call)
        waiting.start()
        _until(lambda: made.generation == 1)
        made.abandon()
        waiting.join(60)
        assert not waiting.is_alive() and failed and "canceled" in failed[0]


def test_an_import_has_the_time_limit_of_a_call(worker: Make) -> None:
    with Templates() as templates, pytest.raises(AdapterFailure, match=r"no answer within the time limit of 0\.1 s"):
        ask(worker(templates=templates, seconds=0.1), "found", modules=["tensorflow"])


def test_a_template_imports_what_the_shipped_manifests_name_and_no_more(tmp_path: Path) -> None:
    keras = find("keras", adapters()).folder
    assert modules_of(OpenModel(keras, {})) == ("tensorflow", "keras")
    assert modules_of(ImportModules(["onnx", "somebody_elses", "onnxruntime"])) == ("onnx",)
    (tmp_path / "adapter.toml").write_text(
        'name = "x"\nsummary = "x"\nkind = "converter"\nmodules = ["torch", "evil"]\n'
    )
    assert modules_of(LoadAdapter(tmp_path)) == ("torch",)
    assert modules_of(CallFunction(tmp_path / "none", "convert")) == ()


def test_runs_share_templates_where_they_are_told_to() -> None:
    with Templates() as made:
        with sharing(made), run_templates() as one, run_templates() as other:
            assert one is other is made
        with run_templates() as alone:
            assert alone is not made


def test_the_workers_of_a_later_run_begin_with_the_adapters_of_an_earlier_one(worker: Make) -> None:
    reference = [
        "onnx.reference",
        "safeconvert.prove.readers.read",
    ]  # imported by an adapter, and named by one as what it imports
    with Templates() as templates, sharing(templates):
        with run_templates() as made:
            first = worker(templates=made)
            assert ask(first, "look", names=reference)["modules"] == []
            first.call("onnx", "loading", LoadAdapter(find("onnx", adapters()).folder))
            first.call("engine", "loading", LoadAdapter(ENGINE))
            assert ask(worker(templates=made), "look", names=reference)["modules"] == []
        with run_templates() as made:
            later = worker(templates=made)
            assert ask(later, "look", names=reference)["modules"] == reference
            assert ask(later, "found") is None and later.held is not None and later.held.level is Level.FULL
            before = ask(later, "look", names=[])["parent"]
            later.call("tables", "loading", LoadAdapter(find("tflite", adapters()).folder))
        with run_templates() as made:
            grown = psutil.Process(ask(worker(templates=made), "look", names=[])["parent"])
            assert grown.ppid() == before, "what was loaded is not loaded again"


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for what happens at once where nothing else runs; it fails where it never does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)

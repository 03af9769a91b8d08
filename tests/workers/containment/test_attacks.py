"""What a contained worker cannot do, and an uncontained one can: each attack is tried in both."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from safeconvert.core.containment import Level, Mode
from safeconvert.errors import AdapterFailure
from safeconvert.workers.containment import landlock, seccomp
from tests.workers.containment.conftest import Attack, Attacker

pytestmark = pytest.mark.skipif(
    landlock.abi() < 3 or not seccomp.available(), reason="this kernel cannot contain: no Landlock 3, or no filters"
)

FILES: dict[str, Callable[[Attacker], dict[str, Any]]] = {
    "read": lambda it: {"path": str(it.outside / "file")},
    "listing": lambda it: {"path": str(it.outside)},
    "write": lambda it: {"path": str(it.outside / "new")},
    "empty": lambda it: {"path": str(it.outside / "file")},
    "remove": lambda it: {"path": str(it.outside / "file")},
    "rename": lambda it: {"path": str(it.outside / "file"), "target": str(it.scratch / "taken")},
    "hard_link": lambda it: {"path": str(it.outside / "file"), "target": str(it.scratch / "taken")},
    "link": lambda it: {"path": str(it.outside / "file"), "target": str(it.scratch / "taken")},
    "pipe": lambda it: {"path": str(it.scratch / "pipe")},
}
PROCESSES: dict[str, Callable[[Attacker], dict[str, Any]]] = {
    "fork": lambda it: {},
    "program": lambda it: {},
    "stop": lambda it: {"pid": os.getpid()},
    "listen": lambda it: {},
    "ring": lambda it: {},
    "lift": lambda it: {},
}


@pytest.mark.parametrize("attack", FILES)
def test_files_outside_are_out_of_reach(attack: str, attacker: Attack) -> None:
    contained, free = attacker(Mode.REQUIRE), attacker(Mode.OFF)
    with pytest.raises(AdapterFailure, match=r"PermissionError|OSError: \[Errno 18\]"):
        contained.tries(attack, **FILES[attack](contained))
    assert (contained.outside / "file").read_text() == "outside"
    assert {path.name for path in contained.outside.iterdir()} == {"file"}
    assert not (contained.scratch / "taken").exists()
    assert free.tries(attack, **FILES[attack](free))


@pytest.mark.parametrize("attack", ["write", "empty", "remove"])
def test_what_a_worker_was_given_cannot_be_changed(attack: str, attacker: Attack) -> None:
    contained = attacker()
    assert contained.tries("read", path=str(contained.given / "file")) == "given"
    with pytest.raises(AdapterFailure, match="PermissionError"):
        contained.tries(attack, path=str(contained.given / "file"))
    assert (contained.given / "file").read_text() == "given"


def test_its_own_folder_is_its_own(attacker: Attack) -> None:
    contained = attacker()
    assert contained.tries("own_file") == "x"
    assert contained.tries("thread") == "ran"


def test_modes_and_times_of_files_stay(attacker: Attack) -> None:
    contained, free = attacker(), attacker(Mode.OFF)
    file = contained.outside / "file"
    before = file.stat()
    assert contained.tries("modes", path=str(file)) == "done"
    assert (file.stat().st_mode, file.stat().st_mtime) == (before.st_mode, before.st_mtime)
    free.tries("modes", path=str(file))
    assert file.stat().st_mtime == 1


@pytest.mark.parametrize("attack", PROCESSES)
def test_other_processes_and_the_kernels_doors_are_closed(attack: str, attacker: Attack) -> None:
    contained, free = attacker(Mode.REQUIRE), attacker(Mode.OFF)
    with pytest.raises(AdapterFailure, match=r"PermissionError|Errno 38|not allowed"):
        contained.tries(attack, **PROCESSES[attack](contained))
    assert free.tries(attack, **PROCESSES[attack](free))


def test_it_cannot_leave_the_group_that_is_ended_with_it(attacker: Attack) -> None:
    with pytest.raises(AdapterFailure, match="PermissionError"):
        attacker().tries("leave")


def test_it_cannot_trace_its_parent(attacker: Attack) -> None:
    with pytest.raises(AdapterFailure, match="PermissionError"):
        attacker().tries("trace", pid=os.getpid())


@pytest.mark.parametrize("kind", ["connect", "datagram", "unix"])
def test_no_socket_leads_out(kind: str, attacker: Attack) -> None:
    contained, free = attacker(Mode.REQUIRE), attacker(Mode.OFF)
    family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM) as server:
        server.settimeout(20)
        # a path that is short enough for a socket, in the folder that it may write
        place = os.path.relpath(contained.scratch / "s")
        server.bind(place if kind == "unix" else ("127.0.0.1", 0))
        where = {"path": str(contained.scratch / "s")} if kind == "unix" else {"port": server.getsockname()[1]}
        if kind != "datagram":
            server.listen()
        with pytest.raises(AdapterFailure, match="PermissionError"):
            contained.tries(kind, **where)
        if kind == "unix":
            return  # the path may be too long for the other one
        got: list[bytes] = []

        def take() -> None:
            if kind == "datagram":
                got.append(server.recv(10))
            else:
                with server.accept()[0] as peer:
                    got.append(peer.recv(10))

        thread = threading.Thread(target=take)
        thread.start()
        assert free.tries(kind, **where) == "sent"
        thread.join()
        assert got == [b"secret"]


def test_the_users_secrets_are_not_in_its_environment(attacker: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("AWS_SECRET_ACCESS_KEY", "TF_VAR_password", "HF_TOKEN", "GITHUB_TOKEN", "SSH_AUTH_SOCK")
    for name in secrets:
        monkeypatch.setenv(name, "secret")
    contained, free = attacker(Mode.REQUIRE).tries("variables"), attacker(Mode.OFF).tries("variables")
    assert not set(secrets) & set(contained) and set(secrets) <= set(free)
    assert "secret" not in contained.values()
    assert contained["HOME"] == contained["TMPDIR"] != free["HOME"]
    assert contained["PATH"] == free["PATH"]


def test_a_file_is_no_larger_than_the_memory(attacker: Attack) -> None:
    contained = attacker(memory=1 << 30)
    with pytest.raises(AdapterFailure, match=r"SIGXFSZ|File too large"):
        contained.tries("large", size=(1 << 30) + 1)


def test_what_held_is_said(attacker: Attack) -> None:
    contained, free = attacker(), attacker(Mode.OFF)
    contained.tries("thread")
    free.tries("thread")
    assert contained.worker.held is not None and free.worker.held is not None
    assert contained.worker.held.level is Level.FULL and contained.worker.held.lacking == ()
    assert free.worker.held.level is Level.OFF


def test_a_folder_that_is_only_listed_is_not_read(attacker: Attack) -> None:
    contained = attacker()
    contained.worker._policy = replace(contained.worker._policy, listed=(str(contained.outside),))
    assert contained.tries("listing", path=str(contained.outside)) == ["file"]
    with pytest.raises(AdapterFailure, match="PermissionError"):
        contained.tries("read", path=str(contained.outside / "file"))

"""Runs `safeconvert` for the pages' shells, each command in a process of its own that is forked from here: `server.py SOCKET`.

What the frameworks cost is paid once: all commands fork their workers from the same templates. A command gets the caller's folder,
variables, and standard streams, and gives back its exit code; see `client.py`. Pages whose commands are to start as a user's do not
use it (`tests.docs.run.open_shell`).
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Mapping, Sequence

from safeconvert.cli.app import main
from safeconvert.workers.templates import Templates, sharing

_LONGEST = 1 << 20


def serve(path: str) -> None:
    """Until the process is ended; says `ready` on stdout when the templates are there."""
    with Templates() as templates, sharing(templates):
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listening.bind(path)
        listening.listen()
        _load_every_adapter()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps: who waits for a command reads its exit code
        print("ready", flush=True)
        while True:
            connection, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _answer(connection)
            connection.close()


def _load_every_adapter() -> None:
    """Have the templates of all adapters, before there is anything to fork them from twice."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        sys.argv = ["safeconvert", "adapters"]
        main()


def _answer(connection: socket.socket) -> None:
    """In a process of its own: run one command, and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    message, streams, _, _ = socket.recv_fds(connection, _LONGEST, 3)
    request = json.loads(message)
    for standard, stream in enumerate(streams):
        os.dup2(stream, standard)
        os.close(stream)
    code = 1
    try:
        code = _run(request["arguments"], request["folder"], request["environment"])
    except BaseException:  # noqa: BLE001 - the process ends here, as the interpreter would end it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.send(str(code).encode())
        os._exit(code)


def _run(arguments: Sequence[str], folder: str, environment: Mapping[str, str]) -> int:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["safeconvert", *arguments]
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.FileIO(number, "w", closefd=False), encoding="utf-8", write_through=True)
        for number in (1, 2)
    )
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


if __name__ == "__main__":
    serve(sys.argv[1])

"""The process of a batch's slot: command lines in, exit codes and what they printed out. One JSON line each.

The program is the one of the command line; it runs in this process again and again, so that it is imported once, and all jobs fork
their workers from the same templates, so that a framework is imported once too; started with the descriptor of a template that serves all slots of
a batch, it has its templates forked from that one's, and tells their process numbers, a line `{"template": PID}` each. Where the input ends while a job runs, its batch is
gone, and the job ends as it does at SIGTERM: nobody would enter its result, and it would stand in the way of the run after it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import queue
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any, BinaryIO

import click


def run(words: list[str]) -> dict[str, Any]:
    """Run one command line with --json; its exit code, the JSON object that it printed ({} for none), and all of its text."""
    from safeconvert.app.report_file import with_value

    print("safeconvert", shlex.join(words), file=sys.stderr, flush=True)
    printed = io.StringIO()
    code = 0
    sys.argv[1:] = words  # what is read before the options are says there whether an error is for a program
    with contextlib.redirect_stdout(printed):
        try:
            ended = _program().main(with_value(words), prog_name="safeconvert", standalone_mode=False)
            code = ended if isinstance(ended, int) else 0  # without its own mode, click gives the exit code back
        except click.ClickException as error:
            code = 2
            printed.write(error.format_message())
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 4
    text = printed.getvalue()
    try:
        content = json.loads(text)
    except ValueError:
        content = {}
    return {"exit_code": code, "content": content if isinstance(content, dict) else {}, "text": text[-2000:]}


@cache
def _program() -> Any:
    """The commands; to make them of their tables takes a tenth of a second."""
    from typer.main import get_command

    from safeconvert.cli.app import app

    return get_command(app)


def main() -> int:
    """Answer until the input ends. What commands write to the real standard output goes to the log."""
    from safeconvert.core import interrupts
    from safeconvert.workers.template_server import opened
    from safeconvert.workers.templates import Templates, sharing

    interrupts.install()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    alone = threading.Lock()

    def answer(content: dict[str, Any]) -> None:
        with alone:
            answers.write(json.dumps(content).encode() + b"\n")
            answers.flush()

    server = opened(int(sys.argv[1]), lambda number: answer({"template": number})) if sys.argv[1:] else None
    try:
        with Templates(server) as templates, sharing(templates):
            for line in _lines(sys.stdin.buffer):
                answer(run(json.loads(line)))
    except interrupts.Interrupted as told:
        interrupts.leave(told.number)
    return 0


def _lines(pipe: BinaryIO) -> Iterator[bytes]:
    """The lines of a pipe, one at a time; its end while one is worked on ends the process."""
    found: queue.Queue[bytes] = queue.Queue()
    idle = threading.Event()

    def read() -> None:
        for line in pipe:
            found.put(line)
        working = not idle.is_set()
        found.put(b"")
        if working:
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=read, daemon=True).start()
    while True:
        idle.set()
        line = found.get()
        idle.clear()
        if not line:
            return
        yield line


if __name__ == "__main__":
    sys.exit(main())

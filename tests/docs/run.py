"""Runs a page of the documentation from top to bottom, in a folder of its own.

`python -m tests.docs.run PAGE…` writes what the commands really print into the pages, where that is not what stands there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from tests.command import ROOT
from tests.docs.blocks import Block, Command, blocks
from tests.docs.compare import same

DEMO = "safeconvert demo --folder demo"
"""Nearly every page begins with it; it is run once, and its folder and output are lent to the others."""

_SECONDS = 550
_TERMINAL = {"COLUMNS": "100", "TERM": "dumb", "CUDA_VISIBLE_DEVICES": "-1"}


@dataclass(frozen=True)
class Shell:
    """Where commands run, and what they share.

    Attributes:
        programs: a folder with `safeconvert` and `python`, as an environment that is active has them.
        demo: the demo's folder and output, once it has run.
    """

    programs: Path
    demo: dict[str, tuple[Path, str]] = field(default_factory=dict)

    def run(self, text: str, folder: Path, before: int = 0) -> tuple[int, str]:
        """Exit code and output of a command; `$?` is `before`."""
        if text == DEMO and DEMO in self.demo:
            made, printed = self.demo[DEMO]
            shutil.copytree(made, folder / "demo")
            return 0, printed
        home = self.programs / "home"
        home.mkdir(exist_ok=True)
        # what the frameworks themselves say on stderr, on import and while they export, is not the pages' matter
        errors = subprocess.PIPE if text.startswith("python ") else subprocess.STDOUT
        done = subprocess.run(
            ["bash", "-c", f"(exit {before})\n{text}"], stdout=subprocess.PIPE, stderr=errors, cwd=folder,
            env={**os.environ, **_TERMINAL, "PATH": f"{self.programs}:{os.environ['PATH']}", "HOME": str(home)},
            timeout=_SECONDS, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if text == DEMO and done.returncode == 0:
            kept = self.programs / "demo"
            shutil.copytree(folder / "demo", kept)
            self.demo[DEMO] = kept, done.stdout
        return done.returncode, done.stdout + (done.stderr or "" if done.returncode else "")


@dataclass(frozen=True)
class Ran:
    """One command, what it printed, and what is wrong with that; "" is nothing."""

    command: Command
    printed: tuple[str, ...]
    problem: str


def open_shell(folder: Path, server: Path | None = None) -> Shell:
    """A shell whose programs lie in an empty folder; with the socket of a `server.py`, that runs its commands."""
    client = f"-S -E {Path(__file__).with_name('client.py')} {server} "
    for name, call in (("safeconvert", client if server else "-m safeconvert "), ("python", "")):
        program = folder / name
        program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} {call}"$@"\n')
        program.chmod(0o755)
    return Shell(folder)


@contextmanager
def served(folder: Path) -> Iterator[Shell]:
    """A shell whose commands fork their workers from the same templates, until it is left."""
    path, programs = folder / "socket", folder / "programs"
    programs.mkdir()
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.docs.server", str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, **_TERMINAL, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n", "the server of the pages' commands does not start"
        yield open_shell(programs, path)
    finally:
        server.kill()
        server.communicate()


def run_page(page: Path, folder: Path, shell: Shell, exempt: frozenset[str] = frozenset()) -> Iterator[Ran]:
    """Run the blocks of a page in order, and yield what became of each command.

    Args:
        page: a Markdown file.
        folder: an empty one, in which all of it happens.
        shell: shared by all pages.
        exempt: commands that are not run.
    """
    code = 0
    for block in blocks(page):
        if block.file:
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(block.lines) + "\n")
        elif block.language == "python":
            yield _run_python(block, folder, shell)
        elif block.language == "console" and not block.untested:
            commands = [command for command in block.commands if command.text.partition("#")[0].strip() not in exempt]
            for command, following in zip_longest(commands, commands[1:]):
                code, printed = shell.run(command.text, folder, code)
                lines = tuple(printed.splitlines())
                if code and not command.text.startswith("echo") and (following is None or "$?" not in following.text):
                    yield Ran(command, lines, f"exit code {code}, which the page does not show with `echo $?`")
                else:
                    yield Ran(command, lines, "" if same(command.expected, lines) else "prints something else")


def _run_python(block: Block, folder: Path, shell: Shell) -> Ran:
    (folder / "block.py").write_text("\n".join(block.lines) + "\n")
    code, printed = shell.run("python block.py", folder)
    command = Command("python block", (), block.line)
    return Ran(command, tuple(printed.splitlines()), f"exit code {code}" if code else "")


def fill(page: Path, shell: Shell, exempt: frozenset[str] = frozenset()) -> None:
    """Write what the commands of a page print into it, where that is not what stands there."""
    with tempfile.TemporaryDirectory() as folder:
        ran = list(run_page(page, Path(folder), shell, exempt))
    lines = page.read_text(encoding="utf-8").splitlines()
    for one in reversed([one for one in ran if one.problem]):
        print(f"{page.name}:{one.command.line}: $ {one.command.text}: {one.problem}", *one.printed, sep="\n    ")
        if one.problem == "prints something else":
            start = one.command.line + one.command.text.count("\n")
            lines[start : start + len(one.command.expected)] = one.printed
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as programs:
        from tests.docs.test_pages import EXEMPT

        opened = open_shell(Path(programs))
        for name in sys.argv[1:]:
            fill(Path(name), opened, frozenset(EXEMPT))

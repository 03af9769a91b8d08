"""Make the environment of an optional adapter: a virtual environment with the exact versions of its lock file.

Packages are fetched only here, and only because a person requested it by the adapter's name. Where `uv` is there it does
the work, else the standard library's venv and its pip; both follow the user's own configuration (index, proxy, find-links).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from safeconvert.config.settings import AdapterSettings
from safeconvert.errors import UnusableInput
from safeconvert.registry.environments import (
    RECORD,
    environment,
    environment_folder,
    inherited,
    interpreter,
    lock_file,
    requirements_digest,
)
from safeconvert.registry.manifest import Adapter

_VERSIONS = (
    "import importlib.metadata as m, json;"
    "print(json.dumps(sorted({(d.metadata['Name'].lower().replace('_', '-'), d.version) for d in m.distributions()})))"
)
_NOT_LOCKED = {"pip"}


def install(adapter: Adapter, settings: AdapterSettings, log: Path, tell: Callable[[str], None], relock: bool) -> Path:
    """Make an adapter's environment anew, and remove what was there.

    Args:
        adapter: with requirements of its own.
        settings: where environments lie.
        log: file that the installers' output goes to.
        tell: told each step before it is taken.
        relock: resolve the manifest's requirements anew, and write what was installed into the lock file beside it.

    Returns:
        The interpreter.

    Raises:
        UnusableInput: the adapter has no environment of its own, its interpreter is given in the settings, or a step
            failed; nothing is left then.
    """
    if adapter.name in settings.python:
        raise UnusableInput(
            f"{adapter.name}: the settings give its interpreter, {settings.python[adapter.name]}",
            f"take {adapter.name} out of [adapters] python first",
        )
    if not adapter.requirements:
        raise UnusableInput(f"{adapter.name}: runs in safeconvert's own environment", adapter.advice)
    folder, lock = environment_folder(adapter, settings), lock_file(adapter)
    locked = lock.is_file() and not relock
    remove(adapter, settings)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        wanted = log.with_name(f"{adapter.name}-requirements.txt")
        wanted.write_text(lock.read_text("utf-8") if locked else "\n".join(adapter.requirements) + "\n", "utf-8")
        what = f"{lock.name} of {adapter.name}" if locked else ", ".join(adapter.requirements)
        for step, command in _commands(folder, wanted, what):
            tell(step)
            _run(adapter, step, command, log)
        versions = _versions(adapter, folder, log)
        if relock:
            lock.write_text(lock_text(adapter, versions), "utf-8")
        record = {"adapter": adapter.name, "requirements": requirements_digest(adapter), "versions": dict(versions)}
        (folder / RECORD).write_text(json.dumps(record, indent=1), "utf-8")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise UnusableInput(f"{folder}: cannot be made: {error.strerror or error}", "free some space") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return interpreter(folder)


def remove(adapter: Adapter, settings: AdapterSettings) -> bool:
    """Remove an adapter's environment; whether there was one. Raises UnusableInput for a folder that is none."""
    folder = environment_folder(adapter, settings)
    if not folder.exists():
        return False
    ours = environment(adapter, settings).state != "broken" or (folder / "pyvenv.cfg").is_file()
    if folder.is_symlink() or not (ours or not any(folder.iterdir())):
        raise UnusableInput(f"{folder}: is no virtual environment; left alone", "move it, or set adapters.environments")
    shutil.rmtree(folder)
    return True


def lock_text(adapter: Adapter, versions: Sequence[tuple[str, str]]) -> str:
    """A lock file: the exact versions, without a build's local part (`+cpu`), which no index serves."""
    lines = [f"{name}=={version.partition('+')[0]}" for name, version in versions if name not in _NOT_LOCKED]
    head = f"# Installed together for {adapter.name}; made by: safeconvert adapters install {adapter.name} --relock"
    return "\n".join([head, *lines]) + "\n"


def _commands(folder: Path, wanted: Path, what: str) -> list[tuple[str, list[str]]]:
    """The steps, in words and as argument lists."""
    python, uv = str(interpreter(folder)), shutil.which("uv")
    made, filled = f"making {folder}", f"installing {what}"
    if uv is not None:
        return [
            (f"{made} with uv", [uv, "venv", "--python", sys.executable, str(folder)]),
            (f"{filled} with uv", [uv, "pip", "install", "--python", python, "-r", str(wanted)]),
        ]
    return [
        (made, [sys.executable, "-m", "venv", str(folder)]),
        (filled, [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-r", str(wanted)]),
    ]


def _run(adapter: Adapter, step: str, command: list[str], log: Path) -> None:
    """One step, its output in the log. Raises UnusableInput with the last line that tells what went wrong."""
    with log.open("a", encoding="utf-8") as file:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=inherited(Path(command[0])), check=False
        )
    if done.returncode != 0:
        lines = [line.strip() for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
        reason = next(
            (line for line in reversed(lines) if "rror" in line), lines[-1] if lines else "it printed nothing"
        )
        raise UnusableInput(
            f"{adapter.name}: {step} failed: {reason[:300]}",
            "check the network and the installer's own settings; nothing was left behind",
            str(log),
        )


def _versions(adapter: Adapter, folder: Path, log: Path) -> list[tuple[str, str]]:
    """What is installed in an environment, by name."""
    command = [str(interpreter(folder)), "-c", _VERSIONS]
    done = subprocess.run(command, capture_output=True, text=True, env=inherited(Path(command[0])), check=False)
    if done.returncode != 0:
        raise UnusableInput(f"{adapter.name}: its interpreter does not run: {done.stderr.strip()[-300:]}", "", str(log))
    return [(name, version) for name, version in json.loads(done.stdout)]

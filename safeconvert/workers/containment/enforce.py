"""Contain the process that this runs in. Standard library only; to be called before anything else is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from safeconvert.core.containment import Level, Mode
from safeconvert.workers.containment import landlock, rlimits, seccomp
from safeconvert.workers.containment.policy import NOTHING, OF_FILES, Held, Policy

_SYSTEM = (
    "/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo",
    "/usr/share/locale", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload", "/etc/localtime",
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/filesystems", "/proc/sys/vm",
    "/proc/sys/kernel/osrelease", "/sys/devices/system/cpu", "/sys/devices/system/node", "/sys/fs/cgroup",
    "/sys/kernel/mm/transparent_hugepage", "/dev/urandom", "/dev/random", "/dev/zero",
)  # fmt: skip
"""Read by the C library and by frameworks that size their thread pools."""
_DEVICES = ("/dev/null",)


class Uncontained(Exception):
    """Containment that was required and is not to be had here; its text says what is lacking."""


def contain(policy: Policy) -> Held:
    """Restrict this process for good, by what the kernel gives, and say what held.

    Raises:
        Uncontained: it is required, and something is lacking.
    """
    if policy.mode is Mode.OFF:
        return NOTHING
    version, filtered = landlock.abi(), seccomp.available()
    limited, lacking = True, []
    try:
        rlimits.restrict(policy.memory)
    except (OSError, ValueError) as error:
        limited = False
        lacking.append(str(error))
    if version:
        try:
            landlock.restrict(_rules(policy), version)
        except OSError as error:
            version = 0
            lacking.append(str(error))
    if filtered:
        try:
            seccomp.restrict()
        except OSError as error:
            filtered = False
            lacking.append(str(error))
    whole = version >= OF_FILES and filtered and limited
    level = Level.FULL if whole else Level.PARTIAL
    held = Held(level, version, filtered, limited, environment=True)
    if policy.mode is Mode.REQUIRE and not whole:
        raise Uncontained("; ".join([*held.lacking, *lacking]))
    return held


def _rules(policy: Policy) -> landlock.Rules:
    return landlock.Rules(
        readable=tuple(_readable(policy)),
        writable=tuple(map(Path, (*_DEVICES, *policy.writable))),
        listed=tuple(map(Path, policy.listed)),
    )


def _readable(policy: Policy) -> Iterator[Path]:
    yield from map(Path, _SYSTEM)
    yield from (Path(prefix) for prefix in {sys.prefix: None, sys.base_prefix: None, sys.exec_prefix: None})
    yield from _search_path(policy.home)
    yield from map(Path, policy.readable)


def _search_path(home: str) -> Iterator[Path]:
    """Where modules are imported from; not the user's own folder, nor one that holds it, which only an accident puts there."""
    for entry in sys.path:
        folder = os.path.realpath(entry or ".")
        if not home or os.path.commonpath([folder, os.path.realpath(home)]) != folder:
            yield Path(folder)

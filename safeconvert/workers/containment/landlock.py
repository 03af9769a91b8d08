"""Files and TCP by Landlock, the Linux kernel's unprivileged sandbox. Standard library only; works on itself, for good.

Numbers are those of `linux/landlock.h`; `landlock(7)` says which rights came with which version of the interface (ABI). A
right that the running kernel does not know is left out, and `abi` says which version held.
"""

from __future__ import annotations

import ctypes
import os
import stat
from dataclasses import dataclass
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS
_ZERO, _ONE = ctypes.c_ulong(0), ctypes.c_ulong(1)  # prctl takes longs

_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
_REMOVE_DIR = 1 << 4
_REMOVE_FILE = 1 << 5
_MAKE_DIR = 1 << 7
_MAKE_REG = 1 << 8
_REFER = 1 << 13  # ABI 2
_TRUNCATE = 1 << 14  # ABI 3

_READ = _READ_FILE | _READ_DIR
_WRITE = _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _REFER | _TRUNCATE
"""No devices, sockets, pipes or links: what reads a worker's folder afterwards need not expect them."""
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | (1 << 15)
"""Rights that a rule about a single file may grant."""

_NETWORK = (1 << 0) | (1 << 1)  # bind and connect TCP, ABI 4
_SCOPED = (1 << 0) | (1 << 1)  # abstract unix sockets, signals; ABI 6


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32)]


def abi() -> int:
    """Version of the kernel's Landlock; 0 where there is none."""
    try:
        return max(0, int(_system().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)))
    except (OSError, AttributeError):
        return 0


def handled(version: int) -> int:
    """Every right over files that a version of the interface knows."""
    bits = {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)
    return (1 << bits) - 1


@dataclass(frozen=True)
class Rules:
    """Files and folders that stay open; those that do not exist are passed over. No program is started anywhere.

    Attributes:
        readable: may be read.
        writable: may be read and changed.
        listed: folders of which the names may be seen.
    """

    readable: tuple[Path, ...] = ()
    writable: tuple[Path, ...] = ()
    listed: tuple[Path, ...] = ()


def restrict(open_to: Rules, version: int) -> None:
    """Close this process and all its future children off from every file but these, and from TCP where the kernel can.

    What stays open is held by a descriptor each for as long as the process lives. The kernel's rule is about an inode, and `/proc` makes
    another one for a name that it has forgotten, which it does when memory is short: `/proc/self` and `/proc/cpuinfo` would be closed
    in the midst of a run, and TensorFlow aborts where it cannot read how it was started.

    Args:
        open_to: what stays open.
        version: of the interface to use, at most `abi()`.

    Raises:
        OSError: the kernel refused.
    """
    known = handled(version)
    ruleset = _Ruleset(known, _NETWORK if version >= 4 else 0, _SCOPED if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = _checked(_system().syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), 0))
    try:
        for paths, rights in (
            (open_to.readable, _READ),
            (open_to.writable, _READ | _WRITE),
            (open_to.listed, _READ_DIR),
        ):
            for path in paths:
                _allow(rules, path, rights & known)
        _checked(_system().prctl(_NO_NEW_PRIVILEGES, _ONE, _ZERO, _ZERO, _ZERO))
        _checked(_system().syscall(_RESTRICT_SELF, rules, 0))
    finally:
        os.close(rules)


def _allow(rules: int, path: Path, rights: int) -> None:
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not stat.S_ISDIR(os.fstat(folder).st_mode):
        rights &= _OF_FILES
    rule = _Beneath(rights, folder)  # the descriptor stays open: see `restrict`
    _checked(_system().syscall(_ADD_RULE, rules, _PATH_BENEATH, ctypes.byref(rule), 0))


def _system() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result

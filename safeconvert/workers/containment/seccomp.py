"""System calls refused by a seccomp filter: what Landlock leaves open. Standard library only; works on itself, for good.

Landlock knows files and TCP. Sockets of other kinds, other processes, permissions and times of files, and the kernel's own
doors (mounts, namespaces, modules, tracing, io_uring, which gets around filters) are closed here, by number. A filter is a
classic BPF program over (number, architecture, arguments); see `seccomp(2)`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass

from safeconvert.workers.containment.syscalls import ARCHITECTURES, Architecture

_SET_FILTER, _ALLOW_SPECULATION = 1, 1 << 2
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_ZERO, _ONE = ctypes.c_ulong(0), ctypes.c_ulong(1)  # prctl takes longs
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN, _MASK = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_X32 = 0x40000000

_THREAD = 0x00010000  # CLONE_THREAD
_STREAM, _SOCKET_KIND = 1, 0xF

REFUSED = (
    # sockets; a pair of connected ones is allowed below
    "socket", "connect", "bind", "listen", "accept", "accept4", "shmget", "shmat", "msgget", "semget", "mq_open",
    # other processes; a worker starts none, and threads are clone's
    "fork", "vfork", "execve", "execveat",
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd", "pidfd_send_signal",
    "tkill", "perf_event_open", "setsid", "setpgid", "rt_sigqueueinfo", "rt_tgsigqueueinfo",
    # the machine
    "mount", "umount2", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
    "pivot_root", "chroot", "unshare", "setns", "swapon", "swapoff", "reboot", "sethostname", "setdomainname",
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "bpf", "userfaultfd", "acct",
    "quotactl", "quotactl_fd", "settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "syslog", "vhangup",
    "iopl", "ioperm", "modify_ldt", "personality", "fanotify_init", "name_to_handle_at", "open_by_handle_at",
    "add_key", "request_key", "keyctl", "setrlimit", "mknod", "mknodat",
)  # fmt: skip
"""Answered with EPERM."""

ABSENT = ("io_uring_setup", "io_uring_enter", "io_uring_register", "clone3")
"""Answered with ENOSYS, as an older kernel does: programs go on without. For clone3, whose flags a filter cannot see, they
use clone."""

PRETENDED = (
    "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat", "utime", "utimes", "futimesat",
    "utimensat", "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr",
)  # fmt: skip
"""Answered as done and not done: Landlock does not guard them, and libraries that copy a file insist on them."""

Instruction = tuple[int, int, int, int]
"""Code, jump where true, jump where false, operand."""


@dataclass(frozen=True)
class _Call:
    """A system call that is refused, always or by what stands in an argument."""

    number: int
    body: tuple[Instruction, ...]


def available() -> bool:
    """Whether this kernel filters, and the numbers of its architecture are known here."""
    if platform.machine() not in ARCHITECTURES:
        return False
    try:
        # without a program: EFAULT where filters exist, EINVAL where they do not
        result = ctypes.CDLL(None, use_errno=True).prctl(_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), None, _ZERO, _ZERO)
    except (OSError, AttributeError):
        return False
    return bool(result < 0 and ctypes.get_errno() == errno.EFAULT)


def restrict() -> None:
    """Put the filter on this process and all its threads to come.

    Raises:
        OSError: the kernel refused.
    """
    architecture = ARCHITECTURES[platform.machine()]
    data = b"".join(struct.pack("=HBBI", *each) for each in program(architecture, os.getpid()))
    _install(data)


def program(architecture: Architecture, pid: int) -> list[Instruction]:
    """The filter as BPF instructions.

    Args:
        architecture: whose numbers.
        pid: of the only process that signals may go to: its own.
    """
    refused, numbers = _errno(errno.EPERM), architecture.numbers
    always = [(name, refused) for name in REFUSED]
    always += [(name, _errno(errno.ENOSYS)) for name in ABSENT]
    always += [(name, _errno(0)) for name in PRETENDED]
    calls = [_Call(numbers[name], ((_RETURN, 0, 0, answer),)) for name, answer in always if name in numbers]
    calls.append(_Call(numbers["clone"], _threads_only()))
    calls.append(_Call(numbers["prlimit64"], _reading_only()))
    calls.append(_Call(numbers["socketpair"], _streams_only()))
    calls.append(_Call(numbers["ioctl"], _no_typing()))
    calls += [_Call(numbers[name], _to(pid)) for name in ("kill", "tgkill")]
    instructions: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if architecture.foreign:
        instructions += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _errno(errno.ENOSYS))]
    for call in calls:
        instructions += [(_EQUAL, 0, len(call.body), call.number), *call.body]
    return [*instructions, (_RETURN, 0, 0, _ALLOW)]


def _errno(number: int) -> int:
    return _ERRNO | number


def _argument(position: int, high: bool = False) -> Instruction:
    """Load half of an argument, on a little-endian machine."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * position + (4 if high else 0))


def _verdict(allowed_first: bool) -> tuple[Instruction, Instruction]:
    allow, refuse = (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _errno(errno.EPERM))
    return (allow, refuse) if allowed_first else (refuse, allow)


def _threads_only() -> tuple[Instruction, ...]:
    return (_argument(0), (_ANY_BIT, 0, 1, _THREAD), *_verdict(True))


def _reading_only() -> tuple[Instruction, ...]:
    """prlimit without new limits."""
    return (_argument(2), (_EQUAL, 0, 2, 0), _argument(2, True), (_EQUAL, 1, 0, 0), *reversed(_verdict(True)))


def _streams_only() -> tuple[Instruction, ...]:
    """A connected pair of datagram sockets could be connected elsewhere."""
    return (_argument(1), (_MASK, 0, 0, _SOCKET_KIND), (_EQUAL, 0, 1, _STREAM), *_verdict(True))


def _no_typing() -> tuple[Instruction, ...]:
    """TIOCSTI and TIOCLINUX put keystrokes into a terminal."""
    return (_argument(1), (_EQUAL, 1, 0, 0x5412), (_EQUAL, 0, 1, 0x541C), *_verdict(False))


def _to(pid: int) -> tuple[Instruction, ...]:
    return (_argument(0), (_EQUAL, 0, 1, pid), *_verdict(True))


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def _install(data: bytes) -> None:
    system = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(data, len(data))
    wanted = _Program(len(data) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    if system.prctl(_NO_NEW_PRIVILEGES, _ONE, _ZERO, _ZERO, _ZERO) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    number = ARCHITECTURES[platform.machine()].numbers["seccomp"]
    # older kernels slow every filtered process down against speculation unless told otherwise
    if system.syscall(number, _SET_FILTER, _ALLOW_SPECULATION, ctypes.byref(wanted)) == 0:
        return
    if system.prctl(_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), ctypes.byref(wanted), _ZERO, _ZERO) != 0:
        failed = ctypes.get_errno()
        raise OSError(failed, os.strerror(failed))

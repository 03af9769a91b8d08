"""The filter's program, run by an interpreter of its own: for both architectures, whichever this machine has."""

from __future__ import annotations

import errno

import pytest

from safeconvert.workers.containment.seccomp import ABSENT, PRETENDED, REFUSED, program
from safeconvert.workers.containment.syscalls import ARCHITECTURES

ALLOW, KILL = 0x7FFF0000, 0x80000000
PID = 4711


def refusal(number: int) -> int:
    return 0x00050000 | number


def ran(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the filter answers to a system call, by the rules of classic BPF."""
    architecture = ARCHITECTURES[machine]
    words = {0: number, 4: architecture.audit if audit is None else audit}
    for position, value in enumerate((*arguments, 0, 0, 0, 0, 0, 0)[:6]):
        words |= {16 + 8 * position: value & 0xFFFFFFFF, 20 + 8 * position: value >> 32}
    instructions, place, held = program(architecture, PID), 0, 0
    while True:
        code, true, false, operand = instructions[place]
        place += 1
        match code:
            case 0x20:
                held = words[operand]
            case 0x54:
                held &= operand
            case 0x15:
                place += true if held == operand else false
            case 0x35:
                place += true if held >= operand else false
            case 0x45:
                place += true if held & operand else false
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"unknown code {code:#x}")


MACHINES = pytest.mark.parametrize("machine", sorted(ARCHITECTURES))


@MACHINES
def test_each_call_on_the_lists_is_answered_so(machine: str) -> None:
    numbers = ARCHITECTURES[machine].numbers
    for names, answer in ((REFUSED, errno.EPERM), (ABSENT, errno.ENOSYS), (PRETENDED, 0)):
        known = [name for name in names if name in numbers]
        assert known
        assert {name: ran(machine, numbers[name]) for name in known} == dict.fromkeys(known, refusal(answer))


@MACHINES
def test_every_other_call_is_allowed(machine: str) -> None:
    known = set(ARCHITECTURES[machine].numbers.values())
    assert all(ran(machine, number, 1, 1, 1) == ALLOW for number in range(460) if number not in known)


@MACHINES
@pytest.mark.parametrize(
    ("name", "arguments", "allowed"),
    [
        ("clone", (0x3D0F00,), True),  # as pthread_create calls it
        ("clone", (0x1200011,), False),  # as fork does
        ("clone", (0x10000000 | 0x11,), False),  # a user namespace
        ("prlimit64", (0, 7, 0, 0x7FFF0000), True),
        ("prlimit64", (0, 7, 0x7FFF0000, 0), False),
        ("prlimit64", (0, 7, 0x1 << 32, 0), False),
        ("socketpair", (1, 1), True),
        ("socketpair", (1, 0x80801), True),  # SOCK_CLOEXEC and SOCK_NONBLOCK beside
        ("socketpair", (1, 2), False),
        ("ioctl", (1, 0x5401), True),
        ("ioctl", (1, 0x5412), False),
        ("ioctl", (1, 0x541C), False),
        ("kill", (PID, 9), True),
        ("kill", (1, 9), False),
        ("kill", (0xFFFFFFFF, 9), False),
        ("tgkill", (PID, 5, 6), True),
        ("tgkill", (1, 1, 6), False),
    ],
)
def test_calls_that_depend_on_an_argument(machine: str, name: str, arguments: tuple[int, ...], allowed: bool) -> None:
    answer = ran(machine, ARCHITECTURES[machine].numbers[name], *arguments)
    assert answer == (ALLOW if allowed else refusal(errno.EPERM))


@MACHINES
def test_calls_of_another_architecture_end_the_process(machine: str) -> None:
    assert ran(machine, 0, audit=0x40000003) == KILL


def test_the_second_convention_of_x86_is_not_there() -> None:
    numbers = ARCHITECTURES["x86_64"].numbers
    assert ran("x86_64", 0x40000000 | numbers["socket"]) == refusal(errno.ENOSYS)

"""System call filter for this process and its descendants: a denied call fails, and never kills.

Why a list of denied calls, and not of allowed ones: libraries, the interpreter and the host's own directory service
make rare calls that cannot be listed in advance. A decider that loses one of them would deny people, or die. So a
denied call returns EPERM, a socket of a denied family EAFNOSUPPORT, and the kernel writes both to the host's audit log
(``type=SECCOMP``, or the kernel log where no auditd runs).

Why forty lines of our own: the Python bindings of libseccomp are not maintained (pyseccomp: last release 2021), need a
C library that minimal hosts lack, and would be part of the processes that have to be small.

Rules of this file: :func:`program` is pure; :func:`install` only removes. A filter is detected by ``Seccomp: 2`` in
proc_pid_status(5), never remembered.
Sources: seccomp(2), linux/seccomp.h, linux/filter.h; SPEC_ALLOW because before Linux 5.16 a filter switched speculation
off, at a cost for every call.
"""

import ctypes
import errno
import struct
from collections.abc import Collection, Iterator
from typing import NamedTuple

from agent.confinement.syscalls import CLONE, CLONE3, GROUPS, SOCKET, Architecture, Group

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF_LD|W|ABS, JMP|J{EQ,GE,SET}|K, RET|K
_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT = 0, 4, 16  # of struct seccomp_data, little-endian: the low half comes first
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NAMESPACES = 0x7E020000  # CLONE_NEW* of linux/sched.h: mount, cgroup, UTS, IPC, user, PID, network
_PR_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER, _TSYNC, _LOG, _SPEC_ALLOW = 1, 1, 2, 4
_SYS_SECCOMP = {True: 317, False: 277}

_libc = ctypes.CDLL(None, use_errno=True)


class Instruction(NamedTuple):
    """One instruction, ``struct sock_filter``: for a comparison, how many to skip if true, and if false."""

    code: int
    k: int
    holds: int = 0
    fails: int = 0


class DeniedCalls(NamedTuple):
    """The denied calls of a process. ``families``: socket families it may create; ``None``: any."""

    groups: Collection[Group]
    families: Collection[int] | None = None


class SeccompError(Exception):
    """No filter could be set; the message has the error name."""


def program(denied: DeniedCalls, arch: Architecture) -> tuple[Instruction, ...]:
    """Return the filter that denies *denied*, and every call of another architecture's table."""
    steps = [*_native(arch)]
    if denied.families is not None:
        steps += _sockets(denied.families, arch)
    if "namespaces" in denied.groups:
        steps += _argument(arch.number(CLONE), [Instruction(_ANY_BIT, _NAMESPACES, 0, 1), _fail(errno.EPERM)])
    for group in sorted(denied.groups):
        for call in GROUPS[group].values():
            steps += _argument(arch.number(call), [_fail(errno.EPERM)], load=False)
    return (*steps, Instruction(_RETURN, _ALLOW))


def absent(arch: Architecture) -> tuple[Instruction, ...]:
    """Return the filter that hides clone3(2): libraries fall back on clone(2), whose flags can be inspected."""
    return (
        *_native(arch),
        *_argument(arch.number(CLONE3), [_fail(errno.ENOSYS)], load=False),
        Instruction(_RETURN, _ALLOW),
    )


def install(steps: Collection[Instruction], arch: Architecture, *, logged: bool = True) -> None:
    """Set the filter for every thread of this process, permanently. Raises :class:`SeccompError`."""
    code = b"".join(struct.pack("=HBBI", step.code, step.holds, step.fails, step.k) for step in steps)
    instructions = ctypes.create_string_buffer(code, len(code))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(instructions)))
    flags = _TSYNC | _SPEC_ALLOW | (_LOG if logged else 0)
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise SeccompError(_errno_name())
    if _libc.syscall(_SYS_SECCOMP[arch.x86_64], _SET_MODE_FILTER, flags, head):
        raise SeccompError(_errno_name())


def _native(arch: Architecture) -> Iterator[Instruction]:
    """Yield the check of the architecture; afterwards the call number is loaded."""
    yield Instruction(_LOAD, _ARCH_AT)
    yield Instruction(_EQUAL, arch.audit, 1, 0)
    yield _fail(errno.EPERM)
    yield Instruction(_LOAD, _NUMBER_AT)
    if arch.foreign_from is not None:
        yield Instruction(_AT_LEAST, arch.foreign_from, 0, 1)
        yield _fail(errno.EPERM)


def _sockets(families: Collection[int], arch: Architecture) -> list[Instruction]:
    allowed = [
        step
        for family in sorted(families)
        for step in (Instruction(_EQUAL, family, 0, 1), Instruction(_RETURN, _ALLOW))
    ]
    return _argument(arch.number(SOCKET), [*allowed, _fail(errno.EAFNOSUPPORT)])


def _argument(number: int | None, then: list[Instruction], *, load: bool = True) -> list[Instruction]:
    """Return the steps that apply *then* to this call, on its first argument if *load*; the number is reloaded."""
    if number is None:
        return []
    if not load:
        return [Instruction(_EQUAL, number, 0, len(then)), *then]
    body = [Instruction(_LOAD, _FIRST_ARGUMENT_AT), *then, Instruction(_LOAD, _NUMBER_AT)]
    return [Instruction(_EQUAL, number, 0, len(body)), *body]


def _fail(number: int) -> Instruction:
    return Instruction(_RETURN, _ERRNO | number)


def _errno_name() -> str:
    code = ctypes.get_errno()
    return f"{errno.errorcode.get(code, code)}"

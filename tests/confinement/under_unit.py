"""This process, confined as a unit says, without systemd: ``python -m tests.confinement.under_unit UNIT WORD …``.

What bounds a process for good and needs no mount namespace is done as systemd does it: the bounding set, no new
privileges, umask, limits, and each filter of calls, set by libseccomp, which systemd uses, too. Left out are the
options of the doors' unit that make namespaces, and the addresses (a program of the control group).

Rules of this file: an option of the main unit that is neither done here nor known to bound nothing is an error, so that
the test of the demo cannot quietly confine less than the unit. Sources: systemd.exec(5); ``seccomp-util.c`` of systemd;
seccomp_rule_add(3).
"""

import ctypes
import errno
import os
import resource
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from agent.confinement import capabilities
from tests.confinement.unit_file import MAIN, Unit

LIBRARY = "libseccomp.so.2"
_ALLOW, _ERRNO, _EPERM = 0x7FFF0000, 0x00050000, 0x00050000 | errno.EPERM
_EQUAL, _AT_LEAST, _BITS = 4, 5, 7
_CLONE = {"mnt": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "user": 0x10000000,
          "pid": 0x20000000, "net": 0x40000000}  # fmt: skip
_FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}
_CAPABILITIES = {name: number for number, name in capabilities.NAMES.items()}
_LIMITS = {
    "LimitCORE": resource.RLIMIT_CORE,
    "LimitNOFILE": resource.RLIMIT_NOFILE,
    "LimitFSIZE": resource.RLIMIT_FSIZE,
}
_NO_BOUND = {
    *("Type", "ExecStart", "Restart", "RestartSec", "KillMode", "NotifyAccess"),
    *("FileDescriptorStoreMax", "FileDescriptorStorePreserve", "IPAddressDeny"),
}


class _Compare(ctypes.Structure):
    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


class _Filter:
    """One filter that is being made."""

    def __init__(self, default: int) -> None:
        self._default = default
        self._lib = ctypes.CDLL(LIBRARY)
        self._lib.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._lib.seccomp_init(default))
        assert self._context

    def on(self, call: str, action: int, *when: tuple[int, int, int, int]) -> None:
        """Have *call* answered by *action*, when its arguments are so: number, comparison, mask or value, value."""
        number = self._lib.seccomp_syscall_resolve_name(call.encode())
        if number < 0 or action == self._default:  # of another architecture
            return
        compares = (_Compare * len(when))(*(_Compare(*one) for one in when))
        done = self._lib.seccomp_rule_add_array(self._context, action, number, len(when), compares)
        assert done == 0, (call, done)

    def load(self) -> None:
        """Set it for this process."""
        assert self._lib.seccomp_load(self._context) == 0
        self._lib.seccomp_release(self._context)


def confine(unit: Unit) -> None:
    """Take everything away that *unit* takes away. What it does not know of the main unit is an error."""
    for name in dict.fromkeys(name for name, _ in unit.lines):
        if (option := _OPTIONS.get(name)) is not None:
            option(unit)
        elif name in _LIMITS:
            most = int(unit.last(name))
            resource.setrlimit(_LIMITS[name], (most, most))
        else:
            assert name in _NO_BOUND or unit.path != MAIN, f"nobody knows what {name}= takes away"
    _calls(unit)  # last: it may take away what the others need


def _bounding_set(unit: Unit) -> None:
    capabilities.keep_only(_CAPABILITIES[name] for name in unit.words("CapabilityBoundingSet"))


def _umask(unit: Unit) -> None:
    os.umask(int(unit.last("UMask"), 8))


def _families(unit: Unit) -> None:
    made, known = _Filter(_ALLOW), {_FAMILIES[word] for word in unit.words("RestrictAddressFamilies")}
    for family in set(range(64)) - known:
        made.on("socket", _ERRNO | errno.EAFNOSUPPORT, (0, _EQUAL, family, 0))
    made.on("socket", _ERRNO | errno.EAFNOSUPPORT, (0, _AT_LEAST, 64, 0))
    made.load()


def _namespaces(unit: Unit) -> None:
    made, kept = _Filter(_ALLOW), unit.words("RestrictNamespaces") - {"yes"}
    for name in _CLONE.keys() - kept:
        for call in ("unshare", "clone"):
            made.on(call, _EPERM, (0, _BITS, _CLONE[name], _CLONE[name]))
        made.on("setns", _EPERM, (1, _BITS, _CLONE[name], _CLONE[name]))
    made.on("setns", _EPERM, (1, _EQUAL, 0, 0))
    made.on("clone3", _ERRNO | errno.ENOSYS)
    made.load()


def _no_code(_unit: Unit) -> None:
    made = _Filter(_ALLOW)
    made.on("mmap", _EPERM, (2, _BITS, 6, 6))  # PROT_WRITE | PROT_EXEC
    for call in ("mprotect", "pkey_mprotect"):
        made.on(call, _EPERM, (2, _BITS, 4, 4))
    made.on("shmat", _EPERM, (2, _BITS, 0o100000, 0o100000))
    made.load()


def _no_set_uid(_unit: Unit) -> None:
    made = _Filter(_ALLOW)
    for bit in (0o4000, 0o2000):
        for call, mode in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2), ("mkdir", 1), ("mkdirat", 2),
                           ("mknod", 1), ("mknodat", 2), ("creat", 1)):  # fmt: skip
            made.on(call, _EPERM, (mode, _BITS, bit, bit))
        made.on("open", _EPERM, (1, _BITS, os.O_CREAT, os.O_CREAT), (2, _BITS, bit, bit))
        made.on("openat", _EPERM, (2, _BITS, os.O_CREAT, os.O_CREAT), (3, _BITS, bit, bit))
    made.on("openat2", _ERRNO | errno.ENOSYS)
    made.load()


def _no_realtime(_unit: Unit) -> None:
    made = _Filter(_ALLOW)
    for policy in (1, 2, 6):  # FIFO, RR, DEADLINE
        made.on("sched_setscheduler", _EPERM, (1, _EQUAL, policy, 0))
    made.on("sched_setattr", _EPERM)
    made.load()


def _one_personality(_unit: Unit) -> None:
    made = _Filter(_ALLOW)
    made.on("personality", _EPERM, (0, 1, 0, 0))  # other than 0
    made.load()


def _one_abi(_unit: Unit) -> None:
    made = _Filter(_ALLOW)  # of any other architecture libseccomp ends the process, as systemd does
    made.on("uselib", _EPERM)  # a filter without a rule would be none
    made.load()


def _calls(unit: Unit) -> None:
    number = getattr(errno, unit.last("SystemCallErrorNumber"))
    allows, calls = unit.calls()
    made = _Filter(_ERRNO | number if allows else _ALLOW)
    for call in calls:
        made.on(call, _ALLOW if allows else _ERRNO | number)
    if allows:
        made.on("execve", _ALLOW)  # @default has it
    made.load()


_OPTIONS: dict[str, Callable[[Unit], object]] = {
    "CapabilityBoundingSet": _bounding_set,
    "LockPersonality": _one_personality,
    "MemoryDenyWriteExecute": _no_code,
    "NoNewPrivileges": lambda _: None,  # with the bounding set
    "RestrictAddressFamilies": _families,
    "RestrictNamespaces": _namespaces,
    "RestrictRealtime": _no_realtime,
    "RestrictSUIDSGID": _no_set_uid,
    "SystemCallArchitectures": _one_abi,
    "SystemCallErrorNumber": lambda _: None,  # with the filter
    "SystemCallFilter": lambda _: None,  # last of all
    "UMask": _umask,
}


def main(argv: Iterable[str]) -> None:
    """Confine this process and become the program."""
    unit, *words = argv
    confine(Unit(Path(unit)))
    os.execv(words[0], words)


if __name__ == "__main__":
    main(sys.argv[1:])

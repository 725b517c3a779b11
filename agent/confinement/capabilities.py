"""Capabilities: every process gives up those it does not need, permanently.

Rules of this file: it only removes. The needs of each process: :mod:`agent.confinement.process_rights`.
Sources: capabilities(7), capset(2), PR_CAPBSET_DROP in prctl(2).
"""

import ctypes
import struct
from collections.abc import Iterable
from pathlib import Path

CAP_CHOWN = 0
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAP_FOWNER = 3
CAP_FSETID = 4
CAP_KILL = 5
CAP_SETGID = 6
CAP_SETUID = 7
CAP_SETPCAP = 8
CAP_SYS_PTRACE = 19
CAP_SYS_ADMIN = 21
CAP_AUDIT_WRITE = 29
CAP_AUDIT_CONTROL = 30

NAMES = {number: name for name, number in globals().items() if name.startswith("CAP_")}

_PR_SET_NO_NEW_PRIVS = 38
_PR_CAPBSET_DROP = 24
_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def held() -> int:
    """Return the effective capabilities of this process as a bit set (``CapEff`` in proc(5))."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


def keep_only(allowed: Iterable[int], acting: Iterable[int] | None = None) -> None:
    """Drop all but *allowed* from the effective, permitted, inheritable and bounding sets. Raises ``OSError``.

    *acting*: the effective ones among them; the rest is only passed on to the programs it starts as root. A capability
    this process does not hold stays out. Program files with capabilities give nothing back afterwards, nor does being
    root (no_new_privs). Without CAP_SETPCAP the bounding set cannot be changed and is left as it is.
    """
    mask = _set(allowed) & held()
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    if held() >> CAP_SETPCAP & 1:  # else the bounding set stays: with no_new_privs it gives nothing back
        for number in range(last + 1):
            if not mask >> number & 1:
                _checked(_libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0))
    now = mask if acting is None else mask & _set(acting)
    header = struct.pack("=Ii", _VERSION_3, 0)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    sets = struct.pack("=6I", now & 0xFFFFFFFF, low, 0, now >> 32, high, 0)
    _checked(_libc.capset(header, sets))


def _checked(status: int) -> None:
    if status < 0:
        code = ctypes.get_errno()
        raise OSError(code, "capabilities could not be dropped")


def _set(numbers: Iterable[int]) -> int:
    return sum(1 << number for number in frozenset(numbers))

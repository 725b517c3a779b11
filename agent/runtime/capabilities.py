"""Give up every capability a process does not need, for good.

Rules of this file: it only ever takes away. Sources: capabilities(7), capset(2), PR_CAPBSET_DROP in prctl(2).
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
CAP_NET_ADMIN = 12
CAP_SYS_PTRACE = 19
CAP_SYS_ADMIN = 21
CAP_AUDIT_WRITE = 29
CAP_AUDIT_CONTROL = 30

# fanotify and trusted.* attributes and hiding a volume; reading /proc/TID of other users' processes
DECIDER = (CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH)
# The same, and becoming whoever was refused, to take away the empty file that their open has made
LABEL_WORKER = (*DECIDER, CAP_SETUID, CAP_SETGID)
# The control process and everything it starts: the doors process, the process of departures, usermod and its like.
CONTROL = (
    CAP_SYS_ADMIN,  # marks, mounts, trusted.* attributes
    CAP_DAC_READ_SEARCH,
    CAP_DAC_OVERRIDE,  # the spool of HR's user, homes, spools, what a leaver closed to everybody
    CAP_FOWNER,  # deny ACLs on files of others
    CAP_FSETID,  # … that leave the setgid bit of a shared directory alone
    CAP_CHOWN,  # what a leaver owns; the control socket; answers for HR
    CAP_KILL,
    CAP_SETUID,  # becoming the leaver for a sweep or an attempt, and nobody for the doors
    CAP_SETGID,
    CAP_SYS_PTRACE,  # what other people's processes hold
    CAP_AUDIT_CONTROL,  # an attempt's login uid, where whoever started the agent has left his own
    CAP_AUDIT_WRITE,  # usermod says what it did to the host's audit log
)

_CAP_SETPCAP = 8
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_VERSION_3 = 0x20080522
_libc = ctypes.CDLL(None, use_errno=True)


def held() -> int:
    """Return the effective capabilities of this process as a bit set (``CapEff`` in proc(5))."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


def keep_only(kept: Iterable[int]) -> None:
    """Drop all but *kept* from the effective, permitted, inheritable and bounding sets. Raises ``OSError``.

    A capability this process does not hold stays out. Program files with capabilities give nothing back afterwards, nor
    does being root (no_new_privs). Without CAP_SETPCAP the bounding set cannot be changed and is left as it is.
    """
    mask = sum(1 << number for number in kept) & held()
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    if held() >> _CAP_SETPCAP & 1:  # else the bounding set stays: it gives nothing back to whoever gains no privileges
        for number in range(last + 1):
            if not mask >> number & 1:
                _checked(_libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0))
    low, high = mask & 0xFFFFFFFF, mask >> 32
    header = struct.pack("=Ii", _VERSION_3, 0)
    data = struct.pack("=6I", low, low, 0, high, high, 0)
    _checked(_libc.capset(header, data))


def _checked(result: int) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, "capabilities could not be dropped")

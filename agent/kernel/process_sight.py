"""Visibility of processes: the reasons why processes of this host may be hidden from this one.

Rules of this file: it examines its own process only; what cannot be determined counts as hidden.
Sources: proc(5) ``hidepid=``, pid_namespaces(7), capabilities(7) CAP_SYS_PTRACE; the inode number of the first PID
namespace is fixed (``PROC_PID_INIT_INO`` in linux/proc_ns.h).
"""

import os
from typing import Literal

from agent.confinement import capabilities
from agent.kernel import mountinfo

Hidden = Literal["hidepid", "pid-namespace"]

_FIRST = "pid:[4026531836]"
_SHOWS = frozenset(("hidepid=0", "hidepid=off"))


def hidden() -> tuple[Hidden, ...]:
    """Return the reasons why processes may be hidden from this one; empty: none can be."""
    reasons: list[Hidden] = []
    if _hides_others():
        reasons.append("hidepid")
    try:
        if os.readlink("/proc/self/ns/pid") != _FIRST:
            reasons.append("pid-namespace")
    except OSError:
        reasons.append("pid-namespace")
    return tuple(reasons)


def _hides_others() -> bool:
    if capabilities.held() >> capabilities.CAP_SYS_PTRACE & 1:  # with it every process is visible
        return False
    proc = next((mount for mount in reversed(mountinfo.table()) if mount.point == "/proc"), None)
    return proc is None or any(option.startswith("hidepid=") and option not in _SHOWS for option in proc.super_options)

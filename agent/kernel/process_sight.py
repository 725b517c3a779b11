"""What of the processes of this host can be hidden from this process, whatever it lists.

Rules of this file: it looks at what it is itself, not at anybody else; what cannot be told counts as hidden.
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
    """Return why processes may be there that no look of this process finds; empty: none can be."""
    found: list[Hidden] = []
    if _hides_others():
        found.append("hidepid")
    try:
        if os.readlink("/proc/self/ns/pid") != _FIRST:
            found.append("pid-namespace")
    except OSError:
        found.append("pid-namespace")
    return tuple(found)


def _hides_others() -> bool:
    if capabilities.held() >> capabilities.CAP_SYS_PTRACE & 1:  # who may look into every process is shown every one
        return False
    proc = next((mount for mount in reversed(mountinfo.table()) if mount.point == "/proc"), None)
    return proc is None or any(word.startswith("hidepid=") and word not in _SHOWS for word in proc.super_options)

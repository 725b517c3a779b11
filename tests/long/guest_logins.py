"""An immutable login uid: set for good, so in a guest alone and as its last check.

Rules of this file: the agent only ever reads this (:mod:`agent.kernel.login_identity`); setting it is auditctl's
``--loginuid-immutable``, done here by the same message. Sources: AUDIT_SET_FEATURE and struct audit_features in
linux/audit.h, ``audit_set_loginuid_perm`` in kernel/audit.c, proc_pid_loginuid(5).
"""

import os
import socket
import struct
from pathlib import Path

from agent.doctor import offline_checks
from agent.kernel import login_identity
from tests.long.guest_seen import Checks

_NETLINK_AUDIT, _SET_FEATURE, _REQUEST, _ACK = 9, 1018, 1, 4
_IMMUTABLE = 1 << 1
_UID = 61_790


def immutable(checks: Checks) -> None:
    """Root plays anybody's login until the login uid is immutable, and ``doctor`` says both."""
    if login_identity.immutable() is None:
        checks.check("immutable", held=True, seen="this kernel does not tell")
        return
    before = (login_identity.immutable(), _said(), _played(_UID, _UID + 1))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_AUDIT) as audit:
        features = struct.pack("=4I", 1, _IMMUTABLE, _IMMUTABLE, 0)
        audit.sendto(struct.pack("=IHHII", 32, _SET_FEATURE, _REQUEST | _ACK, 1, 0) + features, (0, 0))
        audit.recv(4096)
    after = (login_identity.immutable(), _said(), _played(_UID, _UID + 1))
    wanted = (False, "warning", "ok ok"), (True, "good", "ok EPERM")
    checks.check("immutable", held=(before, after) == wanted, seen=f"{before}, then {after}")


def _said() -> str:
    """Return what ``shoumi doctor`` makes of it."""
    return next(finding.state for finding in offline_checks.host() if finding.code == "loginuid-immutable")


def _played(first: int, second: int) -> str:
    """Return what a child of root's gets that takes one login uid and then another one."""
    told, telling = os.pipe()
    if (child := os.fork()) == 0:
        os.write(telling, f"{_taken(first)} {_taken(second)}".encode())
        os._exit(0)
    os.close(telling)
    os.waitpid(child, 0)
    with open(told, "rb") as said:
        return said.read().decode()


def _taken(uid: int) -> str:
    try:
        Path("/proc/self/loginuid").write_text(str(uid))
    except PermissionError:
        return "EPERM"
    return "ok"

"""Login identity: whether the kernel lets a set login uid be changed.

Rules of this file: it asks the kernel and changes nothing.
Sources: the audit netlink protocol in linux/audit.h (AUDIT_GET_FEATURE, struct audit_features), auditctl(8)
``--loginuid-immutable``, netlink(7).
"""

import socket
import struct

_NETLINK_AUDIT = 9
_GET_FEATURE = 1019
_NLM_F_REQUEST = 1
_IMMUTABLE = 1 << 1
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_FEATURES = struct.Struct("=IIII")  # version, mask, features, lock
_SECONDS = 1.0


def immutable() -> bool | None:
    """Return whether a set login uid is immutable, for root too; ``None`` when the kernel does not answer.

    It answers callers with CAP_AUDIT_CONTROL in the initial namespaces.
    """
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_AUDIT) as asking:
            asking.settimeout(_SECONDS)
            asking.bind((0, 0))
            asking.sendto(_HEADER.pack(_HEADER.size, _GET_FEATURE, _NLM_F_REQUEST, 1, 0), (0, 0))
            return read(asking.recv(4096))
    except OSError:
        return None


def read(reply: bytes) -> bool | None:
    """Return the answer in the kernel's *reply*, ``None`` for an error or another message."""
    if len(reply) < _HEADER.size + _FEATURES.size:
        return None
    _, kind, _, _, _ = _HEADER.unpack_from(reply)
    if kind != _GET_FEATURE:  # an error, in place of an answer
        return None
    _, _, features, _ = _FEATURES.unpack_from(reply, _HEADER.size)
    return bool(features & _IMMUTABLE)

"""systemd's file descriptor store: it keeps the groups, so that even the holder's death does not open the gate.

It also keeps the memory of openers in server processes (:mod:`agent.guard.openers_page`).

Rules of this file: the protocol of sd_notify(3) and nothing else; without ``NOTIFY_SOCKET`` every call does nothing.
The unit needs ``FileDescriptorStoreMax=3`` and ``NotifyAccess=main`` (docs/shoumi.service). ``FDPOLL=0`` because a
group must stay in the store although nothing polls it.
Sources: sd_notify(3), sd_listen_fds(3), systemd's file descriptor store documentation.
"""

import contextlib
import os
import socket
from collections.abc import Mapping, MutableMapping

_FIRST = 3  # SD_LISTEN_FDS_START
_PREFIX = "shoumi-"


def keep(descriptors: Mapping[str, int], environment: Mapping[str, str] = os.environ) -> bool:
    """Store copies of the descriptors under their names; return whether there is a store."""
    stored = [
        _notify(f"FDSTORE=1\nFDNAME={_PREFIX}{name}\nFDPOLL=0", environment, [fd]) for name, fd in descriptors.items()
    ]
    return all(stored)


def drop(descriptors: Mapping[str, int], environment: Mapping[str, str] = os.environ) -> None:
    """Remove them from the store: the holder ends in order, with the areas hidden."""
    for name in descriptors:
        _notify(f"FDSTOREREMOVE=1\nFDNAME={_PREFIX}{name}", environment)


def ready(environment: Mapping[str, str] = os.environ) -> None:
    """Tell systemd that the agent enforces (``Type=notify``)."""
    _notify("READY=1", environment)


def taken(environment: MutableMapping[str, str] = os.environ) -> dict[str, int]:
    """Return the descriptors a predecessor left in the store, by name, and clear the variables that passed them."""
    if environment.pop("LISTEN_PID", "") != str(os.getpid()):
        return {}
    count = int(environment.pop("LISTEN_FDS", "0"))
    names = environment.pop("LISTEN_FDNAMES", "").split(":")
    descriptors: dict[str, int] = {}
    for fd, name in zip(range(_FIRST, _FIRST + count), names, strict=False):
        os.set_inheritable(fd, False)
        if name.startswith(_PREFIX):
            descriptors[name.removeprefix(_PREFIX)] = fd
        else:
            os.close(fd)
    return descriptors


def _notify(message: str, environment: Mapping[str, str], fds: list[int] | None = None) -> bool:
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as end:
        end.connect(address)
        socket.send_fds(end, [message.encode()], fds or [])
        return True
    return False

"""Control sockets: their paths, and the one each caller uses.

    control.sock        everyone            control-root.sock                                root
    control-system.sock, control-security.sock, control-auditor.sock                         the group of that role

Rules of this file: all of them lead to the same agent and the same answers. The rights of a caller depend on its
identity and never on the socket. The sockets of the roles exist because connections to one socket wait in one queue
(listen(2)), and a caller that fills it keeps out everyone behind; no one else can fill the queues of the roles. A
client that only knows ``control.sock`` is served there as well.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from agent.api.roles import THREE, Role
from agent.runtime.home import Home

ROOT = Role.BOOTSTRAP  # in place of a role: the socket of root
RESERVED = (ROOT, *THREE)
_BACKLOG = 128  # connections that the kernel lets wait on each
_LONGEST_PATH = 107  # sockaddr_un.sun_path without its final zero, unix(7)


def path(home: Home, role: Role | None = None) -> Path:
    """Return the path of the socket reserved for *role*, of the public one when none is named."""
    if role is None:
        return home.socket
    return home.run / f"control-{'root' if role is ROOT else role.value}.sock"


def connect(home: Home) -> socket.socket:
    """Connect to the agent at *home* by the socket reserved for the caller, else by the public one.

    Raises ``OSError``.
    """
    for role in (ROOT,) if os.geteuid() == 0 else THREE:
        try:
            return _connected(path(home, role))
        except (FileNotFoundError, PermissionError, ConnectionRefusedError):
            continue  # it belongs to another role, or to an agent that has ended
    return _connected(path(home))


def listen(home: Home, role: Role | None = None) -> socket.socket:
    """Make a socket, replacing one left by a dead agent; raise ``OSError``. The server's side of the address.

    Everyone may connect to the public socket (mode 0666), only root to a reserved one, until :func:`keep` names a
    group.
    """
    name = path(home, role)
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        name.unlink(missing_ok=True)
        with closing(_Address(name)) as address:
            end.bind(address.name)
        name.chmod(0o666 if role is None else 0o600)  # until it listens, everyone gets ECONNREFUSED
        end.listen(_BACKLOG)
    except BaseException:
        end.close()
        raise
    return end


def keep(home: Home, role: Role, gid: int | None) -> None:
    """Let the group *gid* use the socket of *role*, and no one else but root; ``None``: no one. Raises ``OSError``."""
    name = path(home, role)
    now = name.stat()
    if (now.st_gid, now.st_mode & 0o777) == ((gid, 0o660) if gid is not None else (now.st_gid, 0o600)):
        return
    name.chmod(0o600)
    if gid is not None:
        os.chown(name, -1, gid)
        name.chmod(0o660)


def _connected(name: Path) -> socket.socket:
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with closing(_Address(name)) as address:
            end.connect(address.name)
    except BaseException:
        end.close()
        raise
    return end


class _Address:
    """A name of a socket that fits ``sun_path``: its own, or one through a descriptor of its folder."""

    def __init__(self, path: Path) -> None:
        self._folder = -1
        self.name = str(path)
        if len(os.fsencode(self.name)) > _LONGEST_PATH:
            self._folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            self.name = f"/proc/self/fd/{self._folder}/{path.name}"

    def close(self) -> None:
        if self._folder >= 0:
            os.close(self._folder)


def sockets(home: Home) -> Iterator[tuple[Role | None, socket.socket]]:
    """Make all sockets, the public one last: a client that finds it finds the others as well. Raises ``OSError``."""
    for role in (*RESERVED, None):
        yield role, listen(home, role)

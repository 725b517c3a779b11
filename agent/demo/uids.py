"""Uids for the demo's people: nobody's on this machine, and no other demo's at the same time.

Rules of this file: a departure ends every process of a uid, whoever started it. So the uids belong to no account, no
process runs under them or was logged in as one of them (a container's people have no accounts here), and a block of
them is claimed for as long as the demo lasts. The claim is an abstract socket name: the kernel gives it back when its
last holder is gone, and it leaves nothing behind. Source: unix(7).
"""

import errno
import pwd
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from agent.errors import RefusedError
from agent.offboard.steps import tasks
from rules.text import Text

_FIRST, _END = 61301, 64600  # below: numbers that documentation uses; above: what the doors process takes


@contextmanager
def unused_uids(count: int) -> Iterator[int]:
    """Claim *count* neighbouring uids that nobody has, and yield the first.

    Raises :class:`RefusedError` without any.
    """
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    for uid in range(_FIRST, _END - count, count):
        wanted = range(uid, uid + count)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
            try:
                claim.bind(f"\0shoumi-demo-uids-{uid}")
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            if taken.isdisjoint(wanted) and not tasks.scan(wanted):
                yield uid
                return
    raise RefusedError(
        Text("there are no uids without an account or a process", "没有既无账号又无进程的 uid"),
        Text(f"the demo looks from {_FIRST} to {_END - 1}", f"演示使用 {_FIRST} 至 {_END - 1} 之间的 uid"),
    )

"""Uids for the people of the demo: unused on this host, and by no other demo at the same time.

Rules of this file: an offboarding ends every process of a uid, whatever started it. So the uids belong to no account,
no process runs under them or was logged in as one of them (users of a container have no accounts here), and a block of
them is claimed while the demo runs. The claim is an abstract socket name: the kernel releases it with its last holder,
and it leaves nothing behind. Source: unix(7).
"""

import errno
import pwd
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from agent.errors import RefusedError
from agent.offboard.steps import tasks
from rules.text import Message

_FIRST, _END = 61301, 64600  # below: uids used in documentation; above: uids of the doors process


@contextmanager
def unused_uids(count: int) -> Iterator[int]:
    """Claim *count* consecutive unused uids, and yield the first.

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
        Message("demo.no-free-uids"),
        Message("demo.uid-range", first=_FIRST, end=_END - 1),
    )

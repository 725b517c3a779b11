"""Doors process as a child: started with one end of a link, and with no other resource of the agent.

Rules of this file: it gets no root, no home, no environment, and no descriptor except the link, the pipe whose end of
file tells it that the agent has ended, and a pipe for its standard error.
"""

import os
import subprocess
from collections.abc import Sequence

from agent.doors import link
from agent.rooms.field.origin import Begun, FieldIdentity
from agent.runtime.supervisor import python


class FieldChild:
    """Starts children that switch to *identity*; ``None``: the agent is not root, and they keep its account."""

    def __init__(self, identity: FieldIdentity | None) -> None:
        self._identity = identity

    def ready(self) -> bool:
        """See :class:`agent.rooms.field.origin.FieldOrigin`."""
        return True

    def begin(self) -> Begun:
        """See :class:`agent.rooms.field.origin.FieldOrigin`."""
        own_end, child_end = link.pair()
        life, held = os.pipe2(os.O_CLOEXEC)  # it reads end of file here when the agent has ended for any reason
        errors, telling = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            process = subprocess.Popen(
                python("agent.doors", *self._arguments(child_end.fileno(), life)),
                pass_fds=(child_end.fileno(), life),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # a C library writes its log there
                stderr=telling,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"},
                start_new_session=True,
            )
        finally:
            for fd in (child_end.detach(), life, telling):
                os.close(fd)
        return Begun(process, own_end, held, errors)

    def close(self) -> None:
        """See :class:`agent.rooms.field.origin.FieldOrigin`."""

    def _arguments(self, channel: int, life: int) -> Sequence[str]:
        arguments = [f"channel={channel}", f"life={life}"]
        if self._identity:
            groups = ",".join(map(str, self._identity.groups))
            arguments += [f"uid={self._identity.uid}", f"gid={self._identity.gid}", f"groups={groups}"]
        return arguments

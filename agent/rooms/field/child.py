"""A doors process that is our child: started with one end of a link, and with nothing else of ours.

Rules of this file: it gets no root, no home, no environment, no descriptor but the link, the pipe by whose end it knows
that we are gone, and a pipe for what it has to say to people.
"""

import os
import subprocess
from collections.abc import Sequence

from agent.doors import link
from agent.rooms.field.origin import Begun, FieldIdentity
from agent.runtime.supervisor import python


class FieldChild:
    """Starts children that become *identity*; ``None``: we are not root, and they stay who we are."""

    def __init__(self, identity: FieldIdentity | None) -> None:
        self._identity = identity

    def ready(self) -> bool:
        """See :class:`agent.rooms.field.origin.FieldOrigin`."""
        return True

    def begin(self) -> Begun:
        """See :class:`agent.rooms.field.origin.FieldOrigin`."""
        ours, theirs = link.pair()
        life, held = os.pipe2(os.O_CLOEXEC)  # it reads the end of this when we are gone, however we went
        errors, telling = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            process = subprocess.Popen(
                python("agent.doors", *self._words(theirs.fileno(), life)),
                pass_fds=(theirs.fileno(), life),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # a C library writes its log there
                stderr=telling,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"},
                start_new_session=True,
            )
        finally:
            for fd in (theirs.detach(), life, telling):
                os.close(fd)
        return Begun(process, ours, held, errors)

    def close(self) -> None:
        """See :class:`agent.rooms.field.origin.FieldOrigin`."""

    def _words(self, channel: int, life: int) -> Sequence[str]:
        words = [f"channel={channel}", f"life={life}"]
        if self._identity:
            groups = ",".join(map(str, self._identity.groups))
            words += [f"uid={self._identity.uid}", f"gid={self._identity.gid}", f"groups={groups}"]
        return words

"""Client of the mount watcher: requests a check, and reads its notices.

Rules of this file: a request without an answer returns ``False``; the caller decides what follows. For any thread.
"""

import socket
import threading

from agent.errors import ShoumiError
from agent.runtime import channel

_SECONDS = 5.0


class WatcherClient:
    """Our *end* of the pair to the watcher, ``None`` where there is none."""

    def __init__(self, end: socket.socket | None) -> None:
        self._end = end
        self._client = channel.ChannelClient(end) if end is not None else None
        self._turn = threading.Lock()

    def fileno(self) -> int | None:
        """The descriptor to wait on for notices."""
        return self._end.fileno() if self._end is not None else None

    def check_mounts(self) -> bool:
        """Request a check of the guarded places against the present mounts; return whether it was done."""
        if self._client is None:
            return False
        with self._turn:
            try:
                return bool(self._client.ask({"op": "look"}, _SECONDS).get("looked"))
            except ShoumiError:
                return False

    def notices(self) -> list[channel.Packet]:
        """Return the notices since the last call. Never waits."""
        if self._client is None:
            return []
        with self._turn:
            return self._client.poll()

"""What the control process asks of the mount watcher: to look now; and what the watcher tells by itself.

Rules of this file: a question without an answer is no answer; whoever asks says what follows from that. For any thread.
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

    def look(self) -> bool:
        """Have it look at the list of guarded places and the mounts as they are now; return whether it has."""
        if self._client is None:
            return False
        with self._turn:
            try:
                return bool(self._client.ask({"op": "look"}, _SECONDS).get("looked"))
            except ShoumiError:
                return False

    def notices(self) -> list[channel.Message]:
        """Return what it has told since the last call. Never waits."""
        if self._client is None:
            return []
        with self._turn:
            return self._client.poll()

"""Log sessions: one entry when a person begins to read the log, none for every further page.

Rules of this file: a session is what its entry records. The filter is kept here and not taken from the caller again, so
no page shows more than was recorded. It belongs to the uid that began it, ends after half a day and with the control
process; a later reading is recorded anew.
"""

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.errors import RefusedError
from agent.log.search import Filter
from rules.text import Message

_MOST = 256  # kept at a time; the oldest makes room
_LIFE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class LogSession:
    """The filter, owner and start of one session."""

    uid: int
    wanted: Filter
    at: datetime


class LogSessions:
    """The open sessions. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, LogSession] = OrderedDict()

    def begin(self, uid: int, wanted: Filter, now: datetime) -> str:
        """Begin a recorded session; return its unguessable name."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._sessions[name] = LogSession(uid, wanted, now)
            while len(self._sessions) > _MOST:
                self._sessions.popitem(last=False)
        return name

    def of(self, name: str, uid: int, now: datetime) -> Filter:
        """Return the session's filter; raise :class:`RefusedError` when this uid has no such session, or it ended."""
        with self._lock:
            reading = self._sessions.get(name)
        if reading is None or reading.uid != uid or now - reading.at > _LIFE:
            raise RefusedError(
                Message("log.session-ended"),
                Message("log.start-new-session"),
            )
        return reading.wanted

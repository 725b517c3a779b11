"""Readings of the log: one entry when somebody begins to read, none for every page that is turned.

Rules of this file: a reading is what its entry says it is. The filter is kept here and not taken from the caller again,
so no page shows more than was recorded. It belongs to the uid that began it, ends after half a day and with the
control process; then somebody who goes on reading is recorded anew.
"""

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.errors import RefusedError
from agent.log.search import Filter
from rules.text import Text

_MOST = 256  # kept at a time; the oldest makes room
_LIFE = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class LogSession:
    """What one caller reads, since when."""

    uid: int
    wanted: Filter
    at: datetime


class LogSessions:
    """The readings under way. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, LogSession] = OrderedDict()

    def begin(self, uid: int, wanted: Filter, now: datetime) -> str:
        """Take up a reading that was recorded; return its name, which nobody can guess."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._kept[name] = LogSession(uid, wanted, now)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return name

    def of(self, name: str, uid: int, now: datetime) -> Filter:
        """Return what is read; raise :class:`RefusedError` when there is no such reading of this uid, or it is over."""
        with self._lock:
            reading = self._kept.get(name)
        if reading is None or reading.uid != uid or now - reading.at > _LIFE:
            raise RefusedError(
                Text("this reading of the log is over", "本次日志阅读已结束"),
                Text("begin another one: log.read", "请重新开始：log.read"),
            )
        return reading.wanted

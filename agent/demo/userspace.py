"""Decider without a kernel: the same policy, verdict cache, journal and log; no access waits for the answer.

Rules of this file: its entries are marked as a rehearsal, and its areas are in observe mode, so that no entry can be
mistaken for a real denial. It needs no rights.
"""

import json
import os
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from agent.demo.cast import DemoArea
from agent.errors import RefusedError
from agent.guard.journal import EntryJournal
from agent.guard.policy import PolicySnapshot
from agent.guard.verdicts import VerdictCache
from agent.kernel.subject import Subject
from agent.log.append import Appender
from agent.runtime.clock import AgentClock
from agent.runtime.home import Home
from rules.model import Action


class UserSpace:
    """Decides and records for the site at *home*. One at a time, like the real decider."""

    def __init__(self, home: Home, clock: AgentClock) -> None:
        self._appender = Appender(home.log, "process")
        self._host = os.uname().nodename
        self._clock = clock
        self._turn = threading.Lock()
        self._policy = PolicySnapshot(home)
        self._verdicts = VerdictCache(self._host)
        self._journal = EntryJournal(self._appender, clock, self._host)
        self.record({"kind": "decider-started"})
        if self._appender.recovered:
            self.record({"kind": "recovered", "bytes": self._appender.recovered})
        self.take_policy()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._appender.close()
        self._policy.close()

    def take_policy(self) -> None:
        """Reload the registry: later verdicts use it."""
        self._policy.reload()
        if self._policy.trouble:
            raise RefusedError(self._policy.trouble.text)
        self._verdicts.advance(self._policy.epoch, self._policy.source)

    def decide(
        self, fsuid: int, loginuid: int | None, place: DemoArea, path: str, action: Action = Action.OPEN
    ) -> bool:
        """Decide, record, and then return whether it would be allowed. Raises ``LogUnwritable``."""
        pid = os.getpid()
        subject = Subject(fsuid, loginuid, fsuid, pid, pid, executable=b"", comm=b"")
        ruling = self._verdicts.ruling(subject, (place.id,), action, self._clock.now())
        attempt = {"fsuid": fsuid, "loginuid": loginuid, "pid": pid, "path": path}
        self.record({**json.loads(b"{%b}" % ruling.fields), **attempt})
        return ruling.allow

    def record(self, fields: Mapping[str, Any]) -> int:
        """Write an entry and return its number. Callable from any thread: the doors write as well."""
        with self._turn:
            return self._journal.write({**fields, "rehearsal": True})


class AdjustableClock(AgentClock):
    """A clock that can be advanced; entries are stamped with it."""

    def __init__(self) -> None:
        self._ahead = 0
        super().__init__(wall=lambda: time.time_ns() + self._ahead)

    def forward(self, seconds: float) -> None:
        """Set it *seconds* ahead of the host clock, unless it is already."""
        self._ahead = max(self._ahead, int(seconds * 1_000_000_000))

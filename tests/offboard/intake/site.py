"""A site with an inbox, for tests: a home, pinned test-only keys, and everything that was handed over."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from agent.offboard.intake import pinned_keys
from agent.offboard.intake.inbox import Hooks, Inbox, Received
from agent.offboard.intake.notice import HrNotice
from agent.simulator.hr_sender import drop
from rules.text import Text

TOKENS = Path(__file__).with_name("tokens")
KEYS = TOKENS / "keys"
NOW = datetime(2026, 12, 1, tzinfo=UTC)  # the instant of every vector


class Site:
    """An agent's home with one inbox; ``settling`` 0: a wrong file is wrong at once."""

    def __init__(self, home: Path, *, settling: float = 0.0, pinned: bytes | None = None) -> None:
        self.home = home
        self.handed: list[HrNotice] = []
        self.noted: list[Received] = []
        self.troubles: list[tuple[str, Text]] = []
        self.failing: dict[str, Exception] = {}
        self.settling = settling
        self.again = 60.0
        self.absent: set[str] = set()  # approvers who may not act
        self.wanted = 1
        self.mapped: dict[tuple[str, str, str], str] = {}  # (format, issuer, name): whose it is here
        self.looking = self.filing = 60.0  # seconds of one sweep: all of it
        self.silence = timedelta(0)
        pinned_keys.path(home).write_bytes(pinned or (KEYS / "hr-keys.json").read_bytes())
        self.inbox = self.open()

    def open(self) -> Inbox:
        hooks = Hooks(
            lambda employee: self.known(employee),  # looked up at each call: a test may put another in its place
            self.acts,
            lambda: self.wanted,
            lambda notice: self.received(notice),
            self.noted.append,
            lambda word, text: self.troubles.append((word, text)),
            lambda *name: self.mapped.get(name),
        )
        return Inbox(
            self.home,
            hooks,
            settling=self.settling,
            retry_after=self.again,
            looking=self.looking,
            filing=self.filing,
            silence=self.silence,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.inbox.close()

    def reopen(self) -> None:
        self.inbox.close()
        self.inbox = self.open()

    def known(self, employee: str) -> bool:
        return employee.startswith("E")

    def acts(self, approver: str) -> bool:
        return approver not in self.absent

    def received(self, notice: HrNotice) -> None:
        if error := self.failing.get(notice.subject):
            raise error
        self.handed.append(notice)

    @property
    def new(self) -> Path:
        return self.home / "spool" / "new"

    def drop(self, token: str | bytes, name: str = "one") -> Path:
        return drop(self.new, token if isinstance(token, str) else token.decode(), name)

    def sweep(self, now: datetime = NOW) -> list[Received]:
        return self.inbox.sweep(now)

    def words(self) -> list[str]:
        return [word for word, _ in self.troubles]

    def filed(self, folder: str) -> list[str]:
        return sorted(os.listdir(self.home / "spool" / folder))

    def kept(self) -> int:
        """How many deliveries are still somewhere in the spool."""
        return sum(name.endswith(".set") for where in FOLDERS for name in self.filed(where))


FOLDERS: Sequence[str] = ("new", "accepted", "rejected", "quarantine")

"""Putting a delivery away with its reason, and saying what became of it.

Rules of this file: first the reason is written, then the delivery is noted, then it is moved. An end of the agent in
between leaves the delivery where it was, and it is judged again. A file that cannot be moved keeps no other one back.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agent.offboard.intake.delivery import Delivery
from agent.offboard.intake.notice import HrNotice
from agent.offboard.intake.reasons import BadTokenError, sentence
from agent.offboard.intake.spool import Folder, Spool
from agent.offboard.intake.store import Outcome
from rules.text import Text
from rules.visible import visible

_FOLDER: Final[dict[Outcome, Folder]] = {
    "accepted": "accepted",
    "again": "accepted",
    "replayed": "rejected",
    "number-reused": "rejected",
    "superseded": "quarantine",
    "unknown-person": "quarantine",
    "approver-out": "quarantine",
}


@dataclass(frozen=True, slots=True)
class Received:
    """What became of one delivery. ``reason`` is a word of :data:`agent.offboard.intake.reasons.REASONS`."""

    name: str  # as HR named the file, made visible
    folder: Folder
    reason: str
    text: Text
    notice: HrNotice | None
    filed_as: str  # its name in *folder* without ``.set``; beside it lies the reason, ``.json``; empty: not moved
    ignored: tuple[str, ...] = ()  # approvers who signed and do not count

    @property
    def alarm(self) -> bool:
        """Whether somebody must look: everything but an event in time and a file that came twice.

        A key that signs while its owner may not act is always worth a look.
        """
        return bool(self.ignored) or self.reason not in ("accepted", "replayed")


@dataclass(frozen=True, slots=True)
class Filing:
    """The filing of one sweep."""

    spool: Spool
    note: Callable[[Received], None]
    unmoved: Callable[[Delivery, OSError], None]
    now: datetime

    def right(self, delivery: Delivery, notice: HrNotice, outcome: Outcome, ignored: tuple[str, ...] = ()) -> Received:
        """File a token that was right, by what the store made of it. *ignored*: approvers who do not count."""
        folder = _FOLDER[outcome]
        reason = outcome if folder != "accepted" else "late" if notice.late else "accepted"
        detail = {
            "unknown-person": notice.subject,
            "approver-out": ", ".join(ignored),
            "replayed": notice.jti,
            "number-reused": notice.jti,
        }
        return self._put(delivery, folder, reason, sentence(reason, detail.get(outcome, "")), notice, ignored)

    def wrong(self, delivery: Delivery, error: BadTokenError) -> Received:
        """File what is no right token."""
        return self._put(delivery, "rejected", error.reason, error.text, None)

    def _put(
        self,
        delivery: Delivery,
        folder: Folder,
        reason: str,
        text: Text,
        notice: HrNotice | None,
        ignored: tuple[str, ...] = (),
    ) -> Received:
        filed_as = ""
        try:
            filed_as = self.spool.reserve(folder, self.now, _about(delivery, reason, text, notice, self.now))
        except OSError as error:
            self.unmoved(delivery, error)
        done = Received(visible(delivery.name), folder, reason, text, notice, filed_as, ignored)
        try:
            self.note(done)
        except BaseException:
            if filed_as:  # it is judged again, and its reason written again
                self.spool.unreserve(folder, filed_as)
            raise
        if filed_as:
            try:
                self.spool.put_away(delivery, folder, filed_as)
            except OSError as error:
                self.unmoved(delivery, error)
        return done


def _about(delivery: Delivery, reason: str, text: Text, notice: HrNotice | None, now: datetime) -> dict[str, object]:
    """Return what stands in the reason file."""
    about: dict[str, object] = {
        "file": visible(delivery.name),
        "at": now.isoformat(timespec="microseconds"),
        "reason": reason,
        "text": text.to_json(),
        "owner": delivery.status.st_uid,
        "bytes": delivery.status.st_size,
        "sha256": hashlib.sha256(delivery.contents).hexdigest() if delivery.contents else None,
    }
    if notice:
        about |= {
            "iss": notice.iss,
            "jti": notice.jti,
            "txn": notice.txn,
            "subject": notice.subject,
            "event": notice.event.value,
            "toe": notice.toe.isoformat(),
        }
    return about

"""Filing of deliveries: moving each one to its folder with its reason, and answering it.

Rules of this file: first the reason is written, then the delivery is noted, then answered, then moved. If the agent
ends in between, the delivery stays where it was and is judged again. A file that cannot be moved, and an answer that
cannot be given, hold no other one back.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from agent.language.catalogue import spoken
from agent.offboard.intake.answers import Answer, State
from agent.offboard.intake.delivery import Delivery
from agent.offboard.intake.notice import HrEvent, HrNotice
from agent.offboard.intake.reasons import AheadError, BadTokenError, sentence
from agent.offboard.intake.spool import Folder, Spool
from agent.offboard.intake.store import Outcome
from rules.text import Sentence
from rules.visible import visible

_FOLDER: Final[dict[Outcome, Folder]] = {
    "accepted": "accepted",
    "again": "accepted",
    "replayed": "rejected",
    "number-reused": "rejected",
    "superseded": "quarantine",
    "unknown-person": "quarantine",
    "approver-out": "quarantine",
    "refused": "quarantine",
}
_STATE: Final[dict[str, State]] = {
    "accepted": "received",
    "rejected": "rejected",
    "quarantine": "quarantined",
    "new": "waiting",
}
Place = Folder | Literal["new"]


@dataclass(frozen=True, slots=True)
class Received:
    """The outcome of one delivery. ``reason`` is a word of :data:`agent.offboard.intake.reasons.REASONS`."""

    name: str  # as HR named the file, made visible
    folder: Place  # ``new``: it stays where it is, for now
    reason: str
    text: Sentence
    notice: HrNotice | None
    filed_as: str  # its name in *folder* without ``.set``; the reason is beside it, ``.json``; empty: not moved
    ignored: tuple[str, ...] = ()  # approvers whose signatures do not count
    sha256: str | None = None  # of the contents, if they were read
    until: datetime | None = None  # when it is judged again by itself

    @property
    def alarm(self) -> bool:
        """Whether it needs attention: everything but an event in time and a repeated file.

        A key that signs while its owner may not act always needs attention.
        """
        return bool(self.ignored) or self.reason not in ("accepted", "replayed")

    def answer(self) -> Answer:
        """Return the answer to HR. A repeated token is not refused: it was received, and has its own answer."""
        verification = self.notice is not None and self.notice.event is HrEvent.VERIFICATION
        state: State = _STATE[self.folder]
        if self.folder != "rejected" and verification:
            state = "done"
        if self.reason == "replayed":
            state = "received"
        return Answer(state, self.name, self.reason, self.text, self.notice, self.sha256, self.until)


@dataclass(frozen=True, slots=True)
class Filing:
    """The filing of one sweep."""

    spool: Spool
    note: Callable[[Received], None]
    answer: Callable[[Received], None]
    unmoved: Callable[[Delivery, OSError], None]
    now: datetime

    def right(
        self,
        delivery: Delivery,
        notice: HrNotice,
        outcome: Outcome,
        ignored: tuple[str, ...] = (),
        refusal: Sentence | None = None,
    ) -> Received:
        """File a right token by the outcome of the store. *ignored*: approvers who do not count.

        *refusal*: the agent's reason for not acting on it.
        """
        folder = _FOLDER[outcome]
        reason = outcome if folder != "accepted" else "late" if notice.late else "accepted"
        detail = {
            "unknown-person": str(notice.named or notice.subject),
            "approver-out": ", ".join(ignored),
            "replayed": notice.jti,
            "number-reused": notice.jti,
        }
        text = refusal if refusal and outcome == "refused" else sentence(reason, detail.get(outcome, ""))
        return self._put(delivery, folder, reason, text, notice, ignored)

    def wrong(self, delivery: Delivery, error: BadTokenError) -> Received:
        """File a token that is not right."""
        return self._put(delivery, "rejected", error.reason, error.text, None)

    def ahead(self, delivery: Delivery, error: AheadError) -> Received:
        """Note and answer a token dated ahead; it stays in place."""
        received = Received(
            visible(delivery.name),
            "new",
            error.reason,
            error.text,
            None,
            "",
            sha256=_sha256(delivery),
            until=error.until,
        )
        self.note(received)
        self.answer(received)
        return received

    def _put(
        self,
        delivery: Delivery,
        folder: Folder,
        reason: str,
        text: Sentence,
        notice: HrNotice | None,
        ignored: tuple[str, ...] = (),
    ) -> Received:
        filed_as = ""
        try:
            filed_as = self.spool.reserve(folder, self.now, _about(delivery, reason, text, notice, self.now))
        except OSError as error:
            self.unmoved(delivery, error)
        received = Received(visible(delivery.name), folder, reason, text, notice, filed_as, ignored, _sha256(delivery))
        try:
            self.note(received)
            self.answer(received)
        except BaseException:
            if filed_as:  # it is judged again, and its reason written again
                self.spool.unreserve(folder, filed_as)
            raise
        if filed_as:
            try:
                self.spool.put_away(delivery, folder, filed_as)
            except OSError as error:
                self.unmoved(delivery, error)
        return received


def _sha256(delivery: Delivery) -> str | None:
    return hashlib.sha256(delivery.contents).hexdigest() if delivery.contents else None


def _about(
    delivery: Delivery, reason: str, text: Sentence, notice: HrNotice | None, now: datetime
) -> dict[str, object]:
    """Return the contents of the reason file."""
    about: dict[str, object] = {
        "file": visible(delivery.name),
        "at": now.isoformat(timespec="microseconds"),
        "reason": reason,
        "text": spoken(text),
        "owner": delivery.status.st_uid,
        "bytes": delivery.status.st_size,
        "sha256": _sha256(delivery),
    }
    if notice:
        about |= {
            "iss": notice.iss,
            "jti": notice.jti,
            "txn": notice.txn,
            "subject": notice.subject,
            "named": str(notice.named) if notice.named and str(notice.named) != notice.subject else "",
            "sub_id": list(notice.named) if notice.named else None,
            "event": notice.event.value,
            "toe": notice.toe.isoformat(),
        }
    return about

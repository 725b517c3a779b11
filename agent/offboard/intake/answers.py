"""Answers to HR: a signed token about each notice it dropped, and one about each completed departure.

    received     durable; the end of access follows       waiting      not yet: dated ahead, or it could not be begun
    quarantined  right, and nothing could be done         rejected     wrong: nothing was done because of it
    pending      something could not be ended yet         done         nothing remains open
    overtaken    a later departure superseded it before it ended anything

Rules of this file: pure. "received" is never "access is over" (RFC 8935 section 2: the two are different things). The
number of an answer follows from the notice and the state, so that answering twice is one answer. Text of the sender is
repeated only through ``visible``.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from agent.language.catalogue import spoken
from agent.offboard.intake.notice import HrEvent, HrNotice
from agent.offboard.intake.reasons import sentence
from rules.text import Sentence

COMPLETED: Final = "urn:shoumi:event:departure-completed"
ANSWERED: Final = "urn:shoumi:event:notice-answered"

State = Literal["received", "waiting", "quarantined", "rejected", "pending", "done", "overtaken"]
# States that an answer about the delivery alone never replaces.
FINAL: Final = frozenset(("pending", "done", "overtaken"))


@dataclass(frozen=True, slots=True)
class Completion:
    """The progress of a departure, as told to HR. ``times`` are instants on the agent's clock by name (``received`` …).

    ``done`` states that nothing remains open; ``pending`` names what could not be ended yet (a door that does not
    answer). ``sooner``: access ended before the leave date that the notice names.
    """

    state: Literal["done", "pending"]
    times: Mapping[str, datetime]
    pending: tuple[str, ...] = ()
    sooner: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one notice. ``reason`` is a word of :data:`agent.offboard.intake.reasons.REASONS`.

    ``file`` is the name of the delivery, made visible; ``sha256`` that of its contents, if they were read.
    """

    state: State
    file: str
    reason: str
    text: Sentence
    notice: HrNotice | None = None
    sha256: str | None = None
    until: datetime | None = None
    times: Mapping[str, datetime] | None = None

    @property
    def number(self) -> str:
        """Its number."""
        about = self.notice.key if self.notice else (self.file, self.sha256 or "")
        return _number(*about, self.state, self.reason)

    def claims(self, site: str, now: datetime) -> dict[str, Any]:
        """Return the claims of the token for this answer, issued by *site*."""
        members: dict[str, Any] = {"state": self.state, "file": self.file, "reason": self.reason}
        members |= {"text": spoken(self.text), "sha256": self.sha256}
        if self.until:
            members["until"] = self.until.isoformat()
        if self.times:
            members["times"] = _times(self.times)
        if self.notice is None:
            return {"iss": site, "iat": now.timestamp(), "jti": self.number, "events": {ANSWERED: members}}
        members |= {"answers": self.notice.jti, "event": self.notice.event.value}
        if self.notice.event is HrEvent.VERIFICATION:
            members["verification"] = self.notice.details.get("state")
        return _about(site, self.notice, now, self.number) | {"events": {ANSWERED: members}}


def held(notice: HrNotice, file: str, times: Mapping[str, datetime]) -> Answer:
    """Return the answer to a notice that requested only a hold, which is in force."""
    return Answer("done", file, "accepted", sentence("accepted"), notice, times={"happened": notice.toe, **times})


def overtaken(notice: HrNotice, file: str, by: str) -> Answer:
    """Return the answer to a departure superseded by another one, known as *by*, before its leave date."""
    return Answer("overtaken", file, "overtaken", sentence("overtaken", by), notice)


def completion_number(notice: HrNotice, state: str) -> str:
    """Return the number of the answer about the progress of a departure."""
    return _number(*notice.key, state)


def completion(site: str, notice: HrNotice, progress: Completion, now: datetime) -> dict[str, Any]:
    """Return the claims of the token about the progress of a departure.

    Whichever notice approved the case that ended access: ``approved`` is the instant in this very notice.
    """
    event = {
        "answers": notice.jti,
        "event": notice.event.value,
        "state": progress.state,
        "times": _times({**progress.times, "approved": notice.toe}),
        "pending": list(progress.pending),
    }
    if progress.sooner:
        event |= {"reason": "sooner", "text": spoken(sentence("sooner"))}
    return _about(site, notice, now, completion_number(notice, progress.state)) | {
        "toe": max(progress.times.values(), default=now).timestamp(),
        "events": {COMPLETED: event},
    }


def _about(site: str, notice: HrNotice, now: datetime, number: str) -> dict[str, Any]:
    """Return the claims that identify a notice in HR's own terms: its subject and its number."""
    return {
        "iss": site,
        "aud": notice.iss,
        "iat": now.timestamp(),
        "jti": number,
        "txn": notice.txn,
        "sub_id": notice.claims.get("sub_id") or {"format": "iss_sub", "iss": notice.iss, "sub": notice.subject},
    }


def _times(times: Mapping[str, datetime]) -> dict[str, str]:
    ordered = sorted(times.items(), key=lambda entry: entry[1])
    return {name: moment.isoformat(timespec="microseconds") for name, moment in ordered}


def _number(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

"""What is answered to HR: a signed token about each notice it dropped, and one about each departure that is complete.

    received     durable; the end of access follows       waiting      not yet: dated ahead, or it could not be begun
    quarantined  right, and nothing could be done         rejected     wrong: nothing was done because of it
    pending      something could not be ended yet         done         nothing is left
    overtaken    a later departure took its place before it ended anything

Rules of this file: pure. "received" is never "access is over" (RFC 8935 section 2: the two are different things). A
number follows from what is answered and with what, so that answering twice is one answer. What the sender wrote is
repeated only as it may be shown.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from agent.offboard.intake.notice import HrEvent, HrNotice
from agent.offboard.intake.reasons import sentence
from rules.text import Text

COMPLETED: Final = "urn:shoumi:event:departure-completed"
ANSWERED: Final = "urn:shoumi:event:notice-answered"

State = Literal["received", "waiting", "quarantined", "rejected", "pending", "done", "overtaken"]
# What nothing said about the delivery alone takes the place of.
FINAL: Final = frozenset(("pending", "done", "overtaken"))


@dataclass(frozen=True, slots=True)
class Completion:
    """What is told to HR. ``times`` are instants on the agent's clock by name (``received``, ``denied`` …).

    ``done`` says that nothing is left; ``pending`` names what could not be ended yet (a door that does not answer).
    ``sooner``: access ended before the leave date that the notice names.
    """

    state: Literal["done", "pending"]
    times: Mapping[str, datetime]
    pending: tuple[str, ...] = ()
    sooner: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one notice. ``reason`` is a word of :data:`agent.offboard.intake.reasons.REASONS`.

    ``file`` is the name it was dropped under, made visible; ``sha256`` that of what was in it, if it was read.
    """

    state: State
    file: str
    reason: str
    text: Text
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
        """Return the claims of the token that says it, issued by *site*."""
        said: dict[str, Any] = {"state": self.state, "file": self.file, "reason": self.reason}
        said |= {"text": self.text.to_json(), "sha256": self.sha256}
        if self.until:
            said["until"] = self.until.isoformat()
        if self.times:
            said["times"] = _times(self.times)
        if self.notice is None:
            return {"iss": site, "iat": now.timestamp(), "jti": self.number, "events": {ANSWERED: said}}
        said |= {"answers": self.notice.jti, "event": self.notice.event.value}
        if self.notice.event is HrEvent.VERIFICATION:
            said["verification"] = self.notice.details.get("state")
        return _about(site, self.notice, now, self.number) | {"events": {ANSWERED: said}}


def held(notice: HrNotice, file: str, times: Mapping[str, datetime]) -> Answer:
    """Return the answer to a notice that asked for no more than a hold, which is in force."""
    return Answer("done", file, "accepted", sentence("accepted"), notice, times={"happened": notice.toe, **times})


def overtaken(notice: HrNotice, file: str, by: str) -> Answer:
    """Return the answer to a departure in whose place another one came, known as *by*, before its leave date did."""
    return Answer("overtaken", file, "overtaken", sentence("overtaken", by), notice)


def completion_number(notice: HrNotice, state: str) -> str:
    """Return the number of the answer that says how far a departure is."""
    return _number(*notice.key, state)


def completion(site: str, notice: HrNotice, said: Completion, now: datetime) -> dict[str, Any]:
    """Return the claims of the token that says how far a departure is.

    Whatever approved the case that ended access: ``approved`` is what this very notice says.
    """
    event = {
        "answers": notice.jti,
        "event": notice.event.value,
        "state": said.state,
        "times": _times({**said.times, "approved": notice.toe}),
        "pending": list(said.pending),
    }
    if said.sooner:
        event |= {"reason": "sooner", "text": sentence("sooner").to_json()}
    return _about(site, notice, now, completion_number(notice, said.state)) | {
        "toe": max(said.times.values(), default=now).timestamp(),
        "events": {COMPLETED: event},
    }


def _about(site: str, notice: HrNotice, now: datetime, number: str) -> dict[str, Any]:
    """Return the claims that name a notice in HR's own words: whom it named, and under which number."""
    return {
        "iss": site,
        "aud": notice.iss,
        "iat": now.timestamp(),
        "jti": number,
        "txn": notice.txn,
        "sub_id": notice.claims.get("sub_id") or {"format": "iss_sub", "iss": notice.iss, "sub": notice.subject},
    }


def _times(times: Mapping[str, datetime]) -> dict[str, str]:
    ordered = sorted(times.items(), key=lambda one: one[1])
    return {name: moment.isoformat(timespec="microseconds") for name, moment in ordered}


def _number(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

"""What a token said, once it is known to be right: frozen data that survives a restart as one line of JSON.

Rules of this file: no judgement here. A :class:`HrNotice` is made by :func:`agent.offboard.intake.token.verify` alone,
or read back from the store that kept one; it is never verified again, because keys may have been exchanged since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class HrEvent(StrEnum):
    """The events that are acted on. The order is that of their effect: each ends at least what those below it end."""

    DEPARTURE_APPROVED = "departure-approved"
    ACCOUNT_DISABLED = "account-disabled"
    SESSION_REVOKED = "session-revoked"

    @property
    def uri(self) -> str:
        """The name of the event in the ``events`` claim: our own, RISC 1.0 section 2.3 and CAEP 1.0 section 3.1."""
        return _URIS[self]

    @property
    def strength(self) -> int:
        """How much it ends; the higher the more."""
        return len(_URIS) - list(_URIS).index(self)


_URIS = {
    HrEvent.DEPARTURE_APPROVED: "urn:shoumi:event:departure-approved",
    HrEvent.ACCOUNT_DISABLED: "https://schemas.openid.net/secevent/risc/event-type/account-disabled",
    HrEvent.SESSION_REVOKED: "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
}

EVENTS: Mapping[str, HrEvent] = {uri: event for event, uri in _URIS.items()}


@dataclass(frozen=True, slots=True)
class SignedApproval:
    """An approver's own signature, found right. ``role`` and ``person`` are those pinned with the key."""

    kid: str
    role: str
    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HrNotice:
    """One event about one employee. Instants are aware and in UTC."""

    iss: str
    jti: str
    kid: str
    iat: datetime
    toe: datetime  # when it happened: for a departure, when it was approved
    txn: str  # HR's case number; empty where the event needs none
    subject: str  # the employee number
    event: HrEvent
    details: Mapping[str, Any]  # the members of the event
    approvals: tuple[SignedApproval, ...]
    claims: Mapping[str, Any]
    late: bool

    @property
    def key(self) -> tuple[str, str]:
        """What makes two tokens one event: issuer and number, never the token's bytes (RFC 8417 section 2.2)."""
        return self.iss, self.jti

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON; :meth:`from_json` reads it back."""
        return {
            "iss": self.iss,
            "jti": self.jti,
            "kid": self.kid,
            "iat": self.iat.isoformat(),
            "toe": self.toe.isoformat(),
            "txn": self.txn,
            "subject": self.subject,
            "event": self.event.value,
            "details": self.details,
            "approvals": [
                {"kid": one.kid, "role": one.role, "person": one.person, "at": one.at.isoformat()}
                for one in self.approvals
            ],
            "claims": self.claims,
            "late": self.late,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "HrNotice":
        """Read what :meth:`to_json` wrote. Raises ``KeyError`` or ``ValueError`` for anything else."""
        approvals = tuple(
            SignedApproval(one["kid"], one["role"], one["person"], datetime.fromisoformat(one["at"]))
            for one in value["approvals"]
        )
        return cls(
            iss=value["iss"],
            jti=value["jti"],
            kid=value["kid"],
            iat=datetime.fromisoformat(value["iat"]),
            toe=datetime.fromisoformat(value["toe"]),
            txn=value["txn"],
            subject=value["subject"],
            event=HrEvent(value["event"]),
            details=value["details"],
            approvals=approvals,
            claims=value["claims"],
            late=value["late"],
        )


def instant(seconds: float) -> datetime:
    """Return a NumericDate (RFC 7519) as an instant; raise ``ValueError``, ``OverflowError`` or ``OSError``."""
    return datetime.fromtimestamp(seconds, UTC)

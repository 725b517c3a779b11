"""Notices: the content of a verified token, as frozen data that survives a restart as one line of JSON.

Rules of this file: no judgement here. A :class:`HrNotice` is made by :func:`agent.offboard.intake.token.verify` alone,
or read back from the store that kept one; it is never verified again, because keys may have been exchanged since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from agent.offboard.intake.subject import SubjectId


class HrEvent(StrEnum):
    """The events that are understood."""

    DEPARTURE_APPROVED = "departure-approved"
    ACCOUNT_DISABLED = "account-disabled"
    SESSION_REVOKED = "session-revoked"
    VERIFICATION = "verification"  # ends nothing: a sign of life that is answered

    @property
    def uri(self) -> str:
        """The name of the event in the ``events`` claim: our own, RISC 1.0 section 2.3, CAEP 1.0 section 3.1, SSF."""
        return _URIS[self]

    @property
    def strength(self) -> int:
        """The number of the event in ``offboard.db``."""
        return _NUMBERS[self]


_RISC = "https://schemas.openid.net/secevent/risc/event-type/"
_SCIM = "urn:ietf:params:scim:event:prov:"
_URIS = {
    HrEvent.DEPARTURE_APPROVED: "urn:shoumi:event:departure-approved",
    HrEvent.ACCOUNT_DISABLED: f"{_RISC}account-disabled",
    HrEvent.SESSION_REVOKED: "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
    HrEvent.VERIFICATION: "https://schemas.openid.net/secevent/ssf/event-type/verification",
}
_NUMBERS = {
    HrEvent.DEPARTURE_APPROVED: 3,
    HrEvent.ACCOUNT_DISABLED: 2,
    HrEvent.SESSION_REVOKED: 1,
    HrEvent.VERIFICATION: 0,
}

# Other names of the same events: each ends what its event ends, and none restores anything.
EVENTS: Mapping[str, HrEvent] = {uri: event for event, uri in _URIS.items()} | {
    f"{_RISC}account-purged": HrEvent.ACCOUNT_DISABLED,  # RISC 1.0 section 2.2
    f"{_RISC}sessions-revoked": HrEvent.SESSION_REVOKED,  # RISC 1.0 section 2.9, replaced by CAEP's
    f"{_SCIM}deactivate": HrEvent.ACCOUNT_DISABLED,  # RFC 9967
    f"{_SCIM}delete": HrEvent.ACCOUNT_DISABLED,
}


@dataclass(frozen=True, slots=True)
class SignedApproval:
    """An approver's own verified signature. ``role`` and the name of the ``person`` are pinned with the key.

    ``named``: the name of that person among the approvers of the event.
    """

    kid: str
    role: str
    person: str  # the person here
    at: datetime
    named: str = ""


@dataclass(frozen=True, slots=True)
class HrNotice:
    """One event about one employee. Instants are aware and in UTC."""

    iss: str
    jti: str
    kid: str
    iat: datetime
    toe: datetime  # when it happened: for a departure, when it was approved
    txn: str  # HR's case number; empty where the event needs none
    subject: str  # the person here; empty if unknown here, and for a verification
    event: HrEvent
    details: Mapping[str, Any]  # the members of the event
    approvals: tuple[SignedApproval, ...]
    claims: Mapping[str, Any]
    late: bool
    named: SubjectId | None = None  # how HR named the person; ``None`` for a verification, and in old rows

    @property
    def key(self) -> tuple[str, str]:
        """The identity of the event: issuer and number, never the token's bytes (RFC 8417 section 2.2)."""
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
                {
                    "kid": approval.kid,
                    "role": approval.role,
                    "person": approval.person,
                    "at": approval.at.isoformat(),
                    "named": approval.named,
                }
                for approval in self.approvals
            ],
            "claims": self.claims,
            "late": self.late,
            "named": list(self.named) if self.named else None,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "HrNotice":
        """Read what :meth:`to_json` wrote. Raises ``KeyError`` or ``ValueError`` otherwise."""
        approvals = tuple(
            SignedApproval(
                kid=approval["kid"],
                role=approval["role"],
                person=approval["person"],
                at=datetime.fromisoformat(approval["at"]),
                named=approval.get("named", approval["person"]),
            )
            for approval in record["approvals"]
        )
        return cls(
            iss=record["iss"],
            jti=record["jti"],
            kid=record["kid"],
            iat=datetime.fromisoformat(record["iat"]),
            toe=datetime.fromisoformat(record["toe"]),
            txn=record["txn"],
            subject=record["subject"],
            event=HrEvent(record["event"]),
            details=record["details"],
            approvals=approvals,
            claims=record["claims"],
            late=record["late"],
            named=SubjectId(*record["named"]) if record.get("named") else None,
        )


def instant(seconds: float) -> datetime:
    """Return a NumericDate (RFC 7519) as an instant; raise ``ValueError``, ``OverflowError`` or ``OSError``."""
    return datetime.fromtimestamp(seconds, UTC)

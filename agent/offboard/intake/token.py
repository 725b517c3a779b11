"""Is this token right? Bytes, pinned keys and the time go in; a :class:`HrNotice` or one named reason comes out.

The order is the defence: size → form → header → key and its algorithm → signature → strict reading → claims →
approvals. Nothing is believed before it is signed, and the header's only use is to find the key (RFC 8725). PyJWT does
the signatures; what it lets through and this profile does not is checked here: type, forbidden claims, doubled
members, empty numbers, several events. Pure: no file, no clock, no memory. Whether a token came before is for the
store to say, because that must be as durable as the answer.

**Approvals.** The claim ``approvals`` is a list of compact JWS, one from each approver's own key. Each is a statement
of the facts approved: its ``aud``, ``txn``, ``toe``, ``sub_id`` and ``events`` are the same JSON values as the
token's. Values are compared, not bytes or digests, so nobody needs a canonical form of JSON.
"""

from datetime import datetime
from typing import Any, Final

import jwt

from agent.offboard.intake import claims, json_strict
from agent.offboard.intake.notice import HrEvent, HrNotice, SignedApproval
from agent.offboard.intake.pinned_keys import PinnedKey, PinnedKeys
from agent.offboard.intake.reasons import BadTokenError

TYPE: Final = "secevent+jwt"
APPROVAL_TYPE: Final = "departure-approval+jwt"
APPROVED: Final = ("aud", "txn", "toe", "sub_id", "events")  # what an approver signs, besides own issuer and time

_HEADER = frozenset(("alg", "typ", "kid"))  # no jku, jwk, x5u, crit, b64 …: keys and rules come from the pinned file
_MOST_APPROVALS = 8


def verify(raw: bytes, keys: PinnedKeys, now: datetime) -> HrNotice:
    """Return what a token says; raise :class:`BadTokenError` and nothing else.

    A token that is old is right, and marked late: there is no ``exp``, and a late departure must not be lost.
    """
    key, said = _signed(raw.strip(b"\r\n"), keys, TYPE)
    if key.approves:
        raise BadTokenError("key-purpose", key.kid)
    claims.forbid(said)
    latest = now + keys.leeway
    issued = _not_after(latest, claims.moment(said, "iat"), "iat")
    what, details = claims.event(said)
    subject = claims.subject(said, key.iss)
    happened = _not_after(latest, claims.happened(said, what, details, issued), "toe")
    case = claims.case_number(said, what)
    approvals: tuple[SignedApproval, ...] = ()
    if what is HrEvent.DEPARTURE_APPROVED:
        claims.check_departure(details, subject, happened, latest)
        approvals = _approvals(said, subject, keys, latest)
    return HrNotice(
        iss=key.iss,
        jti=claims.identifier(said, "jti"),
        kid=key.kid,
        iat=issued,
        toe=happened,
        txn=case,
        subject=subject,
        event=what,
        details=details,
        approvals=approvals,
        claims=said,
        late=now - min(happened, issued) > keys.late_after,
    )


def _signed(token: bytes, keys: PinnedKeys, kind: str) -> tuple[PinnedKey, json_strict.Json]:
    """Return the key and the claims of a compact JWS of type *kind* with a right signature, issuer and audience."""
    head, payload, _ = json_strict.parts(token)
    header = json_strict.read(head)
    for name in header.keys() - _HEADER:
        raise BadTokenError("header", name)
    if header.get("typ") != kind:
        raise BadTokenError("type", str(header.get("typ")))
    kid = header.get("kid")
    key = keys.by_kid.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise BadTokenError("key-unknown", str(kid))
    if header.get("alg") != key.alg:
        raise BadTokenError("algorithm", str(header.get("alg")))
    json_strict.check_depth(payload)
    _check_signature(token, key, keys.audience)
    return key, json_strict.read(payload)


def _check_signature(token: bytes, key: PinnedKey, audience: str) -> None:
    """Let PyJWT check signature, issuer and audience. Times are ours to check: it would use its own clock."""
    try:
        jwt.decode_complete(
            token,
            key.public,
            algorithms=[key.alg],
            audience=audience,
            issuer=key.iss,
            options={
                "strict_aud": True,
                "require": ["iss", "aud"],
                "verify_iat": False,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_sub": False,
                "verify_jti": False,
                "enforce_minimum_key_length": True,
            },
        )
    except jwt.MissingRequiredClaimError as error:
        raise BadTokenError("claim-missing", error.claim) from error
    except jwt.InvalidAudienceError as error:
        raise BadTokenError("audience") from error
    except jwt.InvalidIssuerError as error:
        raise BadTokenError("issuer") from error
    except (jwt.InvalidSignatureError, jwt.InvalidKeyError) as error:
        raise BadTokenError("signature") from error
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise BadTokenError("not-json") from error


def _approvals(said: json_strict.Json, leaver: str, keys: PinnedKeys, latest: datetime) -> tuple[SignedApproval, ...]:
    """Check every approval in the token, and that there are enough of them by different people."""
    given = said.get("approvals", [])
    if not isinstance(given, list) or len(given) > _MOST_APPROVALS:
        raise BadTokenError("claim-wrong", "approvals")
    named = {approver["by"] for approver in said["events"][HrEvent.DEPARTURE_APPROVED.uri]["approvers"]}
    found: list[SignedApproval] = []
    for one in given:
        approval = _approval(one, said, keys, latest)
        if approval.person == leaver:
            raise BadTokenError("own-approval", leaver)
        if approval.person in (earlier.person for earlier in found):
            raise BadTokenError("approver-twice", approval.person)
        if approval.person not in named:
            raise BadTokenError("approver-not-named", approval.person)
        found.append(approval)
    if len(found) < keys.approvals_needed:
        raise BadTokenError("approvals-missing", f"{len(found)} < {keys.approvals_needed}")
    return tuple(found)


def _approval(token: Any, said: json_strict.Json, keys: PinnedKeys, latest: datetime) -> SignedApproval:
    if not isinstance(token, str) or not token.isascii():
        raise BadTokenError("approval-wrong")
    try:
        key, approved = _signed(token.encode("ascii"), keys, APPROVAL_TYPE)
        at = claims.moment(approved, "iat")
    except BadTokenError as error:
        raise BadTokenError("approval-wrong", error.reason) from error
    if not key.approves:
        raise BadTokenError("key-purpose", key.kid)
    for name in APPROVED:
        if name not in approved or not json_strict.same(approved[name], said[name]):
            raise BadTokenError("approval-of-something-else", name)
    return SignedApproval(key.kid, key.role, key.person, _not_after(latest, at, "approvals"))


def _not_after(latest: datetime, moment: datetime, name: str) -> datetime:
    """Refuse an instant beyond *latest*: it would also become a high-water mark that no right token reaches."""
    if moment > latest:
        raise BadTokenError("from-the-future", name)
    return moment

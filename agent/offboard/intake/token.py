"""Token verification: bytes, pinned keys and the time go in; a :class:`HrNotice` or one named reason comes out.

The order is the defence: size → form → header → key and its algorithm → signature → strict reading → claims →
approvals. Nothing is trusted before its signature is checked, and the header's only use is to find the key (RFC 8725).
PyJWT checks the signatures; what it allows and this profile does not is checked here: type, forbidden claims, repeated
members, empty numbers, several events. Pure: no file, no clock, no memory. Whether a token came before is decided by
the store, because that must be as durable as the answer.

**Approvals.** The claim ``approvals`` is a list of compact JWS, one from each approver's own key. Each is a statement
of the facts approved: its ``aud``, ``txn``, ``toe``, ``sub_id`` and ``events`` are the same JSON values as the
token's. Values are compared, not bytes or digests, so no canonical form of JSON is needed.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import partial
from typing import Any, Final

import jwt

from agent.offboard.intake import claims, json_strict
from agent.offboard.intake.notice import HrEvent, HrNotice, SignedApproval
from agent.offboard.intake.pinned_keys import PinnedKey, PinnedKeys
from agent.offboard.intake.reasons import AheadError, BadTokenError
from agent.offboard.intake.subject import Lookup, approver, subject_of, unmapped

TYPE: Final = "secevent+jwt"
APPROVAL_TYPE: Final = "departure-approval+jwt"
APPROVED: Final = ("aud", "txn", "toe", "sub_id", "events")  # what an approver signs, besides own issuer and time

_HEADER = frozenset(("alg", "typ", "kid"))  # no jku, jwk, x5u, crit, b64 …: keys and rules come from the pinned file
_MOST_APPROVALS = 8


def verify(raw: bytes, keys: PinnedKeys, now: datetime, lookup: Lookup = unmapped) -> HrNotice:
    """Return the notice of a token; raise :class:`BadTokenError`, and what *lookup* raises.

    An old token is right, and marked late: there is no ``exp``, and a late departure must not be lost. A token that is
    right and dated ahead of *now* raises :class:`AheadError`, within the limit of the keys: clocks differ.
    """
    key, payload = _signed(raw.strip(b"\r\n"), keys, TYPE)
    if key.approves:
        raise BadTokenError("key-purpose", key.kid)
    claims.forbid(payload)
    issued = claims.moment(payload, "iat")
    kind, details = claims.event(payload)
    named = None if kind is HrEvent.VERIFICATION else subject_of(payload, details, key.iss)
    person = named.person(key.iss, lookup) if named else ""
    happened = claims.happened(payload, kind, details, issued)
    case = claims.case_number(payload, kind)
    moments = {"iat": issued, "toe": happened}
    approvals: tuple[SignedApproval, ...] = ()
    if kind is HrEvent.DEPARTURE_APPROVED and named:
        leaver = {person, named.value} - {""}
        approver_id = partial(approver, issuer=key.iss, lookup=lookup)
        moments["at"] = max(claims.check_departure(details, leaver, happened, approver_id))
        named_as = {approver_id(str(approval["by"])): str(approval["by"]) for approval in details["approvers"]}
        approvals = _approvals(payload, leaver, named_as, keys, lookup)
        moments["approvals"] = max((approval.at for approval in approvals), default=issued)
    number = claims.identifier(payload, "jti")
    _in_time(moments, keys, now)
    return HrNotice(
        iss=key.iss,
        jti=number,
        kid=key.kid,
        iat=issued,
        toe=happened,
        txn=case,
        subject=person,
        event=kind,
        details=details,
        approvals=approvals,
        claims=payload,
        late=now - min(happened, issued) > keys.late_after,
        named=named,
    )


def _signed(token: bytes, keys: PinnedKeys, kind: str) -> tuple[PinnedKey, json_strict.Json]:
    """Return the key and the claims of a compact JWS of type *kind* with a right signature, issuer and audience."""
    head, payload, _ = json_strict.parts(token)
    header = json_strict.read(head)
    for name in header.keys() - _HEADER:
        raise BadTokenError("header", name)
    if _media_type(header.get("typ")) != kind:
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


def _media_type(typ: object) -> object:
    """Return a ``typ`` in one spelling: case and ``application/`` are ignored (RFC 7515 section 4.1.9)."""
    return typ.lower().removeprefix("application/") if isinstance(typ, str) else typ


def _check_signature(token: bytes, key: PinnedKey, audience: str) -> None:
    """Let PyJWT check signature, issuer and audience. Times are checked here: PyJWT would use its own clock."""
    try:
        decoded = jwt.decode_complete(
            token,
            key.public,
            algorithms=[key.alg],
            audience=audience,
            issuer=key.iss,
            options={
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
    if decoded["payload"]["aud"] not in (audience, [audience]):  # a list of one is the same; of more it is others', too
        raise BadTokenError("audience")


def _approvals(
    payload: json_strict.Json, leaver: AbstractSet[str], named_as: Mapping[str, str], keys: PinnedKeys, lookup: Lookup
) -> tuple[SignedApproval, ...]:
    """Check every approval in the token, and that there are enough of them by different people.

    The signer is the person whom the site maps to the name pinned with the key. *named_as*: the names of the approvers
    in the event, by person.
    """
    tokens = payload.get("approvals", [])
    if not isinstance(tokens, list) or len(tokens) > _MOST_APPROVALS:
        raise BadTokenError("claim-wrong", "approvals")
    approvals: list[SignedApproval] = []
    for token in tokens:
        key, at = _approval(token, payload, keys)
        person = approver(key.person, key.iss, lookup)
        if leaver & {key.person, person}:
            raise BadTokenError("own-approval", key.person)
        if person in (earlier.person for earlier in approvals):
            raise BadTokenError("approver-twice", key.person)
        if person not in named_as:
            raise BadTokenError("approver-not-named", key.person)
        approvals.append(SignedApproval(key.kid, key.role, person, at, named_as[person]))
    if len(approvals) < keys.approvals_needed:
        raise BadTokenError("approvals-missing", f"{len(approvals)} < {keys.approvals_needed}")
    return tuple(approvals)


def _approval(token: Any, payload: json_strict.Json, keys: PinnedKeys) -> tuple[PinnedKey, datetime]:
    """Return the key of an approval, and when it was signed."""
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
        if name not in approved or not json_strict.same(approved[name], payload[name]):
            raise BadTokenError("approval-of-something-else", name)
    return key, at


def _in_time(moments: Mapping[str, datetime], keys: PinnedKeys, now: datetime) -> None:
    """Refuse tokens dated ahead, after all other checks: such a date would be a mark that no right token reaches."""
    name, latest = max(moments.items(), key=lambda entry: entry[1])
    if latest <= now + keys.leeway:
        return
    if latest > now + keys.ahead:
        raise BadTokenError("from-the-future", name)
    raise AheadError(name, latest - keys.leeway)

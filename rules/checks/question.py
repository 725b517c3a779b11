"""Validity of a request: a registered resource, an action that applies, and registered subjects.

Rules of this file: these results need no person. What is not in the facts does not exist and is denied.
"""

from rules.model import Action, Request, Resource, RuleResult
from rules.text import Message

_DOUBT = Message("rules.badge-read-untrusted")
_DOUBTS = {
    "stale": Message("rules.badge-read-stale"),
    "insecure": Message("rules.badge-read-unauthenticated"),
    "copied": Message("rules.badge-copied"),
    "clock": Message("rules.clock-went-back"),
}
_IN_ROOMS = frozenset({Action.ENTER, Action.EXIT})


def resource(request: Request) -> RuleResult:
    """Return the denial for a resource that is not registered."""
    return RuleResult(
        rule="unknown-resource",
        ok=False,
        because=Message("rules.resource-not-registered", resource=request.resource),
        change=Message("rules.register-area-or-room"),
    )


def leaving() -> RuleResult:
    """Everyone may leave a room, registered or not: in a fire no one may wait for a verdict."""
    return RuleResult(rule="exit", ok=True, because=Message("common.leaving-room-always-allowed"))


def action(request: Request, place: Resource) -> RuleResult | None:
    """Rooms are entered; areas are opened, listed and read. Any other action is an error of the caller."""
    is_room = place.room is not None
    if (request.action in _IN_ROOMS) == is_room:
        return None
    return RuleResult(
        rule="action",
        ok=False,
        because=Message(
            "rules.action-not-for-rooms" if is_room else "rules.action-not-for-areas", action=request.action
        ),
        change=Message("rules.request-fitting-action"),
    )


def doubt(request: Request) -> RuleResult | None:
    """A badge read that cannot be trusted opens nothing, whatever badge it shows."""
    if not request.doubt:
        return None
    return RuleResult(
        rule="doubt",
        ok=False,
        because=_DOUBTS.get(request.doubt, _DOUBT),
        change=Message("rules.present-badge-again"),
    )


def nobody(request: Request) -> RuleResult | None:
    """Every subject of the request is a registered person or service account (contract C4)."""
    if request.nobody:
        because = Message("rules.subject-unknown", subject=request.nobody)
    elif not request.persons and not request.service:
        because = Message("rules.no-known-subject")
    else:
        return None
    change = Message("rules.register-account-or-service")
    return RuleResult(rule="nobody", ok=False, because=because, change=change)

"""Service accounts 服务账户: a program has access only to the areas its account names.

Rules of this file: the caller has matched uid and executable already; a service holds no level, needs no grant, enters
no room, and adds no right to the persons behind it.
"""

from rules.model import Facts, Request, Resource, RuleResult, Service
from rules.text import Message, Sentence


def service(request: Request, facts: Facts, place: Resource) -> RuleResult:
    """The service account of the request is active and names the area."""
    trouble = _trouble(request.service, facts.services.get(request.service), place)
    if trouble is None:
        return RuleResult("service", True, Message("rules.service-names-area", service=request.service))
    return RuleResult(
        rule="service",
        ok=False,
        because=trouble,
        change=Message("rules.change-service"),
    )


def _trouble(name: str, account: Service | None, place: Resource) -> Sentence | None:
    if account is None:
        return Message("rules.service-not-registered", service=name)
    if not account.active:
        return Message("rules.service-not-active", service=name)
    if place.room is not None:
        return Message("rules.service-cannot-enter-rooms", service=name)
    if place.id not in account.areas:
        return Message("rules.service-does-not-name-area", service=name)
    return None

"""Eligibility of the caller of an act, and of people it names, to act as an officer.

Rules of this file: the registry is queried at every act, because a hold counts from the moment it is placed, and
membership of an OS group lasts longer. A person unknown to the registry is judged by role alone. The agent's own
account belongs to no person.
"""

from agent.control.dispatch import HandlerRequest
from agent.errors import ForbiddenError
from rules.eligibility import why_ineligible
from rules.model import Person
from rules.text import Message, Sentence
from rules.visible import visible


def check(request: HandlerRequest) -> None:
    """Raise :class:`ForbiddenError` when the person of the calling account may not act as an officer."""
    facts, uid = request.site.facts, request.peer.uid
    person = facts.person_of_uid(uid)
    if person is None and (former := facts.former_owner(uid)):
        shown_owner = visible(former)
        raise ForbiddenError(
            Message("control.uid-unbound", uid=uid, person=shown_owner),
            Message("control.rebind-account", uid=uid),
        )
    reason = absence(request, person) if person else None
    if reason:
        raise ForbiddenError(
            Message("control.person-may-not-act", reason=reason),
            Message("control.ask-another-officer"),
        )


def absence(request: HandlerRequest, person: str) -> Sentence | None:
    """Return why *person* may not act now; ``None`` if they may, or are not registered."""
    registered = find_person(request, person)
    return why_ineligible(registered, request.at) if registered else None


def find_person(request: HandlerRequest, person: str) -> Person | None:
    """Return the registered person with this id, ``None`` when there is none."""
    _, facts = request.site.facts.facts([person], "")
    return facts.persons.get(person)

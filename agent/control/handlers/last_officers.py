"""Last officers of a site: one notice of the personnel system alone cannot remove them from office (C12).

Rules of this file: a member of the role's group counts if they are in office, or if the account belongs to no
registered person. The second source is an officer's own act: a case they opened, or a hold.
"""

from agent.api.roles import Role
from agent.control.dispatch import HandlerRequest
from agent.control.eligibility import absence, find_person
from agent.control.handlers.case_transitions import roles_held
from agent.errors import RefusedError
from agent.runtime import os_groups
from rules.text import Message
from rules.visible import visible


def require_second_source(request: HandlerRequest, person: str) -> None:
    """Raise :class:`RefusedError` when *person* alone holds a role and no officer has confirmed the departure."""
    if absence(request, person) or _opened_by_an_officer(request, person):
        return
    facts, (held, _) = request.site.facts, roles_held(request, person)
    for role in sorted(held):
        uids = os_groups.members(request.site.role_groups(), role, facts.accounts)
        owners = {facts.person_of_uid(uid) for uid in uids} - {person}
        if not any(owner is None or absence(request, owner) is None for owner in owners):
            shown_person = visible(person)
            raise RefusedError(
                Message("control.last-officer-needs-second-source", person=shown_person, role=Role(role).text),
                Message("control.place-hold-then-release", person=shown_person),
            )


def _opened_by_an_officer(request: HandlerRequest, person: str) -> bool:
    opened = {case.opened_by for case in request.site.lists.cases.find(person)} - {person}
    return any(find_person(request, by) for by in opened if by)

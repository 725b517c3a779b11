"""The last officers of a site: one notice of the personnel system alone takes none of them out of office (C12).

Rules of this file: somebody counts who is in the role's group now and in office; an account of nobody the registry
knows counts too. The second source is an officer's own act: a case they have opened, or a hold.
"""

from agent.control.dispatch import HandlerRequest
from agent.control.eligibility import absence, known
from agent.control.handlers.case_transitions import roles_held
from agent.errors import RefusedError
from agent.runtime import os_groups
from rules.text import Text
from rules.visible import visible


def require_second_source(request: HandlerRequest, person: str) -> None:
    """Raise :class:`RefusedError` when *person* alone holds a role, and no officer has vouched that they leave."""
    if absence(request, person) or _opened_by_an_officer(request, person):
        return
    facts, (held, _) = request.site.facts, roles_held(request, person)
    for role in sorted(held):
        uids = os_groups.members(request.site.role_groups(), role, facts.accounts)
        owners = {facts.person_of_uid(uid) for uid in uids} - {person}
        if not any(owner is None or absence(request, owner) is None for owner in owners):
            said = visible(person)
            raise RefusedError(
                Text(
                    f"`{said}` is the last {role} officer in office, and one notice alone does not end that",
                    f"`{said}` 是该角色（{role}）仅剩的在岗人员，仅凭一份通知不能终止其职务",
                ),
                Text(
                    f"another officer: shoumi hold add {said} --reason WHY, then shoumi case release {said}",
                    f"由另一名管理员：shoumi hold add {said} --reason 理由，再 shoumi case release {said}",
                ),
            )


def _opened_by_an_officer(request: HandlerRequest, person: str) -> bool:
    opened = {case.opened_by for case in request.site.lists.cases.find(person)} - {person}
    return any(known(request, by) for by in opened if by)

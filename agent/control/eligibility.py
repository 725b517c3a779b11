"""Whether the caller of an act, or whom it names, may act for others at all.

Rules of this file: the registry is asked at every act, because a hold counts from the moment it is placed, and an OS
group keeps its members longer than that. Somebody the registry does not know is judged by his role alone. The agent
itself is nobody's account.
"""

from agent.control.dispatch import HandlerRequest
from agent.errors import ForbiddenError
from rules.eligibility import why_ineligible
from rules.model import Person
from rules.text import Text
from rules.visible import visible


def check(request: HandlerRequest) -> None:
    """Raise :class:`ForbiddenError` when the person of the calling account may act for nobody."""
    facts, uid = request.site.facts, request.peer.uid
    person = facts.person_of_uid(uid)
    if person is None and (former := facts.former_owner(uid)):
        said = visible(former)
        raise ForbiddenError(
            Text(
                f"uid {uid} was taken from `{said}`, and acts for nobody",
                f"uid {uid} 已从 `{said}` 收回，不得办理任何事项",
            ),
            Text(f"bind it again: shoumi account add PERSON {uid}", f"请重新绑定：shoumi account add 人员 {uid}"),
        )
    why = absence(request, person) if person else None
    if why:
        raise ForbiddenError(
            Text(f"{why.en}, and acts for nobody", f"{why.zh}，不得办理任何事项"),
            Text("let another officer do it", "请由其他管理员办理"),
        )


def absence(request: HandlerRequest, person: str) -> Text | None:
    """Return why *person* may act for nobody now; ``None`` for who may, and for who is not registered."""
    found = known(request, person)
    return why_ineligible(found, request.at) if found else None


def known(request: HandlerRequest, person: str) -> Person | None:
    """Return a registered person, ``None`` when nobody has this id."""
    _, facts = request.site.facts.facts([person], "")
    return facts.persons.get(person)

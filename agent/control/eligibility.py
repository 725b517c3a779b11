"""Whether the caller of an act, or whom it names, may act for others at all.

Rules of this file: the registry is asked at every act, because a hold counts from the moment it is placed, and an OS
group keeps its members longer than that. Somebody the registry does not know is judged by his role alone. The agent
itself is nobody's account.
"""

from agent.control.dispatch import Ask
from agent.errors import Forbidden
from rules.eligibility import out_of_office
from rules.model import Person
from rules.text import Text


def check(ask: Ask) -> None:
    """Raise :class:`Forbidden` when the person of the calling account may act for nobody."""
    person = ask.desk.facts.person_of_uid(ask.peer.uid)
    why = absence(ask, person) if person else None
    if why:
        raise Forbidden(
            Text(f"{why.en}, and acts for nobody", f"{why.zh}，不得办理任何事项"),
            Text("let another officer do it", "请由其他管理员办理"),
        )


def absence(ask: Ask, person: str) -> Text | None:
    """Return why *person* may act for nobody now; ``None`` for who may, and for who is not registered."""
    found = known(ask, person)
    return out_of_office(found, ask.at) if found else None


def known(ask: Ask, person: str) -> Person | None:
    """Return a registered person, ``None`` when nobody has this id."""
    _, facts = ask.desk.facts.facts([person], "")
    return facts.persons.get(person)

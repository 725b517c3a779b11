"""Open ties of a leaver: custody, roles and pinned keys of the personnel system in which they are still named.

Rules of this file: computed anew each time. Keys that cannot be read keep the case open, too.
"""

from agent.control.dispatch import HandlerRequest
from agent.control.handlers.case_transitions import roles_held
from agent.errors import RefusedError
from agent.offboard.intake import pinned_keys
from agent.offboard.intake.subject import approver
from rules.offboarding.case import OffboardingCase
from rules.offboarding.keeping import Kept, kept
from rules.text import Message


def still_kept(request: HandlerRequest, case: OffboardingCase) -> tuple[Kept, ...]:
    """Return the ties to hand over before papers are released and *case* is closed; none for a case that is over."""
    if case.closed or case.rescinded:
        return ()
    lists = request.site.lists
    places = [str(row["name"]) for row in (*lists.areas.find(), *lists.rooms.find()) if row["custodian"] == case.person]
    _, sole = roles_held(request, case.person)
    keys: list[str] = []
    unread: list[Kept] = []
    try:
        keys = _keys(request, case.person)
    except RefusedError as error:
        sentence = Message("control.approver-unverified", error=error.text)
        unread = [Kept(sentence, error.hint or Message("control.see-doctor"))]
    return (*kept(places, sorted(sole), keys), *unread)


def _keys(request: HandlerRequest, person: str) -> list[str]:
    file = pinned_keys.path(request.site.home.root)
    if not file.exists():
        return []
    person_of = request.site.lists.hr_subjects.person
    pinned = pinned_keys.load(file).by_kid.items()
    return sorted(kid for kid, key in pinned if key.approves and approver(key.person, key.iss, person_of) == person)

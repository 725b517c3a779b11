"""Where a leaver is still named, as the registry, the host and the pinned keys of the personnel system say now.

Rules of this file: seen, never remembered. Keys that cannot be read are one thing more that keeps the case open.
"""

from agent.control.dispatch import HandlerRequest
from agent.control.handlers.case_transitions import roles_held
from agent.errors import RefusedError
from agent.offboard.intake import pinned_keys
from agent.offboard.intake.subject import approver
from rules.offboarding.case import OffboardingCase
from rules.offboarding.keeping import Kept, kept
from rules.text import Text


def still_kept(request: HandlerRequest, case: OffboardingCase) -> tuple[Kept, ...]:
    """Return what the person of *case* has to hand over before papers and closing; nothing for a case that is over."""
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
        said = Text(f"an approver, perhaps: {error.text.en}", f"可能仍是审批人：{error.text.zh}")
        unread = [Kept(said, error.hint or Text("see `shoumi doctor`", "参见 `shoumi doctor`"))]
    return (*kept(places, sorted(sole), keys), *unread)


def _keys(request: HandlerRequest, person: str) -> list[str]:
    file = pinned_keys.path(request.site.home.root)
    if not file.exists():
        return []
    known = request.site.lists.hr_subjects.person
    pinned = pinned_keys.load(file).by_kid.items()
    return sorted(kid for kid, key in pinned if key.approves and approver(key.person, key.iss, known) == person)

"""Handlers: quarantined files of the personnel system, and their release for another check.

Rules of this file: a release is an officer's act, recorded before the file moves. The token is verified and ordered
like a new one, and the reason for the quarantine is checked again. A token that arrived too late gets a new date: by
releasing it the officer accepts it.
"""

from collections.abc import Iterator

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.eligibility import find_person
from agent.errors import RefusedError
from agent.offboard import database
from agent.offboard.intake import quarantine
from agent.offboard.intake.store import Store
from agent.offboard.intake.subject import SubjectId
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.runtime.home import Home
from rules.text import Message
from rules.visible import visible

handlers = HandlerTable()


def waiting_for(home: Home, person: str) -> list[str]:
    """Return the references of HR tokens quarantined because *person* was not registered."""
    tokens = quarantine.quarantined(home.root / "spool")
    return [token.reference for token in tokens if (token.person, token.reason) == (person, quarantine.UNKNOWN)]


@handlers.stream("case.quarantine")
def _quarantine(request: HandlerRequest) -> Iterator[Json]:
    for token in quarantine.quarantined(request.site.home.root / "spool"):
        yield {**token._asdict(), "text": token.text.to_json(), "key": list(token.key)}


@handlers.act("case.release")
def _release(request: HandlerRequest, _change: RegistryTransaction) -> HandlerResult:
    spool, name = request.site.home.root / "spool", request.args.text("name")
    tokens = [
        token for token in quarantine.quarantined(spool) if name in {token.name, token.person, token.named} - {""}
    ]
    if not tokens:
        shown_name = visible(name)
        raise RefusedError(
            Message("control.quarantine-no-match", name=shown_name),
            Message("control.see-quarantine"),
        )
    for token in tokens:
        if token.reason == quarantine.UNKNOWN:  # otherwise it would be quarantined again
            _require_person(request, token)

    def move() -> dict[str, Json]:
        with Store(database.path(request.site.home.root)) as store:
            for token in tokens:
                store.release(token.key, request.at)
        for token in tokens:
            quarantine.release(spool, token.name)
        return {}

    released = [token.name for token in tokens]
    return HandlerResult({"released": released}, {"released": released, "person": tokens[0].person}, on_ack=move)


def _require_person(request: HandlerRequest, aside: quarantine.Aside) -> None:
    """Refuse while the person whom a token names is not registered."""
    if not aside.sub_id:  # quarantined by a version that knew employee numbers only
        _registered(request, aside.person)
        return
    name = SubjectId(*aside.sub_id)
    person = name.person(aside.key[0], request.site.lists.hr_subjects.person)
    if not person:
        shown_name = visible(str(name))
        raise RefusedError(
            Message("control.hr-name-unassigned", name=shown_name),
            Message("control.see-hr-subject-help"),
        )
    _registered(request, person)


def _registered(request: HandlerRequest, person: str) -> None:
    if find_person(request, person) is None:
        shown_person = visible(person)
        raise RefusedError(
            Message("control.person-not-found", person=shown_person),
            Message("control.register-person-or-number", person=shown_person),
        )

"""Handlers: what the personnel system sent and nothing could be done about, and letting it be judged once more.

Rules of this file: a release is an officer's act and in the log before the file moves. It decides nothing: the token is
verified, looked up and ordered like one that has just come.
"""

from collections.abc import Iterator

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.case_transitions import registered
from agent.errors import RefusedError
from agent.offboard.intake import quarantine
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.runtime.home import Home
from rules.text import Text
from rules.visible import visible

handlers = HandlerTable()


def waiting_for(home: Home, person: str) -> list[str]:
    """Return the numbers of the cases in which HR has sent something about *person* while nobody was called that."""
    found = quarantine.quarantined(home.root / "spool")
    return [one.reference for one in found if (one.person, one.reason) == (person, quarantine.UNKNOWN)]


@handlers.stream("case.quarantine")
def _quarantine(request: HandlerRequest) -> Iterator[Json]:
    for one in quarantine.quarantined(request.site.home.root / "spool"):
        yield {**one._asdict(), "text": one.text.to_json()}


@handlers.act("case.release")
def _release(request: HandlerRequest, _change: RegistryTransaction) -> HandlerResult:
    spool, name = request.site.home.root / "spool", request.args.text("name")
    found = [one for one in quarantine.quarantined(spool) if name in (one.name, one.person)]
    if not found:
        said = visible(name)
        raise RefusedError(
            Text(
                f"nothing in quarantine is called `{said}` or is about `{said}`", f"隔离区中没有 `{said}` 或其相关令牌"
            ),
            Text("see: shoumi case quarantine", "查看：shoumi case quarantine"),
        )
    for one in found:
        registered(request, one.person)  # else it would only be put aside again

    def move() -> dict[str, Json]:
        for one in found:
            quarantine.release(spool, one.name)
        return {}

    released = [one.name for one in found]
    return HandlerResult({"released": released}, {"released": released, "person": found[0].person}, on_ack=move)

"""Handlers: what the personnel system sent and nothing could be done about, and letting it be judged once more.

Rules of this file: a release is an officer's act and in the log before the file moves. The token is verified, looked up
and ordered like one that has just come, and what kept it aside is asked again. One that came too late is dated anew:
by releasing it the officer says that it counts all the same.
"""

from collections.abc import Iterator

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.eligibility import known
from agent.errors import RefusedError
from agent.offboard import database
from agent.offboard.intake import quarantine
from agent.offboard.intake.store import Store
from agent.offboard.intake.subject import SubjectId
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
        yield {**one._asdict(), "text": one.text.to_json(), "key": list(one.key)}


@handlers.act("case.release")
def _release(request: HandlerRequest, _change: RegistryTransaction) -> HandlerResult:
    spool, name = request.site.home.root / "spool", request.args.text("name")
    found = [one for one in quarantine.quarantined(spool) if name in {one.name, one.person, one.named} - {""}]
    if not found:
        said = visible(name)
        raise RefusedError(
            Text(
                f"nothing in quarantine is called `{said}` or is about `{said}`", f"隔离区中没有 `{said}` 或其相关令牌"
            ),
            Text("see: shoumi case quarantine", "查看：shoumi case quarantine"),
        )
    for one in found:
        if one.reason == quarantine.UNKNOWN:  # else it would only be put aside again
            _known(request, one)

    def move() -> dict[str, Json]:
        with Store(database.path(request.site.home.root)) as store:
            for one in found:
                store.release(one.key, request.at)
        for one in found:
            quarantine.release(spool, one.name)
        return {}

    released = [one.name for one in found]
    return HandlerResult({"released": released}, {"released": released, "person": found[0].person}, on_ack=move)


def _known(request: HandlerRequest, aside: quarantine.Aside) -> None:
    """Refuse while nobody here is the person whom a token names."""
    if not aside.sub_id:  # put aside when only employee numbers were understood
        _registered(request, aside.person)
        return
    name = SubjectId(*aside.sub_id)
    person = name.person(aside.key[0], request.site.lists.hr_subjects.person)
    if not person:
        said = visible(str(name))
        raise RefusedError(
            Text(f"nothing says whose the name `{said}` is", f"未登记 `{said}` 对应的人员"),
            Text("see: shoumi hr subject add --help", "查看：shoumi hr subject add --help"),
        )
    _registered(request, person)


def _registered(request: HandlerRequest, person: str) -> None:
    if known(request, person) is None:
        said = visible(person)
        raise RefusedError(
            Text(f"there is no person `{said}`", f"没有人员 `{said}`"),
            Text(
                f"first `shoumi person add {said}`; or, if it is a number of somebody here:"
                f" `shoumi hr subject add PERSON --number {said}`",
                f"请先运行 `shoumi person add {said}`；如为本单位人员的编号，请运行"
                f" `shoumi hr subject add 人员 --number {said}`",
            ),
        )

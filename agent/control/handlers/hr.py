"""Handlers: names of people in the personnel system, and alarms about its channel.

Rules of this file: each kind of trouble has one open alarm until it is acknowledged, so that many invalid files do not
bury other alarms; each file has its own log entry.
"""

from collections.abc import Iterator

from agent.api.operations.schema import Arguments
from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.case_transitions import by_itself, registered
from agent.errors import ForbiddenError, UsageError
from agent.offboard.intake.subject import SubjectId, normal
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Message, Text

ALARM = "hr-"  # prefix of the kinds of these alarms

handlers = HandlerTable()


@handlers.act("hr.subject.add")
def _add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    name, person = _name(request.args), request.args.text("person")
    registered(request, person)
    change.hr_subjects.add(name.format, name.iss, name.value, person, by=request.officer())
    return HandlerResult({"person": person, "name": str(name)})


@handlers.act("hr.subject.remove")
def _remove(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    name = _name(request.args)
    person = change.hr_subjects.remove(name.format, name.iss, name.value)
    return HandlerResult({"person": person, "name": str(name)}, {"person": person})


@handlers.stream("hr.subject.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    return iter(request.site.lists.hr_subjects.all())


@handlers.act("hr.alarm")
def _alarm(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    if not by_itself(request):
        raise ForbiddenError(Message("control.agent-raises-hr-alarms"))
    args = request.args
    kind = ALARM + args.text("word")
    if any(row["kind"] == kind for row in request.site.lists.alarms.find()):
        return HandlerResult({"alarm": None})
    text = Text(args.text("en"), args.text("zh"))
    return HandlerResult({"alarm": change.alarms.add(kind, text, person=args.text("person"))})


def _name(args: Arguments) -> SubjectId:
    """Return the name given. Raises :class:`UsageError` for none, several, or an incomplete one."""
    number, email, iss, sub = (args.text(name) for name in ("number", "email", "iss", "sub"))
    names = [SubjectId("number", number)] * bool(number) + [SubjectId("email", email)] * bool(email)
    if iss and sub:
        names.append(SubjectId("iss_sub", sub, iss))
    if len(names) != 1 or bool(iss) != bool(sub):
        raise UsageError(
            Message("control.one-name-required"),
            Message("control.name-options"),
        )
    return normal(names[0])

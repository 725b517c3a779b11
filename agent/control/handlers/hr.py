"""Handlers: how the personnel system names people, and alarms about its channel.

Rules of this file: of one sort of trouble there is one alarm until somebody has acknowledged it, or a heap of wrong
files would bury every other alarm; each file has its own entry in the log.
"""

from collections.abc import Iterator

from agent.api.operations.schema import Arguments
from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.case_transitions import by_itself, registered
from agent.errors import ForbiddenError, UsageError
from agent.offboard.intake.subject import SubjectId, normal
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Text

ALARM = "hr-"  # the beginning of the kinds of these alarms

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
        raise ForbiddenError(Text("only the agent itself raises alarms", "仅代理自身可报警"))
    args = request.args
    kind = ALARM + args.text("word")
    if any(row["kind"] == kind for row in request.site.lists.alarms.find()):
        return HandlerResult({"alarm": None})
    text = Text(args.text("en"), args.text("zh"))
    return HandlerResult({"alarm": change.alarms.add(kind, text, person=args.text("person"))})


def _name(args: Arguments) -> SubjectId:
    """Return the one name that was given. Raises :class:`UsageError` for none, several, or half of one."""
    number, email, iss, sub = (args.text(name) for name in ("number", "email", "iss", "sub"))
    found = [SubjectId("number", number)] * bool(number) + [SubjectId("email", email)] * bool(email)
    if iss and sub:
        found.append(SubjectId("iss_sub", sub, iss))
    if len(found) != 1 or bool(iss) != bool(sub):
        raise UsageError(
            Text("exactly one name is needed", "须且仅须给出一种名称"),
            Text("--number N, --email ADDRESS, or --iss ISSUER --sub NUMBER", "--number、--email，或 --iss 与 --sub"),
        )
    return normal(found[0])

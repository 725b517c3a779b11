"""Handlers: duties of offboarding cases between approval and closing, and queries about cases."""

from collections.abc import Iterator
from datetime import date

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.control.handlers.case_keeping import still_kept
from agent.control.handlers.case_transitions import by_the_rules, by_whom, day, moved, not_own, today
from agent.control.handlers.case_view import batches, brief, case_json
from agent.errors import UsageError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.validation import identifier
from rules.offboarding import cooling_off, duties
from rules.offboarding.case import HandoverItem
from rules.offboarding.measure import Keeper, MeasureEnd, MeasureTaken
from rules.text import Message, foreign
from rules.visible import visible

handlers = HandlerTable()

_LINE = Message("control.hand-over-item")


@handlers.act("case.add-line")
def _add_line(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, case = request.args, change.cases.get(request.args.text("person"))
    description, to = visible(args.text("what")), visible(args.text("to"))
    line = HandoverItem(identifier(args.text("line"), _LINE), foreign(description), foreign(to))
    with by_the_rules():
        return moved(request, change, case, duties.add_item(case, line, request.officer()))


@handlers.act("case.hand-over")
def _hand_over(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, case, by = request.args, change.cases.get(request.args.text("person")), by_whom(request)
    not_own(request, case)
    with by_the_rules():
        if "missing" in args:
            after = duties.write_off(case, args.text("line"), by, request.at, args.text("missing"))
        else:
            after = duties.hand_over(case, args.text("line"), by, request.at)
        return moved(request, change, case, after)


@handlers.act("case.educate")
def _educate(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case, by = change.cases.get(request.args.text("person")), by_whom(request)
    not_own(request, case)
    with by_the_rules():
        return moved(request, change, case, duties.educate(case, by, request.at, request.args.text("note")))


@handlers.act("case.exam")
def _exam(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case, by = change.cases.get(request.args.text("person")), by_whom(request)
    not_own(request, case)
    with by_the_rules():
        after = duties.examine(case, by, request.at, passed=not request.args.flag("failed"))
        return moved(request, change, case, after)


@handlers.act("case.sign")
def _sign(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case, by = change.cases.get(request.args.text("person")), by_whom(request)
    not_own(request, case)
    with by_the_rules():
        return moved(request, change, case, duties.sign(case, request.args.text("document"), by, request.at))


@handlers.act("case.cool-off")
def _cool_off(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, case, by = request.args, change.cases.get(request.args.text("person")), by_whom(request)
    not_own(request, case)
    if ("until" in args) == args.flag("none"):
        raise UsageError(Message("control.until-or-none"))
    with by_the_rules():
        after = duties.decide_period(case, args.instant("until"), by, request.at, args.text("reason"))
        return moved(request, change, case, after)


@handlers.act("case.papers")
def _papers(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case, by = change.cases.get(request.args.text("person")), by_whom(request)
    not_own(request, case)
    with by_the_rules():
        return moved(request, change, case, duties.release_papers(case, by, request.at, still_kept(request, case)))


@handlers.act("case.close")
def _close(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case, by = change.cases.get(request.args.text("person")), by_whom(request)
    not_own(request, case)
    with by_the_rules():
        return moved(request, change, case, duties.close(case, by, request.at, still_kept(request, case)))


@handlers.act("case.measure")
def _measure(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, case, by = request.args, change.cases.get(request.args.text("person")), by_whom(request)
    not_own(request, case)
    taken = MeasureTaken(
        measure=args.text("measure"),
        by=by,
        at=request.at,
        day=_on(request),
        paper=args.text("paper"),
        party=args.text("party"),
        item=args.text("item"),
        note=args.text("note"),
        keeper=Keeper(args.text("to")) if "to" in args else None,
    )
    with by_the_rules():
        return moved(request, change, case, cooling_off.take(case, taken, today(request)))


@handlers.act("case.end-measure")
def _end_measure(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, case, by = request.args, change.cases.get(request.args.text("person")), by_whom(request)
    not_own(request, case)
    ended = MeasureEnd(by, request.at, _on(request), args.text("paper"))
    with by_the_rules():
        after = cooling_off.end(case, args.text("measure"), args.text("item"), ended, today(request))
        return moved(request, change, case, after)


def _on(request: HandlerRequest) -> date:
    return day(request.args.text("on"), "on") if "on" in request.args else today(request)


@handlers.read("case.show")
def _show(request: HandlerRequest) -> Json:
    case = request.site.lists.cases.get(request.args.text("person"))
    return case_json(case, request.at, today(request), still_kept(request, case))


@handlers.read("case.status")
def _status(request: HandlerRequest) -> Json:
    case = request.site.lists.cases.get(request.args.text("person"))
    return brief(case, request.at, today(request), still_kept(request, case))


@handlers.stream("case.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    args = request.args
    cases = request.site.lists.cases.find(args.text("person"), batch=args.text("batch"), over=args.flag("all"))
    return iter([brief(case, request.at, today(request)) for case in cases])


@handlers.stream("case.batches")
def _batches(request: HandlerRequest) -> Iterator[Json]:
    return iter(batches(request.site.lists.cases.find(over=request.args.flag("all")), today(request)))

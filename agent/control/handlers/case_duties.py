"""Handlers: departure cases, what is owed between approval and closing, and what can be asked about a case."""

from collections.abc import Iterator

from agent.control.dispatch import HandlerRequest, HandlerResult, Json, act, read, stream
from agent.control.handlers.case_transitions import by_the_rules, by_whom, moved, not_own, today
from agent.control.handlers.case_view import brief, shown
from agent.errors import UsageError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.registry.validation import identifier
from rules.offboarding import duties
from rules.offboarding.case import HandoverItem
from rules.text import Text
from rules.visible import visible

_LINE = Text("line", "移交项")


@act("case.add-line")
def _add_line(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, case = ask.args, change.cases.get(ask.args.text("person"))
    what, to = visible(args.text("what")), visible(args.text("to"))
    item = HandoverItem(identifier(args.text("line"), _LINE), Text(what, what), Text(to, to))
    with by_the_rules():
        return moved(ask, change, case, duties.add_item(case, item, ask.officer()))


@act("case.hand-over")
def _hand_over(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, case, by = ask.args, change.cases.get(ask.args.text("person")), by_whom(ask)
    not_own(ask, case)
    with by_the_rules():
        if "missing" in args:
            after = duties.write_off(case, args.text("line"), by, ask.at, args.text("missing"))
        else:
            after = duties.hand_over(case, args.text("line"), by, ask.at)
        return moved(ask, change, case, after)


@act("case.educate")
def _educate(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case, by = change.cases.get(ask.args.text("person")), by_whom(ask)
    not_own(ask, case)
    with by_the_rules():
        return moved(ask, change, case, duties.educate(case, by, ask.at, ask.args.text("note")))


@act("case.exam")
def _exam(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case, by = change.cases.get(ask.args.text("person")), by_whom(ask)
    not_own(ask, case)
    with by_the_rules():
        after = duties.examine(case, by, ask.at, passed=not ask.args.flag("failed"))
        return moved(ask, change, case, after)


@act("case.sign")
def _sign(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case, by = change.cases.get(ask.args.text("person")), by_whom(ask)
    not_own(ask, case)
    with by_the_rules():
        return moved(ask, change, case, duties.sign(case, ask.args.text("document"), by, ask.at))


@act("case.cool-off")
def _cool_off(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    args, case, by = ask.args, change.cases.get(ask.args.text("person")), by_whom(ask)
    not_own(ask, case)
    if ("until" in args) == args.flag("none"):
        raise UsageError(Text("give either --until or --none", "请在 --until 与 --none 中选择其一"))
    with by_the_rules():
        after = duties.decide_period(case, args.instant("until"), by, ask.at, args.text("reason"))
        return moved(ask, change, case, after)


@act("case.papers")
def _papers(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case, by = change.cases.get(ask.args.text("person")), by_whom(ask)
    not_own(ask, case)
    with by_the_rules():
        return moved(ask, change, case, duties.release_papers(case, by, ask.at))


@act("case.close")
def _close(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    case, by = change.cases.get(ask.args.text("person")), by_whom(ask)
    not_own(ask, case)
    with by_the_rules():
        return moved(ask, change, case, duties.close(case, by, ask.at))


@read("case.show")
def _show(ask: HandlerRequest) -> Json:
    return shown(ask.desk.lists.cases.get(ask.args.text("person")), ask.at, today(ask))


@read("case.status")
def _status(ask: HandlerRequest) -> Json:
    return brief(ask.desk.lists.cases.get(ask.args.text("person")), ask.at, today(ask))


@stream("case.list")
def _list(ask: HandlerRequest) -> Iterator[Json]:
    cases = ask.desk.lists.cases.find(ask.args.text("person"), over=ask.args.flag("all"))
    return iter([brief(case, ask.at, today(ask)) for case in cases])

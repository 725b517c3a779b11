"""Handlers: the site's calendar."""

from collections.abc import Iterator
from datetime import date

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.errors import UsageError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Message
from rules.visible import visible

handlers = HandlerTable()


@handlers.act("holiday.add")
def _add(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    day = _day(request.args.text("day"))
    change.holidays.add(day, name=request.args.text("name"))
    return HandlerResult({"day": day.isoformat()})


@handlers.act("holiday.remove")
def _remove(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    day = _day(request.args.text("day"))
    change.holidays.remove(day)
    return HandlerResult({"day": day.isoformat()})


@handlers.stream("holiday.list")
def _list(request: HandlerRequest) -> Iterator[Json]:
    return iter(request.site.lists.holidays.all())


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        shown_day = visible(text)
        raise UsageError(Message("control.date-invalid", text=shown_day), Message("control.date-format")) from None

"""Handlers: the site's calendar."""

from collections.abc import Iterator
from datetime import date

from agent.control.dispatch import HandlerRequest, HandlerResult, Json, act, stream
from agent.errors import UsageError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.text import Text
from rules.visible import visible


@act("holiday.add")
def _add(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    day = _day(ask.args.text("day"))
    change.holidays.add(day, name=ask.args.text("name"))
    return HandlerResult({"day": day.isoformat()})


@act("holiday.remove")
def _remove(ask: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    day = _day(ask.args.text("day"))
    change.holidays.remove(day)
    return HandlerResult({"day": day.isoformat()})


@stream("holiday.list")
def _list(ask: HandlerRequest) -> Iterator[Json]:
    return iter(ask.desk.lists.holidays.all())


def _day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError:
        said = visible(word)
        raise UsageError(
            Text(f"`{said}` is not a date", f"`{said}` 不是日期"), Text("write it as 2026-10-01", "请写作 2026-10-01")
        ) from None

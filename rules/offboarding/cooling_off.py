"""脱密期管理: who keeps a cooling-off period, and what is done during it, as moves of the state machine.

Rules of this file: the kind of the departure decides who keeps the period. Who leaves only the post (离岗) is kept by
this unit; who leaves the unit (离职) is too, until the period is entrusted to the unit that receives them or to the
local authority. A measure belongs to a period with an end, has its day and its paper, and is undone only after it.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from rules.offboarding.case import OffboardingCase
from rules.offboarding.machine import DepartureRefusedError, may, not_before
from rules.offboarding.measure import Keeper, Measure, MeasureEnd, MeasureKind, MeasureTaken
from rules.offboarding.vocabulary import CaseEvent
from rules.text import Text
from rules.visible import visible


class PeriodKeeper(NamedTuple):
    """Who keeps the period; ``party`` is the name of another unit or authority, ``paper`` what entrusted it."""

    keeper: Keeper
    party: str = ""
    paper: str = ""


def keeper(case: OffboardingCase) -> PeriodKeeper:
    """Return who keeps the period of *case*: whom it was entrusted to last, else this unit."""
    entrusted = [one for one in case.taken if one.keeper]
    if not entrusted:
        return PeriodKeeper(Keeper.UNIT)
    last = entrusted[-1]
    assert last.keeper is not None
    return PeriodKeeper(last.keeper, last.party, last.paper)


def take(case: OffboardingCase, taken: MeasureTaken, today: date) -> OffboardingCase:
    """Record what was done of a measure. *today* is the day of the site.

    Raises :class:`.DepartureRefusedError` without a period that ends, for a measure that was not asked for, a day to
    come, and where the paper, the party or the thing held is missing.
    """
    may(case, CaseEvent.MEASURE, taken.by)
    if not (case.period and case.period.until):
        raise DepartureRefusedError(
            Text("no cooling-off period is decided", "尚未确定脱密期"),
            Text("decide it first: `case cool-off`", "请先用 `case cool-off` 确定脱密期"),
        )
    kind = _asked(case, taken.measure).kind
    if taken.day > today:
        raise DepartureRefusedError(Text("that day is to come", "日期尚未到来"), Text("check the date", "请核对日期"))
    if (taken.keeper is not None) != (kind is MeasureKind.ENTRUST) or taken.keeper is Keeper.UNIT:
        raise DepartureRefusedError(
            Text("say to whom it is entrusted, and only then", "委托管理须写明受托方类别，其他措施不写"),
            Text("receiving or authority", "receiving（接收单位）或 authority（主管部门）"),
        )
    if kind in (MeasureKind.ENTRUST, MeasureKind.BORDER) and not (taken.paper.strip() and taken.party.strip()):
        raise DepartureRefusedError(
            Text(f"it needs a paper and a party: {kind.text.en}", f"{kind.text.zh}须写明文号与对方单位"),
            Text("give both", "请补齐"),
        )
    if kind is MeasureKind.PASSPORT and not (taken.item.strip() or taken.note.strip()):
        raise DepartureRefusedError(
            Text("say what is held, or why there is nothing to hold", "请写明代管证照，或无证照的情况"),
            Text("give the item or a note", "请填写证照或备注"),
        )
    if kind.ends and any((one.measure, one.item) == (taken.measure, taken.item) for one in case.measures_open):
        raise DepartureRefusedError(
            Text(f"it is recorded already: {kind.text.en}", f"{kind.text.zh}已登记"),
            Text("see the status of the case", "请查看本案状态"),
        )
    return replace(case, taken=(*case.taken, taken))


def end(case: OffboardingCase, measure: str, item: str, ended: MeasureEnd, today: date) -> OffboardingCase:
    """Record that a passport was given back or a filing withdrawn, after the period.

    *item* may be empty where only one thing of the *measure* is open. Raises :class:`.DepartureRefusedError`.
    """
    may(case, CaseEvent.END_MEASURE, ended.by)
    not_before(case, ended.at)
    if ended.day > today:
        raise DepartureRefusedError(Text("that day is to come", "日期尚未到来"), Text("check the date", "请核对日期"))
    kind = _asked(case, measure).kind
    still = [one for one in case.measures_open if one.measure == measure and item in ("", one.item)]
    if len(still) != 1:
        named = ", ".join(f"`{visible(one.item or one.measure)}`" for one in case.measures_open)
        raise DepartureRefusedError(
            Text(f"that is not one thing still open: {kind.text.en}", f"{kind.text.zh}：没有唯一对应的未结事项"),
            Text(f"still open: {named}", f"未结：{named}") if named else Text("nothing is open", "均已办结"),
        )
    if kind is MeasureKind.BORDER and not ended.paper.strip():
        raise DepartureRefusedError(
            Text("the withdrawal of a filing has a paper", "撤销备案须有文号"), Text("give it", "请填写文号")
        )
    done = replace(still[0], ended=ended)
    return replace(case, taken=tuple(done if one is still[0] else one for one in case.taken))


def visit_due(case: OffboardingCase) -> date | None:
    """Return by when the next return visit is due; ``None``: none is asked for in what is left of the period."""
    asked = next((one for one in case.measures if one.kind is MeasureKind.VISIT and one.every_days), None)
    if asked is None or case.ended_at is None or not (case.period and case.period.until):
        return None
    last = max((one.day for one in case.taken if one.measure == asked.name), default=case.ended_at.date())
    due = last + timedelta(days=asked.every_days)
    return due if due <= case.period.until.date() else None


def _asked(case: OffboardingCase, name: str) -> Measure:
    found = next((one for one in case.measures if one.name == name), None)
    if found is None:
        listed = ", ".join(f"`{visible(one.name)}`" for one in case.measures)
        raise DepartureRefusedError(
            Text(f"this case asks for no measure `{visible(name)}`", f"本案没有措施 `{visible(name)}`"),
            Text(f"it asks for {listed}", f"本案的措施：{listed}")
            if listed
            else Text("it asks for none", "本案无此类措施"),
        )
    return found

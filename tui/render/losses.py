"""Before an act takes rights: who loses what, and what ends with it; see :mod:`tui.render.plan`.

Rules of this file: pure. It is asked when something would end, or when anybody but the one the act is about loses
something; whoever takes a right from that one, and ends nothing, has said so in the form already. What could not be
found out is asked as well.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rules.text import Text
from rules.visible import visible
from tui.i18n import text_of
from tui.render.plan import PlanLine, PlanPage, joined, of_agent

_NAMED = 20  # people who are named


def of_act(
    found: Mapping[str, Any], title: Text, *, one: bool = False, name: str = "", always: bool = False
) -> PlanPage | None:
    """Return the plan of ``act.plan`` to be agreed to, ``None`` when nothing needs to be, but for *always*.

    *one*: the act names a person, or something that one person has. What is to be typed is the one person who loses
    something; where it is not one, the *name* of what the act changes, and without one how many they are.
    """
    lost, plans = found["lost"], found["plans"]
    ends = [step for plan in plans for step in plan["steps"] if step["targets"] and step["lasting"]]
    if not (found["unknown"] or ends or len(lost) > one or always):
        return None
    by_person = {plan["person"]: plan for plan in plans}
    lines: list[PlanLine] = []
    for loss in lost[:_NAMED]:
        places = ", ".join(map(visible, (*loss["areas"], *loss["rooms"])))
        who = visible(loss["person"])
        lines.append(PlanLine(Text(f"{who} loses {places}", f"{who} 将失去 {places}")))
        if plan := by_person.get(loss["person"]):
            lines += [line for line in of_agent(plan, title).lines if line.note]
    if (more := len(lost) - _NAMED) > 0:
        lines.append(PlanLine(Text(f"and {more} more people", f"另有 {more} 人")))
    if not (lost or found["unknown"]):
        lines.append(PlanLine(Text("nobody loses anything", "无人失去权限")))
    if len(lost) == 1:
        return PlanPage(title, lines, name=visible(lost[0]["person"]), warning=_warning(found))
    typed = None if name else Text("how many people lose something", "失去权限的人数")
    return PlanPage(title, lines, name=name or str(len(lost)), warning=_warning(found), typed=typed)


def with_losses(plan: PlanPage, found: Mapping[str, Any]) -> PlanPage:
    """Return *plan* with what ``act.plan`` found below it."""
    losses = of_act(found, plan.title)
    if losses is None:
        return plan
    said = [text for text in (plan.warning, losses.warning) if text]
    return replace(plan, lines=[*plan.lines, *losses.lines], warning=joined(said))


def _warning(found: Mapping[str, Any]) -> Text | None:
    if found["unknown"]:
        why = text_of(found["unknown"])
        return Text(f"who loses something is not known: {why.en}", f"无法得知谁将失去权限：{why.zh}")
    if more := found["left_out"]:
        return Text(
            f"{more} rights of people who have no process here now were not compared",
            f"另有 {more} 项权限属于当前没有进程的人员，未比较",
        )
    return None

"""``--plan``: who would lose what by an act, and what would end with it; nothing is done.

Rules of this file: it asks the agent, which rehearses the act itself. Whoever shares a process that would end is named.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agent.cli.context import CliContext, shown, text
from agent.cli.pages.receipt import plan_lines
from rules.text import Text


def show(context: CliContext, op: str, given: Mapping[str, Any]) -> int:
    """Show what *op* with the arguments *given* would take."""
    found: dict[str, Any] = context.client.call("act.plan", act=op, given=json.dumps(given))
    if context.terminal.json:
        context.terminal.data(found)
        return 0
    for line in _lines(found):
        context.terminal.line(context.terminal.say(line))
    return 0


def _lines(found: Mapping[str, Any]) -> Iterator[Text]:
    if found["unknown"]:
        why = text(found["unknown"])
        yield Text(f"who loses something is not known: {why.en}", f"无法得知谁将失去权限：{why.zh}")
    elif not (found["lost"] or found["services"]):
        yield Text(
            f"nobody loses anything ({found['compared']} rights compared)",
            f"无人失去权限（比较了 {found['compared']} 项）",
        )
    for service, areas in found["services"].items():
        named = ", ".join(f"`{shown(area)}`" for area in areas)
        yield Text(f"service `{shown(service)}` loses {named}", f"服务账户 `{shown(service)}` 将失去 {named}")
    plans = {plan["person"]: plan for plan in found["plans"]}
    for loss in found["lost"]:
        places = ", ".join(f"`{shown(place)}`" for place in (*loss["areas"], *loss["rooms"]))
        as_whom = ", ".join(map(str, loss["uids"]))
        yield Text(
            f"`{shown(loss['person'])}` loses {places}" + (f" as uid {as_whom}" if as_whom else ""),
            f"`{shown(loss['person'])}` 将失去 {places}" + (f"（uid {as_whom}）" if as_whom else ""),
        )
        if plan := plans.get(loss["person"]):
            for line in plan_lines(plan):
                yield Text(f"  {line.en}", f"  {line.zh}")
    if more := found["left_out"]:
        yield Text(
            f"{more} rights of people who have no process here now were not compared",
            f"另有 {more} 项权限属于当前没有进程的人员，未比较",
        )

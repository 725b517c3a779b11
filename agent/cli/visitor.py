"""``shoumi visitor``: registered visits, from arrival to the badge handed back."""

from agent.api.timestamps import local
from agent.cli.context import act, column, listing, moment, shown
from rules.text import Text

NOUN = Text("visits and escorts", "来访登记")


def _added(result: dict[str, str]) -> Text:
    until, who, room = local(result["until"]), shown(result["person"]), shown(result["room"])
    return Text(
        f"{result['visit']}: `{who}` may visit `{room}` with the escort until {until}",
        f"{result['visit']}：`{who}` 可由陪同人带领到访 `{room}`，至 {until}",
    )


def _left(result: dict[str, object]) -> Text:
    who, badges = shown(result["person"]), result["badges"]
    if not badges:
        return Text(f"`{who}` has left", f"`{who}` 已离开")
    assert isinstance(badges, list)
    cards = ", ".join(map(shown, badges))
    if result["badge_lost"]:
        return Text(f"`{who}` has left; LOST: badge {cards}", f"`{who}` 已离开；门禁卡 {cards} 挂失")
    return Text(f"`{who}` has left; badge {cards} is back", f"`{who}` 已离开；门禁卡 {cards} 已收回")


def _ended(result: dict[str, object]) -> Text:
    who, inside = shown(result["person"]), result["inside"]
    if not inside:
        return Text(f"the visit of `{who}` is over", f"`{who}` 的来访已终止")
    assert isinstance(inside, list)
    rooms = ", ".join(map(shown, inside))
    return Text(
        f"the visit of `{who}` is over, and he is STILL INSIDE: {rooms}", f"`{who}` 的来访已终止，但其仍在室内：{rooms}"
    )


COMMANDS = (
    act("visitor.add", _added),
    listing(
        "visitor.list",
        (
            column("visit", "来访", "id"),
            column("visitor", "来访者", "person"),
            column("name", "姓名", "visitor"),
            column("room", "场所", "room"),
            column("host", "接待人", "host"),
            column("escort", "陪同人", "escort"),
            column("purpose", "事由", "purpose"),
            moment("since", "起始", "since"),
            moment("until", "截止", "until"),
            column("badge", "门禁卡", "badge"),
            moment("ended", "终止", "ended_at"),
            moment("left", "离开", "left_at"),
        ),
        Text("no visits", "没有来访"),
    ),
    act("visitor.exit", _left),
    act("visitor.end", _ended),
)

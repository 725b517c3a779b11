"""``shoumi lockdown``: nobody enters from now on; the way out stays open."""

from agent.cli.context import OutputColumn, act, column, listing, moment, shown
from agent.presentation import waits
from rules.text import Text

NOUN = Text("nobody enters from now on", "封控")


def _place(room: object) -> Text:
    name = shown(room)
    return Text(f"`{name}`", f"`{name}`") if name else Text("the site", "全单位")


def _locked(result: dict[str, object]) -> Text:
    place, took = _place(result["room"]), waits.sentence(result)
    return Text(
        f"{place.en} is locked down ({result['lockdown']}), {took.en}; everybody may leave",
        f"{place.zh}已封控（{result['lockdown']}），{took.zh}；人员可离开",
    )


def _lifted(result: dict[str, object]) -> Text:
    place, still = _place(result["room"]), result["still"]
    said = Text(f"the lockdown of {place.en} is lifted", f"已解除{place.zh}的封控")
    if not still:
        return said
    assert isinstance(still, list)
    others = [_place(room) for room in still]
    en, zh = ", ".join(one.en for one in others), "、".join(one.zh for one in others)
    return Text(f"{said.en}; still locked down: {en}", f"{said.zh}；仍在封控：{zh}")


COMMANDS = (
    act("lockdown.on", _locked),
    act("lockdown.off", _lifted),
    listing(
        "lockdown.list",
        (
            column("lockdown", "封控", "id"),
            OutputColumn(Text("room", "场所"), lambda row: row["room"] or "*"),
            moment("since", "起始", "since"),
            column("by", "经办人", "placed_by"),
            column("reason", "理由", "reason"),
            moment("lifted", "解除", "lifted_at"),
            column("by", "经办人", "lifted_by"),
        ),
        Text("nothing is locked down", "没有封控"),
    ),
)

"""``shoumi occupancy``: who is inside, as far as badges say, and setting it right."""

from agent.cli.context import act, column, listing, moment, shown
from rules.text import Text

NOUN = Text("who is inside", "室内人员")


def _reset(result: dict[str, object]) -> Text:
    persons = result["persons"]
    assert isinstance(persons, list)
    who, room = ", ".join(map(shown, persons)) or "-", shown(result["room"])
    return Text(f"not inside `{room}`: {who}", f"已更正为不在 `{room}` 内：{who}")


COMMANDS = (
    listing(
        "occupancy.list",
        (
            column("room", "场所", "room"),
            column("person", "人员", "person"),
            column("name", "姓名", "name"),
            moment("since", "进入时间", "since"),
            column("door", "门", "door"),
        ),
        Text("nobody is inside", "室内无人"),
    ),
    act("occupancy.reset", _reset),
)

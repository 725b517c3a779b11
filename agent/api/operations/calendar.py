"""Operations on the site's calendar: holidays, on which hours of the pack do not open anything."""

from agent.api.operations.schema import ANY, SECURITY, Operation, Param
from rules.text import Text

_DAY = Param("day", "text", Text("a date, 2026-10-01", "日期，如 2026-10-01"), required=True, positional=True)

OPERATIONS = (
    Operation(
        "holiday.add",
        Text("mark a day as a holiday", "登记节假日"),
        SECURITY,
        (_DAY, Param("name", "text", Text("what it is called", "名称"))),
        act=True,
    ),
    Operation(
        "holiday.remove",
        Text("make a holiday a working day again", "取消节假日"),
        SECURITY,
        (_DAY,),
        act=True,
        gives=True,
    ),
    Operation("holiday.list", Text("list holidays", "列出节假日"), ANY, (), stream=True),
)

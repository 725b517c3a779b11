"""Operations on the calendar of the site: holidays, on which schedules of the pack stay closed."""

from agent.api.operations.schema import ANY, SECURITY, Operation, Param
from rules.text import Message

_DAY = Param("day", "text", Message("operations.day-of-holiday"), required=True, positional=True)

OPERATIONS = (
    Operation(
        "holiday.add",
        Message("operations.add-holiday"),
        SECURITY,
        (_DAY, Param("name", "text", Message("operations.holiday-name"))),
        act=True,
    ),
    Operation(
        "holiday.remove",
        Message("operations.remove-holiday"),
        SECURITY,
        (_DAY,),
        act=True,
        gives=True,
    ),
    Operation("holiday.list", Message("operations.list-holidays"), ANY, (), stream=True),
)

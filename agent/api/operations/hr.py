"""Operations on the channel of the personnel system: its names of people, and its alarms.

The person behind a name decides whose access a notice ends; so only the security officer sets it, and it is logged.
"""

from agent.api.operations.schema import ANY, SECURITY, Operation, Param
from rules.text import Message

_NAMES = (
    Param("number", "text", Message("operations.employee-number")),
    Param("email", "text", Message("operations.e-mail-address"), metavar="ADDRESS"),
    Param("iss", "text", Message("operations.other-issuer"), metavar="ISSUER"),
    Param("sub", "text", Message("operations.issuer-number"), metavar="NUMBER"),
)

OPERATIONS = (
    Operation(
        "hr.subject.add",
        Message("operations.add-hr-name"),
        SECURITY,
        (Param("person", "text", Message("common.id-person"), required=True, positional=True), *_NAMES),
        act=True,
    ),
    Operation(
        "hr.subject.remove",
        Message("operations.remove-hr-name"),
        SECURITY,
        _NAMES,
        act=True,
    ),
    Operation(
        "hr.subject.list",
        Message("operations.list-hr-names"),
        ANY,
        (),
        stream=True,
    ),
    Operation(
        "hr.alarm",
        Message("operations.raise-hr-alarm"),
        SECURITY,
        (
            Param("word", "text", Message("operations.alarm-kind"), required=True),
            Param("en", "text", Message("operations.sentence-english"), required=True),
            Param("zh", "text", Message("operations.sentence-chinese"), required=True),
            Param("person", "text", Message("operations.person-concerned")),
        ),
        act=True,
    ),
)

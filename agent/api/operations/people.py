"""Operations on people, accounts, badges, service accounts and the records that access depends on.

The security officer decides what opens doors (level, department, project, records); the system administrator binds
accounts and badges to people. Both may revoke where that can only deny.
"""

from agent.api.operations.schema import ANY, OFFICERS, SECURITY, SYSTEM, Operation, Param
from rules.model import Employment
from rules.text import Message

PERSON = Param("person", "text", Message("operations.person-id"), required=True, positional=True, metavar="PERSON")
SOME_PERSON = Param("person", "text", Message("operations.only-person"), positional=True, metavar="PERSON")
_NEW_PERSON = Param("person", "text", Message("common.id-person"), required=True, positional=True, metavar="ID")
PAPER = Param("paper", "text", Message("operations.paper-number"))
PAPER_DATE = Param("paper_date", "since", Message("operations.paper-date"), metavar="DATE")
_DETAILS = (
    Param("name", "text", Message("operations.display-name")),
    Param(
        "level",
        "levels",
        Message("operations.person-levels"),
        roles=SECURITY,
        metavar="LEVEL",
    ),
    Param("domain", "text", Message("operations.default-domain"), roles=SECURITY),
    Param("label", "text", Message("operations.level-label"), roles=SECURITY),
    Param(
        "approved_by",
        "text",
        Message("operations.level-approver"),
        roles=SECURITY,
        metavar="PERSON",
    ),
    PAPER,
    PAPER_DATE,
    Param("department", "text", Message("common.department"), roles=SECURITY),
    Param("post", "text", Message("common.post"), roles=SECURITY),
    Param("heads", "text", Message("operations.department-headed"), roles=SECURITY, metavar="DEPARTMENT"),
    Param("project", "texts", Message("operations.projects"), roles=SECURITY),
    Param(
        "employment",
        "text",
        Message("operations.employment"),
        choices=tuple(map(str, Employment)),
        roles=SECURITY,
    ),
)
_UID = Param("uid", "number", Message("operations.numeric-uid"), required=True, positional=True, metavar="UID")
_CARD = Param("number", "text", Message("operations.card-number"), required=True, positional=True, metavar="NUMBER")
_SERVICE = Param("service", "text", Message("operations.service-id"), required=True, positional=True, metavar="ID")
_HASH = Param(
    "sha256",
    "text",
    Message("operations.program-hash"),
    metavar="HEX",
)

OPERATIONS = (
    Operation(
        "person.add",
        Message("operations.add-person"),
        OFFICERS,
        (
            _NEW_PERSON,
            *_DETAILS,
            Param(
                "account",
                "numbers",
                Message("operations.account-uids"),
                roles=SYSTEM,
                gives=True,
            ),
            Param("badge", "texts", Message("operations.card-numbers"), roles=SYSTEM, gives=True),
        ),
        act=True,
    ),
    Operation(
        "person.set",
        Message("operations.change-person"),
        OFFICERS,
        (
            PERSON,
            *_DETAILS,
            Param(
                "post_changed",
                "flag",
                Message("operations.post-changed"),
                roles=SECURITY,
            ),
            Param("inactive", "flag", Message("operations.deactivate-person")),
            Param("active", "flag", Message("operations.activate-person"), roles=SECURITY),
        ),
        act=True,
    ),
    Operation("person.show", Message("operations.show-person"), ANY, (PERSON,)),
    Operation(
        "person.list",
        Message("operations.list-people"),
        ANY,
        (Param("search", "text", Message("operations.part-of-id-or-name"), positional=True, metavar="WORD"),),
        stream=True,
    ),
    Operation(
        "person.import",
        Message("operations.import-people"),
        OFFICERS,
        (
            Param(
                "csv",
                "file",
                Message("operations.csv-file"),
                required=True,
                positional=True,
                metavar="FILE",
            ),
            Param(
                "update",
                "flag",
                Message("operations.update-existing-people"),
            ),
        ),
        act=True,
    ),
    Operation(
        "account.add",
        Message("operations.bind-account"),
        SYSTEM,
        (PERSON, _UID, Param("allow_system", "flag", Message("operations.allow-system-uid"))),
        act=True,
        gives=True,
    ),
    Operation("account.remove", Message("operations.unbind-account"), SYSTEM, (PERSON, _UID), act=True),
    Operation("account.list", Message("operations.list-accounts"), ANY, (SOME_PERSON,), stream=True),
    Operation(
        "badge.add",
        Message("operations.issue-badge"),
        SYSTEM,
        (
            PERSON,
            _CARD,
            Param("until", "until", Message("operations.badge-until"), metavar="TIME"),
            Param("facility", "number", Message("operations.badge-facility-code")),
            Param("bits", "number", Message("operations.badge-bits")),
        ),
        act=True,
        gives=True,
    ),
    Operation("badge.remove", Message("common.take-badge-back"), OFFICERS, (PERSON, _CARD), act=True),
    Operation("badge.lost", Message("operations.report-badge-lost"), OFFICERS, (PERSON, _CARD), act=True),
    Operation(
        "badge.list",
        Message("operations.list-badges"),
        ANY,
        (SOME_PERSON, Param("all", "flag", Message("operations.returned-badges-too"))),
        stream=True,
    ),
    Operation(
        "service.add",
        Message("operations.add-service"),
        SYSTEM,
        (
            _SERVICE,
            Param("uid", "number", Message("operations.service-uid"), required=True),
            Param("executable", "path", Message("operations.program-file"), required=True),
            Param("area", "texts", Message("operations.service-area")),
            _HASH,
            Param(
                "lets_in",
                "flag",
                Message("operations.service-logs-people-in"),
            ),
        ),
        act=True,
        gives=True,
    ),
    Operation(
        "service.renew",
        Message("operations.renew-service"),
        SYSTEM,
        (_SERVICE, _HASH),
        act=True,
        gives=True,
    ),
    Operation("service.remove", Message("operations.remove-service"), OFFICERS, (_SERVICE,), act=True),
    Operation("service.list", Message("operations.list-services"), ANY, stream=True),
    Operation(
        "record.add",
        Message("operations.add-record"),
        SECURITY,
        (
            PERSON,
            Param("kind", "text", Message("common.kind-record"), required=True, positional=True, metavar="KIND"),
            Param("on", "since", Message("operations.record-date"), metavar="DATE"),
            Param("valid_until", "until", Message("operations.record-valid-until"), metavar="DATE"),
            Param("topic", "text", Message("operations.record-topic")),
            Param("failed", "flag", Message("operations.record-negative")),
        ),
        act=True,
    ),
    Operation("record.list", Message("operations.list-records"), ANY, (SOME_PERSON,), stream=True),
    Operation(
        "record.void",
        Message("operations.void-record"),
        SECURITY,
        (
            Param("record", "text", Message("operations.record-id"), required=True, positional=True, metavar="ID"),
            Param("reason", "text", Message("operations.reason"), required=True),
        ),
        act=True,
    ),
)

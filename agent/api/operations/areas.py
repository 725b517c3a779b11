"""Operations on areas 涉密目录.

The system administrator protects a directory, which can only reduce access. Only the security officer may loosen the
protection (a lower level, a wider scope, observe mode, removal).
"""

from agent.api.operations.schema import ANY, AUDITOR, OFFICERS, SECURITY, SYSTEM, Operation, Param
from rules.text import Message

HELD = Param(
    "held",
    "text",
    Message("operations.holders-before-guarding"),
    choices=("name", "end"),
)
AREA = Param("area", "text", Message("operations.area-name"), required=True, positional=True, metavar="AREA")
BELOW = Param("path", "path", Message("operations.file-or-directory"), required=True, positional=True, metavar="PATH")
SCOPE = (
    Param("person", "texts", Message("operations.scope-person"), metavar="PERSON"),
    Param("department", "texts", Message("operations.scope-department")),
    Param("project", "texts", Message("operations.scope-project")),
    Param("custodian", "text", Message("operations.custodian")),
    Param("secret_until", "until", Message("operations.secrecy-period-end"), metavar="DATE"),
    Param("hours", "text", Message("operations.schedule")),
)

OPERATIONS = (
    Operation(
        "area.add",
        Message("operations.add-area"),
        SYSTEM,
        (
            Param("path", "path", Message("operations.directory-path"), required=True, positional=True, metavar="PATH"),
            Param("name", "text", Message("operations.area-name"), required=True),
            Param("level", "level", Message("operations.level"), required=True),
            Param(
                "domain",
                "text",
                Message("operations.domain-of-area"),
                required=True,
            ),
            *SCOPE,
            Param("observe", "flag", Message("operations.observe-at-first")),
            Param(
                "enforce",
                "flag",
                Message("operations.enforce-at-once"),
            ),
            Param("each_read", "flag", Message("operations.check-each-read")),
            Param(
                "sharing",
                "text",
                Message("operations.filesystem-sharing"),
                choices=("dedicated", "shared"),
            ),
            Param("accept_links", "flag", Message("operations.accept-outside-links")),
            HELD,
        ),
        act=True,
    ),
    Operation("area.show", Message("operations.show-area"), ANY, (AREA,)),
    Operation("area.list", Message("operations.list-areas"), ANY, stream=True),
    Operation(
        "area.set",
        Message("operations.change-area"),
        SECURITY,
        (
            AREA,
            Param("level", "level", Message("operations.level")),
            Param("domain", "text", Message("operations.domain")),
            *SCOPE,
            HELD,
        ),
        act=True,
    ),
    Operation(
        "area.would",
        Message("operations.area-would"),
        SECURITY,
        (AREA,),
        read_entry=True,
    ),
    Operation(
        "area.enforce",
        Message("operations.enforce-area"),
        SECURITY,
        (
            AREA,
            Param(
                "revert_after",
                "number",
                Message("operations.revert-after"),
                metavar="MIN",
            ),
        ),
        act=True,
    ),
    Operation("area.confirm", Message("operations.confirm-enforcement"), SECURITY, (AREA,), act=True),
    Operation("area.observe", Message("operations.observe-area"), SECURITY, (AREA,), act=True, gives=True),
    Operation(
        "area.seal",
        Message("operations.seal-area"),
        OFFICERS,
        (AREA,),
        act=True,
    ),
    Operation(
        "area.labels",
        Message("operations.count-labels"),
        SECURITY | AUDITOR,
        (BELOW,),
        stream=True,
    ),
    Operation(
        "area.relabel",
        Message("operations.relabel-below"),
        SECURITY,
        (BELOW,),
        act=True,
        gives=True,
    ),
    Operation(
        "area.relabelling",
        Message("operations.follow-relabelling"),
        SECURITY,
        (Param("request", "number", Message("common.number-request"), required=True, positional=True),),
        stream=True,
    ),
    Operation("area.remove", Message("operations.remove-area"), SECURITY, (AREA,), act=True, gives=True),
)

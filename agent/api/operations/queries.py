"""Queries: ``explain``, ``what-if`` and the log.

The log belongs to the auditor; each query of it is a log entry itself.
"""

from agent.api.operations.people import PERSON
from agent.api.operations.schema import ANY, AUDITOR, Operation, Param
from rules.text import Message

_TARGET = Param(
    "target",
    "target",
    Message("operations.path-area-or-room"),
    required=True,
    positional=True,
)
_AT_A_DOOR = (
    Param("with", "texts", Message("operations.with-person"), metavar="PERSON"),
    Param("purpose", "text", Message("operations.assume-purpose")),
)
_AT = Param("at", "since", Message("operations.as-of-time"), metavar="TIME")
_FILTER = (
    Param("person", "text", Message("operations.only-person-in-log")),
    Param("area", "text", Message("operations.only-area-room")),
    Param("verdict", "text", Message("operations.only-verdict"), choices=("allow", "deny")),
    Param("kind", "text", Message("operations.entry-kind")),
    Param("rule", "text", Message("operations.deciding-rule")),
    Param(
        "own",
        "text",
        Message("operations.proofs-all-only-none"),
        choices=("all", "yes", "no"),
        bare="all",
    ),
    Param("since", "since", Message("operations.from-time"), metavar="TIME"),
    Param("until", "until", Message("operations.to-time"), metavar="TIME"),
    Param("text", "text", Message("operations.part-of-path")),
)
_READING = Param("reading", "text", Message("operations.reading"), required=True)

OPERATIONS = (
    Operation(
        "explain",
        Message("operations.explain"),
        ANY,
        (PERSON, _TARGET, _AT, *_AT_A_DOOR),
    ),
    Operation(
        "what-if",
        Message("operations.what-if"),
        ANY,
        (
            PERSON,
            _TARGET,
            _AT,
            *_AT_A_DOOR,
            Param(
                "level",
                "levels",
                Message("operations.assume-level"),
                metavar="LEVEL",
            ),
            Param("domain", "text", Message("operations.default-domain")),
            Param("department", "text", Message("operations.assume-department")),
            Param("project", "texts", Message("operations.assume-project")),
            Param("grant", "flag", Message("operations.assume-grant")),
            Param("temporary", "flag", Message("operations.assume-temporary-grant")),
            Param("end_grants", "flag", Message("operations.assume-grants-ended")),
            Param("hold", "flag", Message("operations.assume-hold")),
            Param("lift_holds", "flag", Message("operations.assume-no-hold")),
            Param("record", "texts", Message("operations.assume-record"), metavar="KIND"),
            Param("no_record", "texts", Message("operations.assume-no-record"), metavar="KIND"),
        ),
    ),
    Operation(
        "log.list",
        Message("operations.list-entries"),
        AUDITOR,
        (
            *_FILTER,
            Param("limit", "number", Message("operations.entry-limit-default")),
            Param("before", "number", Message("operations.entries-before-number"), metavar="SEQ"),
            Param("after", "number", Message("operations.entries-after-number"), metavar="SEQ"),
            Param(
                "hidden",
                "flag",
                Message("operations.count-proofs-left-out"),
            ),
        ),
        stream=True,
        read_entry=True,
    ),
    Operation(
        "log.read",
        Message("operations.begin-reading"),
        AUDITOR,
        _FILTER,
        read_entry=True,
    ),
    Operation(
        "log.page",
        Message("operations.show-reading-page"),
        AUDITOR,
        (
            _READING,
            Param("first", "number", Message("operations.first-entry"), metavar="SEQ"),
            Param("last", "number", Message("operations.last-entry"), metavar="SEQ"),
            Param("limit", "number", Message("operations.entry-limit-default")),
        ),
    ),
    Operation(
        "log.numbers",
        Message("operations.reading-numbers"),
        AUDITOR,
        (
            _READING,
            Param("after", "number", Message("operations.entries-after-number"), metavar="SEQ"),
            Param("before", "number", Message("operations.entries-before-number"), metavar="SEQ"),
            Param("until", "until", Message("operations.entries-before-time"), metavar="TIME"),
            Param("limit", "number", Message("operations.entry-limit")),
            Param(
                "own",
                "flag",
                Message("operations.numbers-of-proofs"),
            ),
        ),
    ),
    Operation(
        "log.room",
        Message("operations.log-of-room"),
        AUDITOR,
        (
            Param("room", "text", Message("operations.room-name"), required=True, positional=True, metavar="ROOM"),
            Param(
                "during",
                "text",
                Message("operations.from-to"),
                required=True,
                metavar="FROM..TO",
            ),
        ),
        stream=True,
        read_entry=True,
    ),
    Operation(
        "log.follow",
        Message("operations.follow-log"),
        AUDITOR,
        (
            Param(
                "after",
                "number",
                Message("operations.follow-after"),
                metavar="SEQ",
            ),
        ),
        stream=True,
        read_entry=True,
    ),
    Operation(
        "log.show",
        Message("operations.show-entry"),
        AUDITOR,
        (Param("seq", "number", Message("operations.entry-number"), required=True, positional=True, metavar="SEQ"),),
        read_entry=True,
    ),
    Operation("log.verify", Message("common.verify-log-help"), ANY),
)

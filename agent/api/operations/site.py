"""Operations on the site itself: roles, the rule pack and the state of the agent."""

from agent.api.operations.schema import ANY, EVERYBODY, OFFICERS, SECURITY, Operation, Param
from rules.text import Message

OPERATIONS = (
    Operation("role.list", Message("operations.show-roles"), EVERYBODY),
    Operation(
        "role.set",
        Message("operations.set-role-groups"),
        OFFICERS,
        (
            Param("system", "text", Message("operations.system-administrators-group"), metavar="GROUP"),
            Param("security", "text", Message("operations.security-officers-group"), metavar="GROUP"),
            Param("auditor", "text", Message("operations.auditors-group"), metavar="GROUP"),
            Param("anyway", "flag", Message("operations.set-roles-anyway")),
        ),
        act=True,
        gives=True,
    ),
    Operation(
        "factor.give",
        Message("operations.give-second-factor"),
        ANY,
        (Param("secret", "text", Message("operations.second-factor-secret"), required=True, secret=True),),
    ),
    Operation(
        "keys.show",
        Message("operations.show-public-key"),
        EVERYBODY,
        (
            Param(
                "fingerprint",
                "text",
                Message("operations.key-prefix"),
            ),
        ),
    ),
    Operation("pack.show", Message("operations.show-pack"), ANY),
    Operation(
        "pack.use",
        Message("operations.use-pack"),
        SECURITY,
        (
            Param(
                "pack",
                "file",
                Message("common.pack-argument"),
                required=True,
                positional=True,
                metavar="PACK",
            ),
        ),
        act=True,
        gives=True,
    ),
    Operation(
        "clock.accept",
        Message("operations.accept-clock"),
        SECURITY,
        (Param("reason", "text", Message("operations.clock-evidence"), required=True),),
        act=True,
        gives=True,
    ),
    Operation(
        "registry.show",
        Message("operations.compare-registry-with-log"),
        ANY,
        read_entry=True,
    ),
    Operation(
        "registry.accept",
        Message("common.accept-registry-help"),
        OFFICERS,
        (
            Param(
                "last",
                "number",
                Message("operations.last-entry-given-up"),
                required=True,
            ),
            Param("reason", "text", Message("operations.reason"), required=True),
        ),
        act=True,
        gives=True,
    ),
    Operation("status", Message("operations.site-status"), ANY),
    Operation("doctor", Message("operations.check-site"), ANY),
)

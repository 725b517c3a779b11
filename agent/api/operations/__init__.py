"""Table of all operations of the agent, read by the server, the command line, the screens, the docs and the tests.

Rules of this package: declarations only, no handler and no import of the agent's insides, so that a client can load it.
One file per family of operations; :data:`TABLE` joins them in the order of the help.
"""

from collections.abc import Mapping

from agent.api.operations import (
    areas,
    break_glass,
    calendar,
    cases,
    doors,
    grants,
    hr,
    people,
    proposals,
    queries,
    requests,
    rooms,
    site,
    visitors,
    volumes,
)
from agent.api.operations.schema import Operation

TABLE: dict[str, Operation] = {
    operation.name: operation
    for family in (
        people,
        areas,
        break_glass,
        volumes,
        rooms,
        doors,
        visitors,
        grants,
        proposals,
        requests,
        cases,
        hr,
        calendar,
        queries,
        site,
    )
    for operation in family.OPERATIONS
}

PLANNED = frozenset(
    [
        "grant.end",
        "person.set",
        "person.import",
        "account.remove",
        "badge.remove",
        "badge.lost",
        "record.void",
        "service.remove",
        "area.set",
        "room.set",
        "visitor.end",
        "pack.use",
    ]
)
"""Acts that may revoke rights, and whose losses ``act.plan`` can predict."""
EACH = 32
"""Largest number of people losing rights by one act for which each gets a revocation run and a receipt."""
ONLY_TAKES = frozenset(
    [
        "hold.add",
        "grant.end",
        "badge.remove",
        "badge.lost",
        "service.remove",
        "lockdown.on",
        "pin.remove",
        "visitor.end",
        "declaration.end",
        "case.open",
        "case.approve",
        "case.confirm",
        "case.advance",
        "case.carry-out",
        "case.notice",
        "holiday.add",
        "proposal.refuse",
        "proposal.lapse",
        "breakglass.close",
    ]
)
"""Acts that never give access; they never wait for a second officer, even if rights cannot be compared."""
_CUTS = frozenset(
    [
        "hold.add",
        "case.open",  # some kinds end access at once; the pack names them
        "case.approve",
        "case.confirm",
        "case.advance",
        "case.release",
        "proposal.confirm",
        "area.enforce",
        "room.remove",
        "pin.remove",
        "hr.subject.add",  # it decides whose access a notice ends
        "hr.subject.remove",
    ]
)
_GIVES = frozenset(["record.add"])  # such as a training that was missing
# `lockdown.on` cuts as well, and needs no second factor: in an emergency each second counts.


def needs_factor(op: str, arguments: Mapping[str, object]) -> bool:
    """Whether *op* gives or cuts access, and so needs a second factor where the site has set one."""
    operation = TABLE[op]
    gives = operation.gives or any(param.gives and arguments.get(param.name) for param in operation.params)
    return op in PLANNED | _CUTS | _GIVES or (operation.act and gives)

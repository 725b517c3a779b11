"""Every operation of the agent in one table. The server, the command line, the docs, the tests and the screens read it.

Rules of this package: declarations only, no handler and no import of the agent's insides, so that a client can load it.
One file per family of operations; :data:`TABLE` is their sum, in the order help shows them.
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
"""Acts that may take rights, and whose losses ``act.plan`` can tell beforehand."""
EACH = 32
"""People who lose something by one act, up to which each of them gets a run and a receipt."""
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
"""Acts that give nothing whatever they are called with: they never wait, also where nothing can be compared."""
_CUTS = frozenset(
    [
        "hold.add",
        "case.open",  # some kinds end access at once: which ones is the pack's
        "case.approve",
        "case.confirm",
        "case.advance",
        "case.release",
        "proposal.confirm",
        "area.enforce",
        "room.remove",
        "pin.remove",
        "hr.subject.add",  # whose access a notice ends hangs on it
        "hr.subject.remove",
    ]
)
_GIVES = frozenset(["record.add"])  # a training that was missing
# `lockdown.on` cuts as well, and asks for nothing: it is for an emergency, and each second counts.


def needs_factor(op: str, given: Mapping[str, object]) -> bool:
    """Whether *op* gives or cuts: officers confirm it with a second factor, where the site has set one."""
    operation = TABLE[op]
    gives = operation.gives or any(param.gives and given.get(param.name) for param in operation.params)
    return op in PLANNED | _CUTS | _GIVES or (operation.act and gives)

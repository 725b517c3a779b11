"""The handlers of all operations, one module per family; :func:`handler_table` joins them."""

from agent.api.operations import TABLE
from agent.control.dispatch import HandlerTable
from agent.control.handlers import (
    areas,
    break_glass,
    calendar,
    case_duties,
    cases,
    clock,
    doors,
    explain,
    grants,
    hr,
    labels,
    log,
    losses,
    occupancy,
    pack,
    people,
    proposals,
    quarantine,
    receipts,
    registry,
    requests,
    roles,
    room_log,
    rooms,
    services,
    system,
    visitors,
    volumes,
)

_FAMILIES = (
    areas,
    break_glass,
    calendar,
    case_duties,
    cases,
    clock,
    doors,
    explain,
    grants,
    hr,
    labels,
    log,
    losses,
    occupancy,
    pack,
    people,
    proposals,
    quarantine,
    receipts,
    registry,
    requests,
    roles,
    room_log,
    rooms,
    services,
    system,
    visitors,
    volumes,
)


def handler_table() -> HandlerTable:
    """Return the table of all handlers; raise ``LookupError`` when an operation has none, or two."""
    return HandlerTable.union([family.handlers for family in _FAMILIES], TABLE)

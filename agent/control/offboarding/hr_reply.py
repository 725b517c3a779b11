"""The answer to the personnel system: that what it asked for is done, or what of it is still pending.

Rules of this file: it is made of a receipt that has been issued, and says what that says.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent.offboard import database
from agent.offboard.intake import outbox, pinned_keys, store
from agent.offboard.intake.outbox import Completion
from agent.runtime.home import Home


def complete(home: Home, person: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Put an answer into the outbox for everything the personnel system sent that asked for the departure of *person*.

    *payload*: JSON of the receipt. Raises :class:`agent.errors.ShoumiError`; answering again repeats nothing.
    """
    notices = store.awaiting(database.path(home.root), person)
    if not notices:
        return
    site = pinned_keys.load(pinned_keys.path(home.root))
    times = {row["mark"]: datetime.fromisoformat(row["at"]) for row in payload["timeline"] if row["at"]}
    state = Completion("done" if payload["complete"] else "pending", times, tuple(payload["open"]))
    for notice in notices:
        outbox.complete(home.root, site.audience, notice, state, now, reader=site.drop_uid)


def payload_of(receipt: bytes) -> dict[str, Any]:
    """Return what a receipt file says."""
    said: dict[str, Any] = json.loads(receipt.partition(b"\n")[0])
    return said

"""The answer to the personnel system: that what it asked for is done, or what of it is still pending.

Rules of this file: it is made of a receipt that has been issued, or of a hold that is in force, and says what that
says.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent.offboard import database
from agent.offboard.intake import answers, outbox, pinned_keys, store
from agent.offboard.intake.answers import Completion
from agent.offboard.intake.notice import HrNotice
from agent.runtime.home import Home


def complete(home: Home, person: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Put an answer into the outbox for everything the personnel system sent that asked for the departure of *person*.

    *payload*: JSON of the receipt. Raises :class:`agent.errors.ShoumiError`; answering again repeats nothing.
    """
    waiting = store.awaiting(database.path(home.root), person)
    if not waiting:
        return
    site = pinned_keys.load(pinned_keys.path(home.root))
    times = {row["mark"]: datetime.fromisoformat(row["at"]) for row in payload["timeline"] if row["at"]}
    state = Completion("done" if payload["complete"] else "pending", times, tuple(payload["open"]))
    for one in waiting:
        outbox.complete(home.root, site.audience, one.notice, state, now, reader=site.drop_uid, files=one.files)


def held(home: Home, notice: HrNotice, times: Mapping[str, datetime], now: datetime) -> None:
    """Answer *notice*, which asked for no more than a hold, that it is in force. Raises as :func:`complete` does."""
    site = pinned_keys.load(pinned_keys.path(home.root))
    with store.Store(database.path(home.root)) as known:
        files = known.files(notice)
    for file in files:
        outbox.answer(home.root, site.audience, answers.held(notice, file, times), now, reader=site.drop_uid)


def payload_of(receipt: bytes) -> dict[str, Any]:
    """Return what a receipt file says."""
    said: dict[str, Any] = json.loads(receipt.partition(b"\n")[0])
    return said

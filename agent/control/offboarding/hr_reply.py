"""Replies to the personnel system: completion of its notices, or the steps still pending.

Rules of this file: a reply is derived from an issued receipt, or from a hold in force. A receipt answers the notices
that were carried out in its case and in the cases it overtook: a notice is never reported done because of another run
about the same person.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from agent.api.timestamps import instant
from agent.offboard import database
from agent.offboard.intake import answers, outbox, pinned_keys, store
from agent.offboard.intake.answers import Completion
from agent.offboard.intake.notice import HrNotice
from agent.offboard.receipt import receipt
from agent.runtime.home import Home
from agent.site.context import SiteContext
from rules.offboarding.case import OffboardingCase


def complete(site: SiteContext, name: str, payload: Mapping[str, Any]) -> None:
    """Put a reply into the outbox for each notice that was carried out in the case *name*.

    *payload*: JSON of its receipt. Raises :class:`agent.errors.ShoumiError`; idempotent.
    """
    case = site.lists.cases.get(name)
    overtaken = [earlier for earlier in site.lists.cases.find(case.person, over=True) if case.overtook(earlier)]
    cases = {earlier.id: earlier.reference for earlier in (case, *overtaken) if earlier.ended_at}
    waiting = store.awaiting(database.path(site.home.root), case.person, cases)
    if waiting:
        site_of, now = pinned_keys.load(pinned_keys.path(site.home.root)), site.now()
        times = {row["mark"]: datetime.fromisoformat(row["at"]) for row in payload["timeline"] if row["at"]}
        for pending in waiting:
            state = Completion(
                "done" if payload["complete"] else "pending",
                times,
                tuple(payload["open"]),
                sooner=_sooner(site, pending.notice, case),
            )
            outbox.complete(
                site.home.root,
                site_of.audience,
                pending.notice,
                state,
                now,
                reader=site_of.drop_uid,
                files=pending.files,
            )
    _overtaken(site, case, overtaken)


def carried_out(site: SiteContext, notice: HrNotice, name: str) -> None:
    """Record that *notice* was carried out in the case *name*, and send the replies that are possible now.

    The issuer of a receipt looks for notices afterwards, and this function looks for receipts: one of them sees both.
    Raises as :func:`complete` does.
    """
    store.carried_out(database.path(site.home.root), notice, name)
    if receipts := receipt.kept(receipt.receipts_folder(site.home.root), name):
        complete(site, name, payload_of(receipts[-1].read_bytes()))
        return
    case = site.lists.cases.get(name)
    _overtaken(
        site, case, [earlier for earlier in site.lists.cases.find(case.person, over=True) if case.overtook(earlier)]
    )


def _overtaken(site: SiteContext, case: OffboardingCase, overtaken: list[OffboardingCase]) -> None:
    """Reply that cases which *case* overtook before they ended access were not carried out."""
    never = {earlier.id: earlier.reference for earlier in overtaken if not earlier.ended_at}
    waiting = store.awaiting(database.path(site.home.root), case.person, never) if never else []
    if not waiting:
        return
    site_of = pinned_keys.load(pinned_keys.path(site.home.root))
    by = f"{case.reference or case.id} {case.kind.value}"
    for pending in waiting:
        for file in pending.files:
            reply = answers.overtaken(pending.notice, file, by)
            outbox.answer(site.home.root, site_of.audience, reply, site.now(), reader=site_of.drop_uid)


def _sooner(site: SiteContext, notice: HrNotice, case: OffboardingCase) -> bool:
    """Return whether access ended before the leave date in *notice*, a day in the site's time zone."""
    leave_date = notice.details.get("effective")
    zone = timezone(site.pack().utc_offset)
    return bool(leave_date) and case.ended_at is not None and case.ended_at < instant(str(leave_date), zone, end=True)


def held(home: Home, notice: HrNotice, times: Mapping[str, datetime], now: datetime) -> None:
    """Reply to *notice*, which requested only a hold, that it is in force. Raises as :func:`complete` does."""
    site = pinned_keys.load(pinned_keys.path(home.root))
    with store.Store(database.path(home.root)) as inbox:
        files = inbox.files(notice)
    for file in files:
        outbox.answer(home.root, site.audience, answers.held(notice, file, times), now, reader=site.drop_uid)


def payload_of(receipt: bytes) -> dict[str, Any]:
    """Return the payload of a receipt file."""
    payload: dict[str, Any] = json.loads(receipt.partition(b"\n")[0])
    return payload

"""The answer to the personnel system: that what it asked for is done, or what of it is still pending.

Rules of this file: it is made of a receipt that has been issued, or of a hold that is in force, and says what that
says. A receipt answers the notices that were carried out in its case, and those of the cases that this one overtook:
nothing is called done because something else about the same person is.
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
    """Put an answer into the outbox for everything the personnel system sent that was carried out in the case *name*.

    *payload*: JSON of its receipt. Raises :class:`agent.errors.ShoumiError`; answering again repeats nothing.
    """
    case = site.lists.cases.get(name)
    others = [one for one in site.lists.cases.find(case.person, over=True) if case.overtook(one)]
    cases = {one.id: one.reference for one in (case, *others) if one.ended_at}
    waiting = store.awaiting(database.path(site.home.root), case.person, cases)
    if waiting:
        site_of, now = pinned_keys.load(pinned_keys.path(site.home.root)), site.now()
        times = {row["mark"]: datetime.fromisoformat(row["at"]) for row in payload["timeline"] if row["at"]}
        for one in waiting:
            state = Completion(
                "done" if payload["complete"] else "pending",
                times,
                tuple(payload["open"]),
                sooner=_sooner(site, one.notice, case),
            )
            outbox.complete(
                site.home.root, site_of.audience, one.notice, state, now, reader=site_of.drop_uid, files=one.files
            )
    _overtaken(site, case, others)


def carried_out(site: SiteContext, notice: HrNotice, name: str) -> None:
    """Remember that *notice* was carried out in the case *name*, and answer what can be answered now.

    Whoever issues a receipt looks for notices afterwards, and here it is the other way round: one of the two sees both.
    Raises as :func:`complete` does.
    """
    store.carried_out(database.path(site.home.root), notice, name)
    if kept := receipt.kept(receipt.receipts_folder(site.home.root), name):
        complete(site, name, payload_of(kept[-1].read_bytes()))
        return
    case = site.lists.cases.get(name)
    _overtaken(site, case, [one for one in site.lists.cases.find(case.person, over=True) if case.overtook(one)])


def _overtaken(site: SiteContext, case: OffboardingCase, others: list[OffboardingCase]) -> None:
    """Say of what *case* overtook before it ended anything that nothing more comes of it."""
    never = {one.id: one.reference for one in others if not one.ended_at}
    waiting = store.awaiting(database.path(site.home.root), case.person, never) if never else []
    if not waiting:
        return
    site_of = pinned_keys.load(pinned_keys.path(site.home.root))
    by = f"{case.reference or case.id} {case.kind.value}"
    for one in waiting:
        for file in one.files:
            said = answers.overtaken(one.notice, file, by)
            outbox.answer(site.home.root, site_of.audience, said, site.now(), reader=site_of.drop_uid)


def _sooner(site: SiteContext, notice: HrNotice, case: OffboardingCase) -> bool:
    """Whether access ended before the leave date that *notice* names, which is a day of the site's calendar."""
    said = notice.details.get("effective")
    zone = timezone(site.pack().utc_offset)
    return bool(said) and case.ended_at is not None and case.ended_at < instant(str(said), zone, end=True)


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

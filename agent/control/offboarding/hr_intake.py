"""HR intake: turns verified notices of the personnel system into acts, entries and alarms.

    departure-approved → ``case.notice``, whose approval cuts access    account-disabled, session-revoked → ``hold.add``

Rules of this file: a notice becomes an act like an officer's, with the agent as actor and HR's number in its entry;
access is never restored from here. Every delivery is an entry before it is filed; one that needs attention has
``alarm`` in its entry and raises an alarm that an officer acknowledges. The case in which a notice was carried out is
recorded; completion is answered with the receipt of that case (:mod:`agent.control.offboarding.hr_reply`).
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from agent.api.timestamps import instant
from agent.control.decider_client import UnrecordedError
from agent.control.offboarding.coordinator import OffboardingCoordinator
from agent.control.offboarding.hr_replay_guard import forget_older
from agent.control.offboarding.hr_reply import carried_out, held
from agent.errors import ShoumiError, UnreachableError
from agent.language.catalogue import both
from agent.offboard.intake import pinned_keys, watcher
from agent.offboard.intake.inbox import Hooks, Inbox, Received
from agent.offboard.intake.notice import HrEvent, HrNotice
from agent.offboard.intake.subject import Format
from agent.offboard.plan import Cause
from agent.site.context import SiteContext
from rules.eligibility import why_ineligible
from rules.model import Person
from rules.offboarding.case import PERSONNEL
from rules.offboarding.vocabulary import CaseKind
from rules.text import Message, Sentence
from rules.visible import visible

OwnAct = Callable[[str, Mapping[str, Any]], dict[str, Any]]  # performs an act of the agent and raises its errors


class HrIntake:
    """The HR inbox, its thread, and the replies. One per control process."""

    def __init__(
        self, site: SiteContext, offboarding: OffboardingCoordinator, act: OwnAct, silence: timedelta = timedelta(0)
    ) -> None:
        self._site = site
        self._silence = silence
        self._offboarding = offboarding
        self._act = act
        self._stopped = threading.Event()

    def serve(self) -> None:
        """Process deliveries, once HR's keys are pinned, until :meth:`stop`. Runs in its own thread."""
        while not pinned_keys.path(self._site.home.root).exists():  # no channel has been set up
            if self._stopped.wait(1):
                return
        forget_older(self._site.home, self._site.lists.cases.find(over=True))
        hooks = Hooks(
            self._is_registered, self._acts, self._wanted, self._received, self._note, self._trouble, self._whose
        )
        inbox = Inbox(self._site.home.root, hooks, silence=self._silence)
        try:
            watcher.serve(inbox, self._site.now, self._stopped, self._trouble)
        finally:
            inbox.close()

    def stop(self) -> None:
        """End serving after the delivery under way."""
        self._stopped.set()

    def _is_registered(self, person: str) -> bool:
        return self._person(person) is not None

    def _whose(self, form: Format, iss: str, identifier: str) -> str | None:
        return self._site.lists.hr_subjects.person(form, iss, identifier)

    def _acts(self, approver: str) -> bool:
        person = self._person(approver)
        return person is None or why_ineligible(person, self._site.now()) is None

    def _wanted(self) -> int:
        return self._site.pack().departure_case.hr_approvers

    def _person(self, name: str) -> Person | None:
        _, facts = self._site.facts.facts([name], "")  # an error is raised and never means "unknown person"
        return facts.persons.get(name)

    def _received(self, notice: HrNotice) -> None:
        if notice.event is HrEvent.DEPARTURE_APPROVED:
            reply = self._stopping(notice, lambda: self._act("case.notice", self._departure(notice)))
            carried_out(self._site, notice, str(reply["case"]))
            return
        reason = f"{notice.event.value} {notice.txn}"
        if all(
            row["reason"] != reason for row in self._site.lists.holds.find(notice.subject)
        ):  # a notice may arrive twice
            self._stopping(notice, lambda: self._act("hold.add", {"person": notice.subject, "reason": reason}))
        now = self._site.now()
        try:
            held(self._site.home, notice, {"held": now}, now)
        except ShoumiError as error:  # the hold is in force in any case
            self._trouble("answers", error.text)

    def _departure(self, notice: HrNotice) -> dict[str, Any]:
        """Return the arguments of ``case.notice``."""
        details = notice.details
        zone = timezone(self._site.pack().utc_offset)  # days are in the site's time zone
        approved_on = notice.toe.astimezone(zone).date()
        until = details.get("cooling_off_until")
        act_args = {
            "person": notice.subject,
            "reference": notice.txn,
            "approver": _approvers(notice),
            "last_day": str(details.get("last_day") or approved_on.isoformat()),  # without one: at once
            "class": details.get("class"),
            "cooling_off_until": _end_of(date.fromisoformat(until), zone) if until else None,
            **{name: str(details.get(name, "")) for name in ("kind", "department", "post", "effective", "batch")},
        }
        return {name: argument for name, argument in act_args.items() if argument}

    def _stopping(self, notice: HrNotice, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Perform the *act* for *notice*; if it cannot be recorded, stop the processes of the person meanwhile."""
        try:
            return act()
        except (UnrecordedError, UnreachableError):
            self._unrecorded(notice)
            raise

    def _unrecorded(self, notice: HrNotice) -> None:
        if notice.event is not HrEvent.DEPARTURE_APPROVED:
            self._offboarding.freeze_unrecorded(notice.subject, [PERSONNEL], Cause.HOLD)
            return
        approvers = [by for by in _approvers(notice) if self._acts(by)]
        leave, zone = notice.details.get("effective"), timezone(self._site.pack().utc_offset)
        at_once = notice.details["kind"] in self._site.pack().departure_case.immediate  # whatever date the notice gives
        to_come = leave is not None and not at_once and instant(leave, zone, end=True) > self._site.now()
        if len(approvers) >= self._wanted() and not to_come:  # otherwise it will be refused, or nothing ends yet
            cause = Cause.TRANSFER if CaseKind(notice.details["kind"]).passes else Cause.DEPARTURE
            self._offboarding.freeze_unrecorded(notice.subject, approvers, cause)

    def _note(self, received: Received) -> None:
        notice = received.notice
        fields: dict[str, Any] = {
            "kind": "hr-event",
            "file": received.name,
            "folder": received.folder,
            "outcome": received.reason,
            "alarm": received.alarm,
            "reason": received.text.to_json(),
        }
        if notice:
            fields |= {
                "person": notice.subject,
                "event": notice.event.value,
                "reference": notice.txn,
                "jti": notice.jti,
            }
            fields |= {"late": notice.late}
            if notice.named and str(notice.named) != notice.subject:
                fields |= {"named": str(notice.named)}
        if received.ignored:
            fields |= {"not_counted": list(received.ignored)}
        self._site.audit.append(fields)
        for sort, text in _alarms(received) if received.alarm else ():
            self._alarm(sort, text, notice)

    def _trouble(self, sort: str, text: Sentence) -> None:
        self._site.audit.append({"kind": "hr-channel", "outcome": sort, "alarm": True, "reason": text.to_json()})
        self._alarm(sort, text)

    def _alarm(self, sort: str, text: Sentence, notice: HrNotice | None = None) -> None:
        """Raise an alarm; one open alarm per kind until it is acknowledged."""
        kind = f"hr-{sort}"
        with suppress(
            ShoumiError
        ):  # the entry is in the log; if the act cannot be recorded, the next alarm tries again
            if all(row["kind"] != kind for row in self._site.lists.alarms.find()):
                about = {"person": notice.subject} if notice and notice.subject else {}
                self._act("hr.alarm", {"word": sort, **both(text).to_json(), **about})


def _alarms(received: Received) -> Iterator[tuple[str, Sentence]]:
    """Yield the kind and the sentence of each alarm about a delivery."""
    name, text = received.name, received.text
    if received.folder != "accepted":
        sentence = Message("control.notice-not-carried-out", name=name, text=text)
        yield "rejected" if received.folder == "rejected" else received.reason, sentence
        return
    if received.ignored:
        names = ", ".join(map(visible, received.ignored))
        sentence = Message("control.notice-carried-out-approver-not-counted", name=name, approvers=names)
        yield "not-counted", sentence
    if received.reason != "accepted":
        sentence = Message("control.notice-carried-out", name=name, text=text)
        yield received.reason, sentence


def _end_of(day: date, zone: timezone) -> str:
    return datetime.combine(day + timedelta(days=1), time(), zone).isoformat()


def _approvers(notice: HrNotice) -> list[str]:
    """Return the signing approvers; the personnel system where the site requires no approver signatures."""
    return [approval.person for approval in notice.approvals] or [PERSONNEL]

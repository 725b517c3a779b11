"""HR's channel inside the control process: what a verified notice does here.

    departure-approved → ``case.notice``, whose approval cuts access    account-disabled, session-revoked → ``hold.add``

Rules of this file: a notice becomes an act like an officer's, with the agent as its actor and HR's number in its entry;
giving access back is never done from here. Every delivery is an entry before it is put away, and what needs somebody's
attention says ``alarm`` and is an alarm that an officer acknowledges. In which case a notice was carried out is written
down; that it is complete is answered with the receipt of that case (:mod:`agent.control.offboarding.hr_reply`).
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
from rules.text import Text
from rules.visible import visible

OwnAct = Callable[[str, Mapping[str, Any]], dict[str, Any]]  # does an act of the agent, and raises what it raised


class HrIntake:
    """The inbox, its thread, and the answers. One per control process."""

    def __init__(
        self, site: SiteContext, offboarding: OffboardingCoordinator, act: OwnAct, silence: timedelta = timedelta(0)
    ) -> None:
        self._site = site
        self._silence = silence
        self._offboarding = offboarding
        self._act = act
        self._stopped = threading.Event()

    def serve(self) -> None:
        """Take up deliveries from when HR's keys are pinned until :meth:`stop`. Runs in a thread of its own."""
        while not pinned_keys.path(self._site.home.root).exists():  # no channel has been set up
            if self._stopped.wait(1):
                return
        forget_older(self._site.home, self._site.lists.cases.find(over=True))
        hooks = Hooks(self._known, self._acts, self._wanted, self._received, self._note, self._trouble, self._whose)
        inbox = Inbox(self._site.home.root, hooks, silence=self._silence)
        try:
            watcher.serve(inbox, self._site.now, self._stopped, self._trouble)
        finally:
            inbox.close()

    def stop(self) -> None:
        """End serving after the delivery under way."""
        self._stopped.set()

    def _known(self, person: str) -> bool:
        return self._person(person) is not None

    def _whose(self, form: Format, iss: str, value: str) -> str | None:
        return self._site.lists.hr_subjects.person(form, iss, value)

    def _acts(self, approver: str) -> bool:
        person = self._person(approver)
        return person is None or why_ineligible(person, self._site.now()) is None

    def _wanted(self) -> int:
        return self._site.pack().departure_case.hr_approvers

    def _person(self, name: str) -> Person | None:
        _, facts = self._site.facts.facts([name], "")  # an error is an error, and no "nobody"
        return facts.persons.get(name)

    def _received(self, notice: HrNotice) -> None:
        if notice.event is HrEvent.DEPARTURE_APPROVED:
            result = self._stopping(notice, lambda: self._act("case.notice", self._departure(notice)))
            carried_out(self._site, notice, str(result["case"]))
            return
        reason = f"{notice.event.value} {notice.txn}"
        if all(row["reason"] != reason for row in self._site.lists.holds.find(notice.subject)):  # it may come twice
            self._stopping(notice, lambda: self._act("hold.add", {"person": notice.subject, "reason": reason}))
        now = self._site.now()
        try:
            held(self._site.home, notice, {"held": now}, now)
        except ShoumiError as error:  # the hold is in force all the same
            self._trouble("answers", error.text)

    def _departure(self, notice: HrNotice) -> dict[str, Any]:
        """Return what ``case.notice`` is given."""
        details = notice.details
        zone = timezone(self._site.pack().utc_offset)  # every day is one of the site's calendar
        approved_on = notice.toe.astimezone(zone).date()
        until = details.get("cooling_off_until")
        given = {
            "person": notice.subject,
            "reference": notice.txn,
            "approver": _approvers(notice),
            "last_day": str(details.get("last_day") or approved_on.isoformat()),  # none said: at once
            "class": details.get("class"),
            "cooling_off_until": _end_of(date.fromisoformat(until), zone) if until else None,
            **{name: str(details.get(name, "")) for name in ("kind", "department", "post", "effective", "batch")},
        }
        return {name: value for name, value in given.items() if value}

    def _stopping(self, notice: HrNotice, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do the *act* that *notice* asks for; as long as it cannot be written down, stop the person meanwhile."""
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
        at_once = notice.details["kind"] in self._site.pack().departure_case.immediate  # whatever date it names
        to_come = leave is not None and not at_once and instant(leave, zone, end=True) > self._site.now()
        if len(approvers) >= self._wanted() and not to_come:  # else it will be refused, or nothing ends yet
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
        for word, text in _alarms(received) if received.alarm else ():
            self._alarm(word, text, notice)

    def _trouble(self, word: str, text: Text) -> None:
        self._site.audit.append({"kind": "hr-channel", "outcome": word, "alarm": True, "reason": text.to_json()})
        self._alarm(word, text)

    def _alarm(self, word: str, text: Text, notice: HrNotice | None = None) -> None:
        """Have officers see it; one alarm of a sort stands for all until it is acknowledged."""
        kind = f"hr-{word}"
        with suppress(ShoumiError):  # the entry is in the log; while the act cannot be recorded, the next one tries
            if all(row["kind"] != kind for row in self._site.lists.alarms.find()):
                about = {"person": notice.subject} if notice and notice.subject else {}
                self._act("hr.alarm", {"word": word, "en": text.en, "zh": text.zh, **about})


def _alarms(received: Received) -> Iterator[tuple[str, Text]]:
    """Yield what officers are told of a delivery that wants a look: the sort of it, and a sentence."""
    name, text = received.name, received.text
    if received.folder != "accepted":
        said = Text(
            f"the notice `{name}` of the personnel system was not carried out: {text.en}",
            f"人事通知 `{name}` 未执行：{text.zh}",
        )
        yield "rejected" if received.folder == "rejected" else received.reason, said
        return
    if received.ignored:
        who = ", ".join(map(visible, received.ignored))
        said = Text(
            f"the notice `{name}` of the personnel system is carried out, and who signed it may not act now: `{who}`",
            f"人事通知 `{name}` 已执行，但签名的审批人现不得代为审批：`{who}`",
        )
        yield "not-counted", said
    if received.reason != "accepted":
        said = Text(
            f"the notice `{name}` of the personnel system is carried out: {text.en}",
            f"人事通知 `{name}` 已执行：{text.zh}",
        )
        yield received.reason, said


def _end_of(day: date, zone: timezone) -> str:
    return datetime.combine(day + timedelta(days=1), time(), zone).isoformat()


def _approvers(notice: HrNotice) -> list[str]:
    """Return who signed; where the site asks for no signatures of approvers, the personnel system answers for it."""
    return [approval.person for approval in notice.approvals] or [PERSONNEL]

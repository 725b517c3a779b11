"""What the personnel system says, and what becomes of it: real tokens, real keys, the real control process."""

import os
import resource
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from agent.errors import RefusedError, UnreachableError
from agent.kernel import labels
from agent.offboard import database
from agent.offboard.intake import outbox, pinned_keys
from agent.offboard.intake.inbox import Hooks, Inbox
from agent.offboard.intake.notice import HrEvent, HrNotice
from agent.offboard.intake.token import TYPE
from agent.simulator import hr_sender
from rules.offboarding.vocabulary import CaseKind
from tests import needs
from tests.control.office import OUT, Office, office_of
from tests.control.site import Site
from tests.offboard.host import unused_uid

EVENING = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)  # the next day at a site eight hours ahead


def until(come: Callable[[], Any], patience: float = 30.0) -> Any:
    """Ask again and again, and return what came."""
    deadline = time.monotonic() + patience
    while not (found := come()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
    return found


@pytest.fixture
def uid() -> Iterator[int]:
    """The leaver's, which nobody has."""
    with unused_uid() as found:
        yield found


@pytest.fixture
def private(fresh: Site) -> Path:
    """Pin the keys of a personnel system whose notices `E2` and `E3` approve; return its private keys."""
    folder = fresh.home.root.parent / "keys"
    made = hr_sender.make_keys(
        folder, audience="urn:shoumi:agent:test", iss="https://hr.example", approvers=[("a", "E2"), ("b", "E3")]
    )
    shutil.copy(made, pinned_keys.path(fresh.home.root))
    return folder


def drop(site: Site, private: Path, at: datetime, **how: Any) -> str:
    """Have a notice about `E1`, approved *at*, delivered; return the name of the file."""
    until((site.home.root / "spool" / "new").is_dir)
    return hr_sender.send_test(site.home.root, "E1", private, at, **how).file.name


def filed(site: Site, name: str) -> Any:
    """Wait until the delivery is put away, and return where, and why. It is noted before it is moved."""

    def look() -> Any:
        if (site.home.root / "spool" / "new" / name).exists():
            return []
        return [(entry["folder"], entry["outcome"]) for entry in site.entries(kind="hr-event", file=name)]

    [found] = until(look)
    return found


def cases(site: Site) -> list[dict[str, Any]]:
    try:
        with site.client() as client:
            return list(client.stream("case.list", all=True))
    except UnreachableError:
        return []


def people(site: Site) -> None:
    with site.client() as client:
        for name in ("E1", "E2", "E3"):
            client.call("person.add", person=name)


def test_without_a_last_day_it_is_the_day_of_the_approval_by_the_calendar_of_the_site(
    fresh: Site, private: Path
) -> None:
    people(fresh)
    assert filed(fresh, drop(fresh, private, EVENING)) == ("accepted", "late")
    [case] = until(lambda: cases(fresh))
    assert (case["last_day"], case["step"]) == ("2026-03-02", "approved")


def test_with_a_last_day_it_is_that(fresh: Site, private: Path) -> None:
    people(fresh)
    drop(fresh, private, EVENING, last_day=datetime(2026, 4, 30, tzinfo=UTC).date())
    [case] = until(lambda: cases(fresh))
    assert case["last_day"] == "2026-04-30"


def test_the_cooling_off_period_ends_with_the_day_it_names_by_the_calendar_of_the_site(
    fresh: Site, private: Path
) -> None:
    people(fresh)
    said(fresh, private, {"kind": "retirement", "class": "核心", "cooling_off_until": "2049-12-31"})
    [case] = until(lambda: cases(fresh))
    assert (case["cooling_off_until"], case["owed"]) == ("2049-12-31T16:00:00Z", [])
    with fresh.client() as client:
        assert client.call("case.show", person="E1")["printed_class"] == "核心"


def said(site: Site, private: Path, details: dict[str, Any]) -> None:
    """Deliver a departure of `E1` with these members, approved now."""
    until((site.home.root / "spool" / "new").is_dir)
    hr, approvers = hr_sender.read_keys(private)
    now = int(time.time())
    named = [{"role": one["role"], "by": one["person"], "at": now} for one in approvers]
    claims = {"iss": hr["iss"], "aud": "urn:shoumi:agent:test", "iat": now, "jti": "1", "toe": now, "txn": "HR-1"}
    claims |= {"sub_id": {"format": "iss_sub", "iss": hr["iss"], "sub": "E1"}}
    claims |= {"events": {HrEvent.DEPARTURE_APPROVED.uri: details | {"approvers": named}}}
    claims |= {"approvals": [hr_sender.approve(claims, one, datetime.now(UTC)) for one in approvers]}
    hr_sender.drop(site.home.root / "spool" / "new", hr_sender.sign(claims, hr, TYPE), "one")


@pytest.mark.parametrize(
    ("effective", "step", "at"),
    [
        ("2049-12-31", "scheduled", "2049-12-31T16:00:00Z"),  # the end of that day, by the calendar of the site
        ("2049-12-31T12:00+01:00", "scheduled", "2049-12-31T11:00:00Z"),
        ("2020-01-01", "approved", None),
    ],
)
def test_a_leave_date_ends_access_then_and_one_that_is_past_at_once(
    fresh: Site, private: Path, effective: str, step: str, at: str | None
) -> None:
    people(fresh)
    said(fresh, private, {"kind": "layoff", "effective": effective, "batch": "2049-A"})
    [case] = until(lambda: cases(fresh))
    assert (case["step"], case["batch"], case["kind"]) == (step, "2049-A", "layoff")
    if at:
        with fresh.client() as client:
            assert client.call("case.show", person="E1")["effective_at"] == at


def answers(site: Site) -> list[tuple[str, str]]:
    """Return what the personnel system reads in the outbox: case numbers, and what is said of each."""
    said = []
    for file in (site.home.root / "outbox").glob("*.set"):
        claims = jwt.decode(file.read_text(), options={"verify_signature": False})
        if outbox.COMPLETED in claims["events"]:
            said.append((claims["txn"], claims["events"][outbox.COMPLETED]["answers"]))
    return sorted(said)


def test_every_token_about_a_departure_is_answered_also_one_that_comes_when_all_is_over(
    fresh: Site, private: Path
) -> None:
    people(fresh)
    now = datetime.now(UTC)
    drop(fresh, private, now, txn="HR-1")
    [first] = until(lambda: answers(fresh))
    assert first[0] == "HR-1"
    drop(fresh, private, now + timedelta(milliseconds=1), txn="HR-2")
    both = until(lambda: found if len(found := answers(fresh)) == 2 else None)
    assert [case for case, _ in both] == ["HR-1", "HR-2"]
    assert len(cases(fresh)) == 1


def test_a_case_that_an_officer_opened_is_answered_too(fresh: Site, private: Path) -> None:
    people(fresh)
    with fresh.client() as client:
        client.call("case.open", person="E1", last_day="2099-12-31")
    drop(fresh, private, datetime.now(UTC), txn="HR-1")
    assert [case for case, _ in until(lambda: answers(fresh))] == ["HR-1"]


def test_a_site_that_asks_for_no_signatures_of_approvers_is_served_too(fresh: Site) -> None:
    folder = fresh.home.root.parent / "keys"
    shutil.copy(hr_sender.make_keys(folder, audience="urn:x:site", iss="urn:x:hr"), pinned_keys.path(fresh.home.root))
    people(fresh)
    until((fresh.home.root / "spool" / "new").is_dir)
    now = int(time.time())
    named = {"kind": "resignation", "approvers": [{"role": "a", "by": "E2", "at": now}]}
    claims = {"iss": "urn:x:hr", "aud": "urn:x:site", "iat": now, "jti": "1", "toe": now, "txn": "HR-1"}
    claims |= {"sub_id": {"format": "iss_sub", "iss": "urn:x:hr", "sub": "E1"}}
    claims |= {"events": {HrEvent.DEPARTURE_APPROVED.uri: named}}
    token = hr_sender.sign(claims, hr_sender.read_keys(folder)[0], TYPE)
    hr_sender.drop(fresh.home.root / "spool" / "new", token, "one")
    assert filed(fresh, "one.set") == ("accepted", "accepted")
    [case] = until(lambda: cases(fresh))
    assert case["step"] == "approved"


def test_a_notice_about_nobody_waits_and_is_released_when_the_person_is_registered(fresh: Site, private: Path) -> None:
    name = drop(fresh, private, datetime.now(UTC), txn="HR-1")
    assert filed(fresh, name) == ("quarantine", "unknown-person")
    with fresh.client() as client:
        [waiting] = until(lambda: list(client.stream("case.quarantine")))
        assert (waiting["person"], waiting["reference"], waiting["reason"]) == ("E1", "HR-1", "unknown-person")
        with pytest.raises(RefusedError, match=r"control.person-not-found.*E1"):
            client.call("case.release", name="E1")
        with pytest.raises(RefusedError, match=r"control.quarantine-no-match"):
            client.call("case.release", name="E2")
        assert client.call("person.add", person="E1")["quarantined"] == ["HR-1"]
        assert client.call("person.add", person="E2")["quarantined"] == []
        assert client.call("case.release", name="E1")["released"] == [waiting["name"]]
        [case] = until(lambda: cases(fresh))
        assert (case["person"], case["step"]) == ("E1", "approved")
        assert list(client.stream("case.quarantine")) == []
    [released] = fresh.entries(kind="act", act="case.release", outcome="done")
    assert released["args"] == {"name": "E1", "person": "E1", "released": [waiting["name"]]}


@pytest.mark.parametrize("how", OUT)
def test_a_notice_signed_by_somebody_out_of_office_waits_for_an_officer(fresh: Site, private: Path, how: str) -> None:
    people(fresh)
    with fresh.client() as client:
        match how:
            case "on hold":
                client.call("hold.add", person="E3", reason="x")
            case "inactive":
                client.call("person.set", person="E3", inactive=True)
            case "leaving":
                client.call("case.open", person="E3", last_day="2026-01-01", kind="unfit")
        name = drop(fresh, private, datetime.now(UTC), txn="HR-1")
        assert filed(fresh, name) == ("quarantine", "approver-out")
        [entry] = fresh.entries(kind="hr-event", file=name)
        assert (entry["alarm"], entry["not_counted"], entry["person"]) == (True, ["E3"], "E1")
        assert "hr-approver-out" in until(lambda: [alarm["kind"] for alarm in client.stream("alarm.list")])
        assert not [case for case in cases(fresh) if case["person"] == "E1"]
        match how:
            case "on hold":
                client.call("hold.lift", person="E3", reason="x")
            case "inactive":
                client.call("person.set", person="E3", active=True)
            case "leaving":
                return
        client.call("case.release", name="E1")
    assert [case["step"] for case in until(lambda: cases(fresh))] == ["approved"]


@needs.root
def test_while_the_log_cannot_be_written_a_leaver_is_stopped_and_ends_when_it_can(
    fresh: Site, private: Path, uid: int
) -> None:
    until((fresh.home.root / "spool" / "new").is_dir)
    with fresh.client() as client:
        client.call("person.add", person="E1", account=[uid])
    with started(uid) as leaver:
        with no_space(fresh):
            name = drop(fresh, private, datetime.now(UTC))
            until(leaver.stopped)
            assert cases(fresh) == []
            assert name in os.listdir(fresh.home.root / "spool" / "new")
        assert leaver.ended()
    assert filed(fresh, name) == ("accepted", "accepted")
    assert [case["step"] for case in cases(fresh)] == ["approved"]


@needs.root
@pytest.mark.parametrize(
    "what",
    [{"event": HrEvent.SESSION_REVOKED}, {"event": HrEvent.ACCOUNT_DISABLED}, {"kind": CaseKind.TRANSFER}],
    ids=["sessions", "account", "transfer"],
)
def test_of_who_stays_only_the_processes_that_hold_classified_files_are_stopped_meanwhile(
    fresh: Site, private: Path, uid: int, what: dict[str, Any]
) -> None:
    until((fresh.home.root / "spool" / "new").is_dir)
    plans = fresh.home.root.parent / "plans"
    plans.mkdir()
    secret = plans / "a.txt"
    secret.write_text("secret")
    labels.write(str(secret), "plans")  # as the agent does where it protects an area
    with fresh.client() as client:
        client.call("person.add", person="E1", account=[uid])
        client.call("area.add", path=str(plans), name="plans", level="secret", domain="state")
    with started(uid, secret) as holder, started(uid) as free:
        with no_space(fresh):
            drop(fresh, private, datetime.now(UTC), **what)
            until(holder.stopped)
            assert not free.stopped()
            assert not fresh.entries(kind="act", act="hold.add")
        assert holder.ended()
        assert not free.stopped()


@contextmanager
def no_space(site: Site) -> Iterator[None]:
    """Let no file of the log grow, as on a full disk."""
    free = resource.prlimit(site.peer.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(site.peer.pid, resource.RLIMIT_FSIZE, (0, free[1]))
    try:
        yield
    finally:
        resource.prlimit(site.peer.pid, resource.RLIMIT_FSIZE, free)


class Started:
    """A process of somebody that is no child of ours: the agent spares whoever started it, with all theirs."""

    def __init__(self, uid: int, held: Path) -> None:
        command = ["setsid", "--fork", "sh", "-c", "echo $$; exec sleep 300 >/dev/null"]
        with (
            held.open() as file,
            subprocess.Popen(
                command, stdin=file, stdout=subprocess.PIPE, user=uid, group=uid, extra_groups=[]
            ) as starter,
        ):
            assert starter.stdout
            self.pid = int(starter.stdout.readline())
        self.pidfd = os.pidfd_open(self.pid)

    def stopped(self) -> bool:
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def ended(self) -> bool:
        return bool(select.select([self.pidfd], [], [], 30)[0])


@contextmanager
def started(uid: int, held: Path = Path("/dev/null")) -> Iterator[Started]:
    """Run a process of *uid* that holds *held* open, and end it if nobody else does."""
    process = Started(uid, held)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(process.pidfd, signal.SIGKILL)
        os.close(process.pidfd)


def rescinded(office: Office) -> datetime:
    """Approve a departure of `E1`, have two officers take it back, and return when that was complete."""
    office.approved()
    office.do("case.rescind", reason="wrong person")
    office.do("case.rescind", officer="E9", reason="so it is")
    assert office.do("case.status")["step"] == "rescinded"
    return office.site.lists.cases.get("E1").rescissions[-1].at


def admitted(site: Site) -> list[tuple[str, list[str]]]:
    """Sweep the spool as the agent does, and return what became of each file, and of whom it would have spoken."""
    handed: list[HrNotice] = []
    hooks = Hooks(
        known=lambda _person: True,
        acts=lambda _approver: True,
        wanted=lambda: 1,
        received=handed.append,
        note=lambda _received: None,
        trouble=lambda _word, _text: None,
    )
    inbox = Inbox(site.home.root, hooks)
    try:
        swept = [*inbox.sweep(datetime.now(UTC)), *inbox.sweep(datetime.now(UTC))]
        return [(received.reason, [notice.subject for notice in handed]) for received in swept]
    finally:
        inbox.close()


def test_what_was_approved_before_a_rescission_ends_nothing_any_more_and_a_new_approval_does(
    fresh: Site, private: Path
) -> None:
    until((fresh.home.root / "spool" / "new").is_dir)
    with office_of(fresh) as office:
        back = rescinded(office)
        drop(fresh, private, back - timedelta(seconds=1))
        assert admitted(fresh) == [("superseded", [])]
    fresh.start_control()
    new = drop(fresh, private, datetime.now(UTC) + timedelta(seconds=1))
    assert filed(fresh, new) == ("accepted", "accepted")
    [old, again] = until(lambda: found if len(found := cases(fresh)) == 2 else None)
    assert (old["step"], again["step"], again["case"]) == ("rescinded", "approved", "C000002")


def test_a_rescission_that_the_inbox_never_learned_of_is_known_to_it_after_the_next_start(
    fresh: Site, private: Path
) -> None:
    until((fresh.home.root / "spool" / "new").is_dir)
    with office_of(fresh) as office:
        back = rescinded(office)
    database.path(fresh.home.root).unlink()  # as if the agent had died between the act and this
    fresh.start_control()
    assert filed(fresh, drop(fresh, private, back - timedelta(seconds=1))) == ("quarantine", "superseded")
    assert [case["step"] for case in cases(fresh)] == ["rescinded"]

"""What a notice ends decides what supersedes it: the pure rule, and the store that asks it in SQL."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offboard.intake.notice import HrEvent, HrNotice
from agent.offboard.intake.store import Arrival, Store
from agent.offboard.intake.supersession import ALL, Ended, EventMark, ends, mark, supersedes
from agent.offboard.plan import Cause
from agent.offboard.runner import steps_for
from rules.offboarding.vocabulary import CaseKind
from tests.offboard.test_database import TOKENS, old

START = datetime(2026, 12, 1, tzinfo=UTC)
EVENTS = [(HrEvent.DEPARTURE_APPROVED, kind) for kind in CaseKind]
EVENTS += [(HrEvent.ACCOUNT_DISABLED, None), (HrEvent.SESSION_REVOKED, None)]


def notice(event: HrEvent, kind: CaseKind | None, minute: int, number: str, sent: int | None = None) -> HrNotice:
    """Return what happened in *minute*, and was *sent* then or in another one."""
    at = START + timedelta(minutes=minute)
    issued = at if sent is None else START + timedelta(minutes=sent)
    details = {"kind": kind.value} if kind else {}
    claims = {"jti": number}
    return HrNotice("https://hr", number, "kid", issued, at, "", "E1", event, details, (), claims, late=False)


notices = st.lists(
    st.tuples(st.sampled_from(EVENTS), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=8
).map(lambda drawn: [notice(*event, minute, str(number), sent) for number, (event, minute, sent) in enumerate(drawn)])


@given(notices)
def test_the_store_refuses_exactly_what_the_rule_says_is_superseded(tmp_path_factory, arrivals):
    with Store(tmp_path_factory.mktemp("store") / "offboard.db") as store:
        taken: list[HrNotice] = []
        for one in arrivals:
            [outcome] = store.admit([Arrival(one, b"token")], lambda _person: True, START)
            gone = any(supersedes(ends(other), mark(other), ends(one), mark(one)) for other in taken)
            assert outcome == ("superseded" if gone else "accepted")
            if not gone:
                taken.append(one)


@given(notices)
def test_whatever_the_order_everything_that_was_asked_for_is_ended(tmp_path_factory, arrivals):
    with Store(tmp_path_factory.mktemp("store") / "offboard.db") as store:
        store.admit([Arrival(one, b"token") for one in arrivals], lambda _person: True, START)
        ended = Ended(0)
        for one in store.open():
            ended |= ends(one.notice)
    asked = Ended(0)
    for one in arrivals:
        asked |= ends(one)
    assert ended == asked


def test_a_resignation_is_never_superseded_by_a_transfer_nor_an_account_by_a_departure_that_leaves_it():
    early, late = EventMark(START, START), EventMark(START + timedelta(1), START)
    kinds = {kind: ends(notice(HrEvent.DEPARTURE_APPROVED, kind, 0, "1")) for kind in CaseKind}
    assert not supersedes(kinds[CaseKind.TRANSFER], late, kinds[CaseKind.RESIGNATION], early)
    assert supersedes(kinds[CaseKind.RESIGNATION], late, kinds[CaseKind.TRANSFER], early)
    assert not supersedes(kinds[CaseKind.RESIGNATION], early, kinds[CaseKind.TRANSFER], late)
    account = ends(notice(HrEvent.ACCOUNT_DISABLED, None, 0, "1"))
    assert {kind for kind in CaseKind if not supersedes(kinds[kind], late, account, early)} == {
        CaseKind.TRANSFER,
        CaseKind.REHIRED,
        CaseKind.LONG_LEAVE,
    }
    assert not supersedes(ALL, late, Ended(0), early)


@pytest.mark.parametrize("kind", list(CaseKind))
def test_a_departure_is_said_to_end_the_account_where_what_is_carried_out_locks_it(kind: CaseKind) -> None:
    steps = {step.id for step in steps_for(Cause.TRANSFER if kind.passes else Cause.DEPARTURE)}
    ended = ends(notice(HrEvent.DEPARTURE_APPROVED, kind, 0, "1"))
    assert (Ended.ACCOUNT in ended) == ("account" in steps)
    assert Ended.SESSIONS | Ended.POST in ended


def test_of_two_that_happened_at_once_the_one_that_was_sent_later_is_the_newer() -> None:
    first = mark(notice(HrEvent.SESSION_REVOKED, None, 0, "1", sent=1))
    second = mark(notice(HrEvent.SESSION_REVOKED, None, 0, "2", sent=2))
    earlier = mark(notice(HrEvent.SESSION_REVOKED, None, -1, "3", sent=3))
    assert supersedes(ALL, second, ALL, first)
    assert not supersedes(ALL, first, ALL, second)
    assert not supersedes(ALL, earlier, ALL, first)


def test_a_departure_that_is_to_come_supersedes_nothing_that_ends_at_once():
    early, late = EventMark(START, START), EventMark(START + timedelta(1), START)
    now = notice(HrEvent.DEPARTURE_APPROVED, CaseKind.RESIGNATION, 0, "1")
    account = ends(notice(HrEvent.ACCOUNT_DISABLED, None, 0, "1"))
    day = timedelta(days=1)
    for said, at_once in (
        ((START + day).isoformat(), False),
        ((START - day).isoformat(), True),
        (f"{START.date() + day}", False),
        (f"{START.date() - 3 * day}", True),
    ):
        found = ends(replace(now, details=now.details | {"effective": said}))
        assert (found == ALL) == supersedes(found, late, account, early) == at_once


def test_a_release_dates_anew_what_was_superseded_until_access_is_given_back_after_it(tmp_path):
    old = notice(HrEvent.DEPARTURE_APPROVED, CaseKind.RESIGNATION, 0, "old")
    with Store(tmp_path / "offboard.db") as store:
        store.restored("E1", START + timedelta(hours=1))
        assert store.admit([Arrival(old, b"")], lambda _person: True, START) == ["superseded"]
        store.release(old.key, START + timedelta(hours=2))
        assert store.admit([Arrival(old, b"")], lambda _person: True, START) == ["accepted"]
        store.carried_out(old, "C000001")
        assert [one.notice for one in store.awaiting("E1", {"C000001": ""})] == [old]
        store.restored("E1", START + timedelta(hours=1))  # as at every start
        assert [one.notice for one in store.open()] == [old]
        store.restored("E1", START + timedelta(hours=3))
        assert (store.open(), store.awaiting("E1", {"C000001": ""})) == ([], [])
        store.release(old.key, START + timedelta(hours=4))
        assert store.admit([Arrival(old, b"")], lambda _person: True, START) == ["accepted"]


def test_what_an_older_program_kept_is_ordered_by_what_it_ends(tmp_path):
    file = tmp_path / "offboard.db"
    kept = notice(HrEvent.DEPARTURE_APPROVED, CaseKind.TRANSFER, 5, "transfer")
    line = json.dumps(kept.to_json())
    old(
        file,
        TOKENS,
        "INSERT INTO hr_tokens (iss, jti, subject, strength, toe, iat, received_at, state, claims, notice, token)"
        f" VALUES ('https://hr', 'transfer', 'E1', 3, {int(kept.toe.timestamp())}000000, 1, '2026-12-01',"
        f" 'handed', x'00', '{line}', x'00')",
    )
    with Store(file) as store:
        resignation = notice(HrEvent.DEPARTURE_APPROVED, CaseKind.RESIGNATION, 0, "resignation")
        earlier = notice(HrEvent.DEPARTURE_APPROVED, CaseKind.TRANSFER, 0, "earlier")
        assert store.admit([Arrival(earlier, b""), Arrival(resignation, b"")], lambda _person: True, START) == [
            "superseded",
            "accepted",
        ]

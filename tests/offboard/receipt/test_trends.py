"""How fast, over everything that is kept; and what ends by itself, said in time and once."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agent.offboard.expiring import HOLDERS, OFFICERS, Sort, UpcomingExpiry, due, due_to_holders, endings, losses
from agent.offboard.receipt.keyring import KeyRing
from agent.offboard.receipt.receipt import issue, receipts_folder
from agent.offboard.receipt.timeline import Marks
from agent.offboard.receipt.trends import lines, trends
from agent.shipped_packs import text as pack_text
from rules.model import Departure, DepartureStage, Grant, Hold, Person, Record
from rules.pack.reader import load
from rules.text import Text
from tests.offboard import proof_kit as kit
from tests.sentences import en, zh


def test_trends_are_ranks_of_what_was_measured(tmp_path: Path) -> None:
    for number in range(1, 21):
        marks = Marks(None, kit.NOON, kit.after(1), kit.after(number), kit.after(-5 if number == 1 else number / 2))
        issue(tmp_path, kit.ending(case=f"C{number:06}", marks=marks), kit.ISSUED)
    issue(tmp_path, kit.ending(case="C000020", marks=marks, doors=()), kit.ISSUED)  # replaces, is not counted twice
    folder = receipts_folder(tmp_path)
    (folder / "C000099.000001.receipt").write_bytes(b"{}\n{}\n")
    found = trends(folder, KeyRing(tmp_path).public_of)
    assert (found.receipts, found.incomplete, found.bad) == (20, 0, 1)
    rows = {row.mark: tuple(row[1:]) for row in found.rows}
    assert rows["denied"] == (20, 10_000, 19_000, 20_000)
    assert rows["last-read"] == (19, 5_500, 9_500 + 500, 10_000)
    assert rows["durable"] == (20, 1000, 1000, 1000)
    assert rows["doors"][0] == 19
    assert "last-gone" not in rows
    assert "19.0 ms" in "\n".join(lines(found, "en"))
    assert "19.0 毫秒" in "\n".join(lines(found, "zh"))


def test_no_receipts_is_no_trend(tmp_path: Path) -> None:
    assert trends(receipts_folder(tmp_path), KeyRing(tmp_path).public_of).rows == ()


def grant(until: datetime) -> UpcomingExpiry:
    return UpcomingExpiry(Sort.GRANT, "E1", "G000001", until, Text("grant", "授权"))


def test_warnings_come_at_14_7_and_1_days_and_at_the_end_each_once() -> None:
    until, said, heard = kit.NOON + timedelta(days=30), frozenset(), []
    for hour in range(24 * 60):
        now = kit.NOON + timedelta(hours=hour)
        told, said = due([grant(until)], said, now)
        heard += [(one.lead, until - now) for one in told]
    assert heard == [(lead, lead) for lead in (*OFFICERS, timedelta(0))]


@given(st.lists(st.integers(-40 * 24, 40 * 24), max_size=30))
def test_whenever_it_is_asked_nothing_is_said_twice_and_the_nearest_is_never_missed(hours: list[int]) -> None:
    until, said, heard = kit.NOON, frozenset(), []
    for hour in sorted(hours):
        told, said = due([grant(until)], said, kit.NOON + timedelta(hours=hour))
        heard += [one.lead for one in told]
        reached = [lead for lead in (*OFFICERS, timedelta(0)) if timedelta(hours=hour) >= -lead]
        if reached and hour < 14 * 24:
            assert reached[-1] in heard
    assert len(heard) == len(set(heard))
    assert heard == sorted(heard, reverse=True)


def test_a_new_end_is_warned_of_again() -> None:
    told, said = due([grant(kit.NOON + timedelta(days=1))], frozenset(), kit.NOON)
    assert [one.lead.days for one in told] == [1]
    told, said = due([grant(kit.NOON + timedelta(days=8))], said, kit.NOON + timedelta(days=2))
    assert [one.lead.days for one in told] == [7]


def test_what_ended_long_ago_is_no_news() -> None:
    assert due([grant(kit.NOON - timedelta(days=14))], frozenset(), kit.NOON).now == ()
    assert [one.lead.days for one in due([grant(kit.NOON - timedelta(days=13))], frozenset(), kit.NOON).now] == [0]


def test_what_ends_is_temporary_grants_gating_records_and_cooling_off() -> None:
    pack = load(pack_text("state"))
    kind = next(name for name, kind in pack.records.items() if kind.valid_days and not kind.topics)
    days = pack.records[kind].valid_days
    later = kit.NOON + timedelta(days=3)
    person = Person(
        "E1",
        records=(Record(kind, kit.NOON - timedelta(days=9)), Record(kind, kit.NOON), Record("unknown", kit.NOON)),
        grants=(
            Grant("G000001", "E1", "计划", "r", "E2", kit.NOON, later, temporary=True),
            Grant("G000002", "E1", "计划", "r", "E2", kit.NOON, later),
            Grant("G000003", "E1", "计划", "r", "E2", kit.NOON, None, temporary=True),
        ),
        departures=(
            Departure(DepartureStage.COOLING_OFF, kit.NOON, later),
            Departure(DepartureStage.CLOSED, kit.NOON, later),
        ),
    )
    assert [(one.sort, one.name, one.until) for one in endings(person, pack)] == [
        (Sort.GRANT, "G000001", later),
        (Sort.RECORD, kind, kit.NOON + timedelta(days=days)),
        (Sort.COOLING_OFF, "", later),
    ]


def test_a_failed_latest_record_ends_nothing_any_more() -> None:
    pack = load(pack_text("state"))
    kind = next(name for name, kind in pack.records.items() if kind.valid_days and not kind.topics)
    records = (Record(kind, kit.NOON), Record(kind, kit.NOON + timedelta(days=1), passed=False))
    assert list(endings(Person("E1", records=records), pack)) == []


def test_a_holder_is_warned_7_days_1_day_and_10_minutes_before_each_once_and_not_of_what_is_over() -> None:
    until, said, heard = kit.NOON + timedelta(days=9), frozenset(), []
    for minute in range(0, 10 * 24 * 60, 5):
        now = kit.NOON + timedelta(minutes=minute)
        told, said = due_to_holders([grant(until)], said, now, timezone(timedelta(hours=8)))
        heard += [(one.lead, until - now) for one in told]
    assert heard == [(lead, lead) for lead in HOLDERS]


def test_a_holder_reads_the_time_of_the_site_in_both_languages() -> None:
    zone = timezone(timedelta(hours=8))
    [one] = due_to_holders([grant(kit.NOON)], frozenset(), kit.NOON - timedelta(minutes=5), zone).now
    when = kit.NOON.astimezone(zone).isoformat(" ", "minutes")
    assert when.endswith("+08:00")
    assert (en(one.text), zh(one.text)) == (
        f"grant will end within 10 minutes: {when}",
        f"授权将于 10 分钟内结束：{when}",
    )


def leaver(**how: object) -> Person:
    soon = kit.NOON + timedelta(days=3)
    grants = (
        Grant("G000001", "E1", "计划\x1b[2J", "r", "E2", kit.NOON, soon, temporary=True),
        Grant("G000002", "E1", "计划", "r", "E2", kit.NOON, soon),
        Grant("G000003", "E1", "计划", "r", "E2", kit.NOON),
        Grant("G000004", "E1", "计划", "r", "E2", kit.NOON + timedelta(days=1), soon),
    )
    leaving = Departure(DepartureStage.APPROVED, kit.NOON, None, "E2", soon)
    return Person("E1", grants=grants, departures=(leaving,), **how)  # type: ignore[arg-type]


def test_what_is_lost_is_every_grant_with_an_end_and_everything_at_the_leave_date() -> None:
    found = list(losses(leaver(), load(pack_text("minimal")), kit.NOON))
    assert [(one.sort, one.name) for one in found] == [
        (Sort.GRANT, "G000001"),
        (Sort.GRANT, "G000002"),
        (Sort.LEAVE, ""),
    ]
    assert "\x1b" not in "".join(en(one.title) + zh(one.title) for one in found)


def test_a_holder_loses_what_a_record_gives_when_it_runs_out() -> None:
    pack = load(pack_text("state"))
    kind = next(name for name, kind in pack.records.items() if kind.valid_days and not kind.topics)
    person = Person("E1", records=(Record(kind, kit.NOON), Record("unknown", kit.NOON)))
    until = kit.NOON + timedelta(days=pack.records[kind].valid_days or 0)
    [one] = losses(person, pack, kit.NOON)
    assert (one.sort, one.name, one.until) == (Sort.RECORD, kind, until)
    assert [told.lead for told in due_to_holders([one], frozenset(), until - timedelta(days=7), UTC).now] == [
        timedelta(days=7)
    ]
    assert list(losses(person, pack, until)) == []


def test_holds_never_warn_and_who_has_no_access_is_warned_of_nothing() -> None:
    pack = load(pack_text("minimal"))
    assert list(losses(leaver(holds=(Hold(kit.NOON),)), pack, kit.NOON)) == []
    assert list(losses(leaver(active=False), pack, kit.NOON)) == []
    assert list(losses(leaver(), pack, kit.NOON + timedelta(days=3))) == []

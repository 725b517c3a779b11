"""Searching finds exactly what reading every entry would find, newest first."""

import json
import random
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import RefusedError, UsageError
from agent.log import query_plan
from agent.log.append import Appender
from agent.log.index import Indexer
from agent.log.search import Filter, QueryStoppedError, denied_while_observing, find, numbers, query
from tests.examples import examples
from tests.log.samples import BEGIN, access, line, record, write

PEOPLE = ["E1", "E2", "E3", None]
PATHS = ["/srv/名单/a.txt", "/srv/计划/保密检查.doc", "/srv/100%_a\\b", "/srv/Falcon", "/srv/[x]\x1b", None]
WORDS = ["plans", "名单", "allow", "deny", "access", "act", "level", "scope", "none"]
TEXTS = ["名单", "名", "单/a", "保密检查", "falcon", "%", "_", "\\", "100%_A", "没有", "\x1b", "[x]", "/"]

accesses = st.builds(
    lambda person, path, verdict, **other: access(person, path, verdict, **other),
    st.sampled_from(PEOPLE),
    st.sampled_from(PATHS),
    st.sampled_from(["allow", "deny"]),
    login_person=st.sampled_from(PEOPLE),
    area=st.sampled_from(["plans", "名单", None]),
    enforced=st.booleans(),
    rule=st.sampled_from(["allow", "level", "scope"]),
)
areas = st.sampled_from(["plans", "名单", "none", 7, {"area": "plans"}])
lists = st.one_of(st.lists(areas, max_size=3), st.fixed_dictionaries({"count": st.just(9), "first": st.lists(areas)}))
acts = st.fixed_dictionaries(
    {"kind": st.sampled_from(["act", "start"]), "act": st.just("area.seal")},
    optional={
        "areas": lists,
        "args": st.fixed_dictionaries({}, optional={"area": st.one_of(areas, lists), "areas": lists, "room": areas}),
    },
)
moments = st.integers(0, 80 * 24).map(lambda hours: BEGIN + timedelta(hours=hours))
hours = st.one_of(st.integers(0, 30), st.integers(0, 30), st.integers(-900, 900))  # a clock goes back at times
filters = st.builds(
    Filter,
    person=st.sampled_from([None, None, "E1", "E2", "E9"]),
    area=st.sampled_from([None, None, "plans", "名单", "none"]),
    verdict=st.sampled_from([None, None, "allow", "deny"]),
    kind=st.sampled_from([None, None, "access", "act", "gap"]),
    rule=st.sampled_from([None, None, "allow", "level"]),
    text=st.sampled_from([None, None, *TEXTS]),
    since=st.one_of(st.none(), moments),
    until=st.one_of(st.none(), moments),
    after_seq=st.one_of(st.none(), st.integers(-1, 70)),
    before_seq=st.one_of(st.none(), st.integers(-1, 70)),
    limit=st.sampled_from([1, 3, 1000]),
)


def matches(wanted: Filter, line: bytes) -> bool:
    entry = json.loads(line)
    stamp = entry["time"]

    def text_of(moment):
        return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def lower(text):  # ASCII alone, as LIKE does
        return "".join(chr(ord(one) + 32) if "A" <= one <= "Z" else one for one in text)

    return all(
        (
            wanted.person is None or wanted.person in (entry.get("person"), entry.get("login_person")),
            *(
                getattr(wanted, name) is None or entry.get(name) == getattr(wanted, name)
                for name in ("verdict", "kind", "rule")
            ),
            wanted.area is None or wanted.area in areas_of(entry),
            wanted.text is None
            or lower(wanted.text.replace("\x1b", "\\x1b"))
            in lower(entry.get("path") or "" if entry.get("path") else "\0"),
            wanted.since is None or stamp >= text_of(wanted.since),
            wanted.until is None or stamp < text_of(wanted.until),
            wanted.after_seq is None or entry["seq"] > wanted.after_seq,
            wanted.before_seq is None or entry["seq"] < wanted.before_seq,
        )
    )


def areas_of(entry):
    """Every area an entry names, and of one without an area the room."""
    asked = entry.get("args", {}) if entry["kind"] == "act" else {}
    found = []
    for listed in (entry.get("area") or entry.get("room"), entry.get("areas"), *asked.values()):
        shown = (
            listed.get("first", ()) if isinstance(listed, dict) else listed if isinstance(listed, list) else [listed]
        )
        found += [one["area"] if isinstance(one, dict) else one for one in shown]
    return [one for one in found if isinstance(one, str)]


def make(base: Path, entries) -> Path:
    (base / "log").mkdir(mode=0o700)
    write(base / "log", entries)
    with Indexer(base / "log", base / "index") as indexer:
        indexer.catch_up(60)
    return base / "index"


@examples(40)
@given(
    st.lists(st.tuples(hours, st.one_of(accesses, accesses, acts)), min_size=5, max_size=60),
    st.lists(filters, min_size=25, max_size=25),
    st.sampled_from([(2_000, 500), (0, 500), (2_000, 1), (0, 0), (1, 1)]),
)
def test_it_finds_what_reading_every_entry_finds(tmp_path_factory, steps, wanted_ones, thresholds):
    base = tmp_path_factory.mktemp("search")
    hours = 0
    entries = []
    for more, fields in steps:
        hours += more
        entries.append((BEGIN + timedelta(hours=hours), fields))
    index = make(base, entries)
    lines = record(base / "log")[::-1]
    with pytest.MonkeyPatch.context() as patch:
        # The thresholds choose between ways to look, never what is found; small ones make small logs take every way.
        patch.setattr(query_plan, "_FEW", thresholds[0])
        patch.setattr(query_plan, "_LISTED", thresholds[1])
        for wanted in wanted_ones:
            expected = [one for one in lines if matches(wanted, one)][: wanted.limit]
            assert [row.line for row in query(index, wanted)] == expected, wanted
            assert numbers(index, wanted) == [json.loads(one)["seq"] for one in expected], wanted


def test_each_filter_alone_finds_what_reading_every_entry_finds(tmp_path):
    chance = random.Random(1)
    fields = [
        access(
            chance.choice(PEOPLE),
            chance.choice(PATHS),
            chance.choice(["allow", "deny"]),
            login_person=chance.choice(PEOPLE),
            area=chance.choice(["plans", "名单", None]),
            rule=chance.choice(["allow", "level", "scope"]),
            kind=chance.choice(["access", "access", "act"]),
        )
        for _ in range(300)
    ]
    index = make(tmp_path, [(BEGIN + timedelta(hours=6 * n), one) for n, one in enumerate(fields)])
    lines = record(tmp_path / "log")[::-1]
    wanted_ones = [
        *(Filter(text=text) for text in TEXTS),
        *(Filter(person=person) for person in ("E1", "E2", "E3", "E9")),
        *(Filter(**{name: word}) for name in ("area", "verdict", "kind", "rule") for word in WORDS),
        *(Filter(since=BEGIN + timedelta(hours=6 * n)) for n in (-1, 0, 1, 150, 299, 300)),
        *(Filter(until=BEGIN + timedelta(hours=6 * n)) for n in (-1, 0, 1, 150, 299, 300)),
        *(Filter(since=BEGIN + timedelta(hours=6 * n, microseconds=1)) for n in (0, 150, 299)),
        *(Filter(until=BEGIN + timedelta(hours=6 * n, microseconds=1)) for n in (0, 150, 299)),
        *(Filter(after_seq=n) for n in (-1, 0, 1, 150, 299, 300, 10**30)),
        *(Filter(before_seq=n) for n in (-1, 0, 1, 2, 150, 300, 301, 10**30)),
    ]
    for wanted in wanted_ones:
        expected = [one for one in lines if matches(wanted, one)][: wanted.limit]
        assert [row.line for row in query(index, wanted)] == expected, wanted


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """5,000 entries over three months, 1 in 50 denied, in observe mode every second time."""
    base = tmp_path_factory.mktemp("many")
    (base / "log").mkdir(mode=0o700)
    with Appender(base / "log", "process") as log:
        log.append([line(n, BEGIN + timedelta(minutes=26 * n), **number(n)) for n in range(1, 5_001)])
    with Indexer(base / "log", base / "index") as indexer:
        indexer.catch_up(60)
    return base / "index"


def number(n):
    verdict = "deny" if n % 50 == 0 else "allow"
    path = f"/srv/{'名单' if n % 100 == 0 else '计划'}/{n % 1500}.txt"
    rule = "allow" if verdict == "allow" else ("level", "scope")[n % 3 == 0]
    person = f"E{n // 50 % 4}"
    return access(person, path, verdict, area=f"area{n % 2}", enforced=n % 100 == 0, rule=rule, login_person=person)


def test_two_chinese_characters_are_found_everywhere(many):
    assert [row.seq for row in query(many, Filter(text="名单", limit=9999))] == list(range(5_000, 0, -100))


def test_pages_join_without_a_gap_and_without_an_overlap(many):
    whole = [row.seq for row in query(many, Filter(person="E3", limit=9999))]
    paged: list[int] = []
    while page := [
        row.seq for row in query(many, Filter(person="E3", limit=70, before_seq=paged[-1] if paged else None))
    ]:
        paged += page
    assert paged == whole
    newest = list(query(many, Filter(person="E3", after_seq=whole[10])))
    assert [row.seq for row in newest] == whole[:10]


def test_more_rows_than_one_page_come_in_order(many):
    assert [row.seq for row in query(many, Filter(limit=9999))] == list(range(5_000, 0, -1))


def test_one_entry_is_found_by_its_number(many):
    row = find(many, 1234)
    assert row is not None
    assert row.entry["seq"] == 1234
    assert find(many, 0) is None
    assert find(many, 10**30) is None


def test_who_would_have_been_denied_is_told_by_person_most_often_first(many):
    found = denied_while_observing(many, "area0", BEGIN)
    expected = {}
    for row in query(many, Filter(area="area0", verdict="deny", limit=9999)):
        entry = row.entry
        if not entry["enforced"]:
            expected.setdefault(entry["person"], []).append(entry)
    assert {one.person: one.times for one in found} == {person: len(all_) for person, all_ in expected.items()}
    assert [one.times for one in found] == sorted((one.times for one in found), reverse=True)
    for one in found:
        entries = expected[one.person]
        assert set(one.rules) == {entry["rule"] for entry in entries}
        assert (one.last.seq, one.first.seq) == (entries[0]["seq"], entries[-1]["seq"])
    (middle,) = [row.entry["time"] for row in query(many, Filter(after_seq=2499, before_seq=2501))]
    later = denied_while_observing(many, "area0", BEGIN + timedelta(minutes=26 * 2500))
    assert sum(one.times for one in later) < sum(one.times for one in found)
    assert all(one.first.entry["time"] >= middle for one in later)
    assert denied_while_observing(many, "nowhere", BEGIN) == ()


def test_a_query_is_stopped_when_it_is_told_to(many):
    for patience in (0, 5):
        left = iter([False] * patience)
        with pytest.raises(QueryStoppedError):
            list(query(many, Filter(text="不存在"), lambda: next(left, True)))  # noqa: B023
        assert next(left, None) is None
    assert list(query(many, Filter(text="不存在"), lambda: False)) == []


def test_an_index_that_is_not_there_yet_has_no_entries(tmp_path):
    assert list(query(tmp_path / "nowhere", Filter())) == []


def test_a_damaged_index_is_an_error_and_not_an_empty_answer(tmp_path):
    (tmp_path / "2026-03.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5_000)
    with pytest.raises(RefusedError, match=r"log.index-file-unreadable") as refused:
        list(query(tmp_path, Filter()))
    assert refused.value.hint


def test_a_text_beyond_all_paths_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"log.search-text-too-long"):
        list(query(tmp_path, Filter(text="x" * 10_001)))


def test_a_reader_between_two_pages_does_not_hold_the_file(many):
    rows = query(many, Filter(limit=3_000))
    next(rows)
    with sqlite3.connect(max(many.glob("*.db")), timeout=0) as db:
        db.execute("BEGIN EXCLUSIVE")
        db.execute("ROLLBACK")
    db.close()
    rows.close()


def test_searching_changes_nothing(many):
    before = {file.name: file.read_bytes() for file in many.iterdir()}
    for text in TEXTS:
        list(query(many, Filter(text=text, person="E1")))
    assert {file.name: file.read_bytes() for file in many.iterdir() if file.suffix == ".db"} == {
        name: content for name, content in before.items() if name.endswith(".db")
    }

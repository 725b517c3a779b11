"""Reading the log page by page: one entry for a reading, and no page shows more than that entry says."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.errors import RefusedError
from agent.log.search import Filter
from agent.log.sessions import LogSessions
from tests.control.site import Site

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def fill(site: Site) -> None:
    with site.client() as client:
        for number in range(5):
            client.call("person.add", person=f"E{number}")


def numbers(answer: Any) -> list[int]:
    raw = b64decode(answer["numbers"])
    return [int.from_bytes(raw[at : at + 8], "little") for at in range(0, len(raw), 8)]


def test_pages_and_numbers_show_what_the_entry_says_and_nothing_else(fresh: Site) -> None:
    fill(fresh)
    with fresh.client() as client:
        begun = client.call("log.read", kind="act")
        reading = begun["reading"]
        found = numbers(client.call("log.numbers", reading=reading))
        acts = [entry["seq"] for entry in fresh.entries(kind="act")]
        assert found == sorted(acts, reverse=True)
        page = client.call("log.page", reading=reading, first=1, last=begun["last"])
        assert [seq for seq, _ in page["rows"]] == found
        raw = b"".join(file.read_bytes() for file in sorted(fresh.home.log.glob("*.jsonl"))).splitlines()
        assert [line.encode() for _, line in page["rows"]] == [raw[seq - 1] for seq in found]
        assert numbers(client.call("log.numbers", reading=reading, before=found[0], limit=2)) == found[1:3]
        assert numbers(client.call("log.numbers", reading=reading, after=found[1])) == found[:1]
        assert numbers(client.call("log.numbers", reading=reading, until="2000-01-01")) == []
        newest = client.call("log.page", reading=reading, first=found[-1] + 1, limit=2)
        assert [seq for seq, _ in newest["rows"]] == found[:2]
    [entry] = fresh.entries(kind="read")
    assert (entry["what"], entry["args"]) == ("log.read", {"kind": "act"})


def test_what_the_agent_tried_itself_is_left_out_and_counted(fresh: Site) -> None:
    fill(fresh)
    for person in ("E1", "E1", "E2"):
        fresh.tell_peer(f"tried {person}")
    own = [int(str(entry["seq"])) for entry in fresh.entries(own="departure")]
    with fresh.client() as client:
        begun = client.call("log.read")
        assert begun["hidden"] == 3
        found = numbers(client.call("log.numbers", reading=begun["reading"]))
        assert not set(own) & set(found)
        assert numbers(client.call("log.numbers", reading=begun["reading"], own=True)) == own[::-1]
        page = client.call("log.page", reading=begun["reading"], limit=512)
        assert not set(own) & {seq for seq, _ in page["rows"]}
        assert client.call("log.read", own="all")["hidden"] == 0
        *rows, last = client.stream("log.list", person="E1", hidden=True)
        assert (rows, last) == ([], {"hidden": 2})
        assert [row["seq"] for row in client.stream("log.list", person="E1", own="all")] == own[1::-1]
        assert [row["seq"] for row in client.stream("log.list", own="yes")] == own[::-1]
        *rows, last = client.stream("log.list", limit=2, hidden=True)  # of a page, those beside what is shown
        assert (len(rows), last) == (2, {"hidden": 0})


def test_a_page_is_never_longer_than_a_page(fresh: Site) -> None:
    fill(fresh)
    with fresh.client() as client:
        reading = client.call("log.read")["reading"]
        assert len(client.call("log.page", reading=reading, limit=1)["rows"]) == 1
        assert client.call("log.numbers", reading=reading, limit=1)["more"] is True
        assert client.call("log.numbers", reading=reading)["more"] is False


def test_a_reading_is_of_the_one_who_began_it_and_ends() -> None:
    readings = LogSessions()
    name = readings.begin(1000, Filter(kind="act"), NOW)
    assert readings.of(name, 1000, NOW + timedelta(hours=12)) == Filter(kind="act")
    for reading, uid, at in ((name, 1001, NOW), (name + "x", 1000, NOW), (name, 1000, NOW + timedelta(hours=13))):
        with pytest.raises(RefusedError, match=r"log.session-ended"):
            readings.of(reading, uid, at)


def test_old_readings_make_room() -> None:
    readings = LogSessions()
    first = readings.begin(1, Filter(), NOW)
    names = [readings.begin(1, Filter(), NOW) for _ in range(256)]
    assert len(set(names)) == 256
    readings.of(names[0], 1, NOW)
    with pytest.raises(RefusedError):
        readings.of(first, 1, NOW)


def test_a_reading_does_not_outlive_the_control_process(fresh: Site) -> None:
    with fresh.client() as client:
        reading = client.call("log.read")["reading"]
    fresh.control.terminate()
    fresh.control.wait(30)
    fresh.start_control()
    with fresh.client() as client, pytest.raises(RefusedError, match=r"log.session-ended"):
        client.call("log.page", reading=reading)

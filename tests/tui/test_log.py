"""The access log on the screen: read page by page, filtered, followed, explained, taken away."""

import json
import os
from pathlib import Path

import pytest

from tests.control.site import Site
from tests.tui.kit import WIDE, Walk, journey
from tui.screens.log import LogScreen


def view(t: Walk) -> "LogScreen":
    assert isinstance(t.terminal.screen, LogScreen)
    return t.terminal.screen


def rows_of(t: Walk) -> list[str]:
    return [line.rstrip(" ▁▂▃▄▅▆▇") for line in t.text().splitlines()[2:22]]  # without the scroll bar


def test_a_reading_is_one_entry_however_many_pages_are_turned(shared: Site) -> None:
    before = len(shared.entries(kind="read"))

    async def walk(t: Walk) -> None:
        await t.settled()
        await t.sees("log.read", "following")
        for key in ("home", "end", "pageup", "pageup", "up", "home"):
            await t.press(key)
            await t.settled()
        await t.sees("计划0.txt")

    journey(shared, walk, place="log")
    assert [(entry["what"], entry["args"]) for entry in shared.entries(kind="read")[before:]] == [("log.read", {})]


def test_a_filter_shows_what_matches_and_is_recorded_as_it_was_asked(shared: Site) -> None:
    before = len(shared.entries(what="log.read"))

    async def walk(t: Walk) -> None:
        await t.settled()
        await t.press("slash")
        await t.paste("verdict:deny person:E1002")
        await t.press("enter")
        await t.sees("预算393", "40 of 40", "filter: verdict:deny person:E1002")
        assert "计划" not in t.text()
        await t.press("escape")
        await t.sees_no("filter: verdict")
        await t.settled()  # a reading that nobody waits for may never be asked
        await t.press("d")
        await t.sees("40 of 40")
        await t.press("d")
        await t.sees_no("filter: verdict")
        await t.settled()
        await t.press("slash")
        await t.type("计划1")
        await t.press("enter")
        await t.sees("100 of 100")

    journey(shared, walk, place="log")
    asked = [entry["args"] for entry in shared.entries(what="log.read")[before:]]
    deny = {"verdict": "deny"}
    assert asked == [{}, {**deny, "person": "E1002"}, {}, deny, {}, {"text": "计划1"}]


def test_what_is_not_understood_is_said_and_asks_nothing(shared: Site) -> None:
    before = len(shared.entries(what="log.read"))

    async def walk(t: Walk) -> None:
        await t.settled()
        await t.press("slash")
        await t.paste("verdikt:deny")
        await t.press("enter")
        await t.sees("unknown condition `verdikt`")
        await t.press("escape", "g")
        await t.type("soon")
        await t.press("enter")
        await t.sees("`soon` is neither a time nor an entry number")
        await t.press("escape")
        await t.sees_no("soon")

    journey(shared, walk, place="log")
    assert len(shared.entries(what="log.read")) == before + 1


def test_jumps_by_number_by_time_and_by_the_hour(shared: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.settled()
        for typed, number in (("100", 100), ("2026-03-01T17:00", 61), ("2026-03-01T22:39", 400)):
            await t.press("g")
            await t.paste(typed)
            await t.press("enter")
            await t.settled()
            await t.until(lambda number=number: view(t).view.cursor + 1 == number, typed)
        for key, number in (("[", 340), ("[", 280), ("]", 340), ("{", 1)):
            await t.press({"[": "left_square_bracket", "]": "right_square_bracket", "{": "left_curly_bracket"}[key])
            await t.settled()
            await t.until(lambda number=number: view(t).view.cursor + 1 == number, key)

    journey(shared, walk, place="log")


def test_new_entries_are_followed_and_only_counted_while_somebody_reads(site: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.settled()
        with site.client() as client:
            client.call("person.set", person="E1002", name="甲")
            await t.sees("person.set E1002 甲", "following")
            await t.press("up", "up")
            await t.sees_no("following")
            top, before = view(t).view.top, rows_of(t)
            client.call("person.set", person="E1003", name="乙")
            await t.sees("+1 new")
            assert view(t).view.top == top
            assert rows_of(t) == before
            await t.press("f")
            await t.sees("person.set E1003 乙", "following")
            await t.press("d")
            await t.sees("40 of 40")

    journey(site, walk, place="log")


@pytest.mark.parametrize("size", [(80, 24), WIDE], ids=str)
def test_an_entry_is_explained_with_its_clauses_and_its_proof(shared: Site, size: tuple[int, int]) -> None:
    async def walk(t: Walk) -> None:
        await t.settled()
        await t.press("d")
        await t.sees("预算393")
        await t.press("enter")
        await t.sees("DENY (obs)", "by rule level", "observe mode", "Grade staff in four levels", "leaf hash")
        await t.sees("not verified here yet")
        await t.press("v")
        await t.sees("none missing, none damaged", "verified to #")
        await t.press("escape")
        await t.sees_no("leaf hash")

    journey(shared, walk, size=size, place="log")


def test_a_line_and_a_record_are_sent_to_the_clipboard_and_the_list_to_a_file(
    shared: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    sent: list[str] = []
    before = len(shared.entries(what="log.read"))

    async def walk(t: Walk) -> None:
        await t.settled()
        monkeypatch.setattr(t.terminal, "copy", lambda text, _name: sent.append(text))
        await t.press("d")
        await t.sees("预算393")
        await t.press("y", "Y")
        await t.press("e")
        await t.sees("40 entries written to")

    journey(shared, walk, place="log")
    row, record = sent
    assert row.split("\t")[0] == "394"
    assert "预算393" in row
    [original] = shared.entries(seq=394)
    assert json.loads(record) == original
    [file] = (tmp_path / "shoumi").iterdir()
    assert os.stat(file).st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert lines == shared.entries(verdict="deny")
    assert len(shared.entries(what="log.read")) == before + 3  # the export is a reading of its own


def test_a_number_that_is_not_in_the_log_is_a_line_that_says_so(site: Site) -> None:
    import sqlite3

    async def walk(t: Walk) -> None:
        await t.settled()
        await t.press("g")
        await t.type("200")
        await t.press("enter")
        await t.sees("ENTRY MISSING", "计划198", "计划200")

    month = min(site.home.index.glob("*.db"))
    with sqlite3.connect(month) as db:
        db.execute("DELETE FROM entries WHERE seq = 200")
        db.execute("DELETE FROM lines WHERE seq = 200")
    db.close()
    journey(site, walk, place="log")

"""Doors and the cards on their boards: what a door is, and that its questions are quick."""

from datetime import datetime
from typing import Any

import pytest

from agent.errors import RefusedError
from agent.registry.facts import FactsReader
from agent.registry.store import Registry
from rules.text import Text
from tests.registry.doors import BOARD, IN, OUT, door


def test_a_door_has_its_readers_by_side_and_keeps_their_keys(
    site: Registry, reader: FactsReader, now: datetime
) -> None:
    with site.change(now) as change:
        door(change, contact=True, strike_seconds=7)
    with site.note(now) as note:
        note.reader_keys.set(IN, "3f2a")
    with site.change(now) as change:
        change.doors.set("d1", readers=[(IN, "in")], output=2)
    [found] = reader.doors()
    assert (found.name, found.room, found.protocol, found.contact, found.strike_seconds) == (
        *("d1", "vault", "osdp"),
        *(True, 7),
    )
    assert [tuple(one) for one in found.readers] == [(IN, "in", "3f2a")]
    assert (found.strike, found.output) == (IN, 2)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"readers": [("a", "out")], "strike": "a"}, r"registry.no-entry-reader"),
        ({"readers": [("osdp+tcp://10.9.0.20:4001/9", "in")]}, r"registry.already-taken.*registry.lock.*d1"),
        ({"readers": [(OUT, "in")], "strike": OUT}, r"registry.already-taken.*registry.reader.*d1"),
        ({"readers": [("a", "in"), ("a", "out")], "strike": "a"}, r"registry.already-taken.*registry.reader.*name='a'"),
        ({"readers": [("a", "in")], "strike": "a", "strike_seconds": 26}, r"registry.lock-release-out-of-range.*26"),
        ({"readers": [("a", "in")], "strike": "a", "output": 256}, r"registry.invalid-output"),
    ],
)
def test_a_badge_read_and_a_release_can_mean_only_one_door(
    site: Registry, now: datetime, given: dict[str, Any], why: str
) -> None:
    with site.change(now) as change:
        door(change)
    with pytest.raises(RefusedError, match=why), site.change(now) as change:
        door(change, "d2", **given)


def test_a_door_of_a_board_has_one_address_for_both_sides(site: Registry, reader: FactsReader, now: datetime) -> None:
    with site.change(now) as change:
        door(change, protocol="uhppote", readers=[(BOARD, "in"), (BOARD, "out")], strike=BOARD)
    assert [one.side for one in reader.doors()[0].readers] == ["in", "out"]


def test_a_card_is_pending_until_its_board_has_confirmed_it(site: Registry, reader: FactsReader, now: datetime) -> None:
    why = Text("no answer", "无应答")
    with site.note(now) as note:
        note.boards.want_card("405419896", "4660", "put")
        note.boards.set_card("405419896", "4660", "confirmed")
        note.boards.want_card("405419896", "4660", "put")  # as it is: nothing to confirm again
        assert [row.state for row in reader.board_cards()] == []  # not committed yet
    assert [row.state for row in reader.board_cards()] == ["confirmed"]
    with site.note(now) as note:
        note.boards.want_card("405419896", "4660", "gone")
        note.boards.set_card("405419896", "4660", "pending", why)
    assert [(row.wanted, row.state, row.why) for row in reader.board_cards()] == [("gone", "pending", why)]
    with site.note(now) as note:
        note.boards.set_card("405419896", "4660", "confirmed")
    assert reader.board_cards() == ()


def test_no_question_at_a_door_reads_a_whole_table(site: Registry, reader: FactsReader, now: datetime) -> None:
    asked: list[str] = []
    reader._connection.set_trace_callback(asked.append)
    reader.badge("4660")
    reader.facts(["E1"], "vault")
    reader.stated("E1", "vault", now)
    reader.rooms_of("E1")
    reader.check_pin("E1", "4711")
    reader._connection.set_trace_callback(None)
    questions = [question for question in asked if question.startswith("SELECT")]
    assert len(questions) > 15
    for question in questions:
        if not question.endswith(("FROM epoch", "FROM holidays")):
            for *_, step in reader._connection.execute(f"EXPLAIN QUERY PLAN {question}"):
                assert not step.startswith("SCAN"), f"{question}: {step}"

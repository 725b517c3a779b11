"""Badges and PINs: whom one stands for, until when, and which are refused."""

from datetime import datetime
from pathlib import Path

import pytest

from agent.errors import RefusedError
from agent.registry.facts import FactsReader
from agent.registry.store import Registry
from tests.registry.conftest import DAY, HOUR
from tests.sentences import en, zh


def test_a_badge_stands_for_its_person_until_it_ends_is_lost_or_taken_back(
    site: Registry, reader: FactsReader, now: datetime
) -> None:
    with site.change(now) as change:
        change.badges.add("22", "E2", until=now + DAY, facility=12, bits=26)
    assert reader.person_of_badge("4660", now) == "E1"
    assert reader.person_of_badge("22", now + DAY - HOUR) == "E2"
    assert reader.person_of_badge("22", now + DAY) is None
    found = reader.badge("22")
    assert found
    assert (found.facility, found.bits) == (12, 26)
    with site.change(now) as change:
        assert change.badges.mark_lost("4660") == "E1"
    assert reader.person_of_badge("4660", now) is None
    lost = reader.badge("4660")
    assert lost
    assert lost.state == "lost"
    assert reader.facts(["E1"], "vault")[1].persons["E1"].badges == frozenset()
    with pytest.raises(RefusedError, match=r"registry.already-taken.*E1"), site.change(now) as change:
        change.badges.add("4660", "E2")  # whoever found it may still hold it
    with site.change(now) as change:
        change.badges.remove("4660")
        change.badges.add("4660", "E2")
    assert reader.person_of_badge("4660", now) == "E2"
    with pytest.raises(RefusedError, match=r"registry.badge-end-before-start.*23"), site.change(now) as change:
        change.badges.add("23", "E2", until=now)


def test_the_zeros_printed_before_a_number_make_no_other_badge(
    site: Registry, reader: FactsReader, now: datetime
) -> None:
    with pytest.raises(RefusedError, match=r"registry.already-taken.*4660.*E1"), site.change(now) as change:
        change.badges.add("0004660", "E2")
    with site.change(now) as change:
        change.badges.add("0012345678", "E2")
        change.badges.add("00A7", "E2")
        change.badges.add("000", "E2")
    assert reader.person_of_badge("0", now) == "E2"
    assert reader.person_of_badge("12345678", now) == "E2"
    assert reader.person_of_badge("00A7", now) == "E2"
    with site.change(now) as change:
        assert change.badges.mark_lost("00012345678") == "E2"
    lost = reader.badge("12345678")
    assert lost
    assert lost.state == "lost"


def test_a_pin_opens_one_for_duress_is_told_apart_and_none_can_be_read_back(
    site: Registry, reader: FactsReader, path: Path, now: datetime
) -> None:
    with site.change(now) as change:
        change.pins.set("E1", "471192", duress="918273")
        change.pins.set("E2", "471192")
    answers = [reader.check_pin("E1", word) for word in ("471192", "918273", "471193", "", "４７１１９２")]
    assert answers == ["ok", "duress", "wrong", "wrong", "wrong"]
    assert [reader.check_pin("E2", word) for word in ("471192", "918273")] == ["ok", "wrong"]
    assert reader.check_pin("E9", "471192") == "none"
    rows = [tuple(row) for row in site._connection.execute("SELECT salt, pin FROM pins")]
    assert rows[0][0] != rows[1][0]
    assert rows[0][1] != rows[1][1]
    site.close()
    assert b"471192" not in path.read_bytes()


@pytest.mark.parametrize(
    ("pin", "duress"),
    [("123", ""), ("123456789", ""), ("12a4", ""), ("１２３５", ""), ("1234", ""), ("7777", ""), ("4711", "4711")],
)
def test_a_pin_everybody_would_try_is_refused_without_being_repeated(
    site: Registry, now: datetime, pin: str, duress: str
) -> None:
    with pytest.raises(RefusedError) as caught, site.change(now) as change:
        change.pins.set("E1", pin, duress)
    said = [part for part in (caught.value.text, caught.value.hint) if part]
    assert pin not in " ".join(say(part) for part in said for say in (en, zh))

"""People from a file: all or nothing, every bad line named."""

from datetime import datetime

import pytest

from agent.registry.csv_import import ImportRefusedError, read_csv
from agent.registry.csv_import import import_csv as add_all
from agent.registry.facts import FactsReader
from agent.registry.store import Registry
from rules.model import Clearance, Level
from tests.sentences import en, zh

GOOD = """\ufeffid,name,department,level,domain,accounts,badges\r
P1,赵六,research,绝密,state,62001;62002,11 12\r
\r
P2,"two
lines",,,,,\r
P3,,hr,secret,commercial,62003,\r
"""


def test_a_good_file_is_imported_whole(site: Registry, reader: FactsReader, now: datetime) -> None:
    with site.change(now) as change:
        assert add_all(change, read_csv(GOOD), approved_by="E1") == (3, 0)
    people = reader.facts(["P1", "P2", "P3"], "")[1].persons
    assert people["P1"].clearances == (Clearance("state", Level.TOP_SECRET, "绝密", "E1"),)
    assert people["P1"].badges == {"11", "12"}
    assert people["P2"].name == "two\nlines"
    assert (people["P3"].department, people["P2"].clearances) == ("hr", ())
    assert reader.accounts() == {61001: "E1", 62001: "P1", 62002: "P1", 62003: "P3"}
    assert reader.epoch() == 2


def test_one_bad_line_and_nobody_is_imported(site: Registry, reader: FactsReader, now: datetime) -> None:
    rows = read_csv(
        "id,level,domain,accounts,badges\n"
        "P1,secret,state,62001,11\n"
        "E1,,,,\n"
        "P2,general,state,,\n"
        "P3,secret,,,\n"
        "P4,,,62001,\n"
        "P5,,,root,\n"
        "P6,,,0,\n"
        "P7,,,,4660\n"
        "P\x1b8,,,,\n"
        "P1,,,,\n"
        ",,,62009,\n"
        "P4,,,62010,11\n"  # as if the bad lines were not there, except that 11 is P1's
        "P5,,,62011,\n"
    )
    with pytest.raises(ImportRefusedError) as refused, site.change(now) as change:
        add_all(change, rows)
    assert [line for line, _ in refused.value.problems] == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    text, hint = refused.value.text, refused.value.hint
    assert en(refused.value.problems[-1].text) == "badge `11` already exists and belongs to `P1`"
    assert en(text).startswith(
        "rows that cannot be imported: 11 of 13: line 3: person `E1` already exists; line 4: `general`"
    )
    assert zh(text).startswith("13 行中有 11 行无法导入：第 3 行：人员 `E1` 已存在；第 4 行：`general` 不是密级；")
    assert (en(text).isprintable(), zh(text).isprintable(), bool(hint)) == (True, True, True)
    assert reader.epoch() == 1
    assert reader.facts(["P1"], "")[1].persons == {}


def test_a_pack_may_read_the_classes_of_the_site(site: Registry, reader: FactsReader, now: datetime) -> None:
    classes = {"核心": Level.TOP_SECRET, "一般": Level.CONFIDENTIAL}

    def level_of(word: str) -> Level:
        return classes[word] if word in classes else Level.parse(word)

    with site.change(now) as change:
        add_all(change, read_csv("id,level,domain\nP1,核心,state\n"), level_of=level_of)
    assert reader.facts(["P1"], "")[1].persons["P1"].clearances == (Clearance("state", Level.TOP_SECRET, "核心"),)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", [(1, "the column `id` is missing")]),
        ("id,salary\nP1,1\n", [(1, "unknown column `salary`")]),
        ("id,id\n", [(1, "a column name occurs twice")]),
        ("id\nP1\nP2,x,y\nP3\nP4,x\n", [(3, "more cells than columns"), (5, "more cells than columns")]),
        ('id,name\nP1,"never closed\n', [(2, "invalid CSV: `unexpected end of data`")]),
    ],
)
def test_a_file_of_the_wrong_form_is_named_by_line(text: str, problems: list[tuple[int, str]]) -> None:
    with pytest.raises(ImportRefusedError) as refused:
        read_csv(text)
    assert [(line, en(said)) for line, said in refused.value.problems] == problems


def test_an_update_changes_who_is_there_and_leaves_what_the_file_does_not_say(
    site: Registry, reader: FactsReader, now: datetime
) -> None:
    with site.change(now) as change:
        add_all(change, read_csv(GOOD))
    file = "id,department,level,domain,accounts,badges\nP1,hr,secret,state,62002 62004,12\nP3,,,,,\nP9,hr,,,62009,\n"
    with site.change(now) as change:
        assert add_all(change, read_csv(file), update=True) == (3, 2)
    people = reader.facts(["P1", "P3", "P9"], "")[1].persons
    assert (people["P1"].department, people["P1"].name, people["P1"].badges) == ("hr", "赵六", {"12"})
    assert people["P1"].clearances == (Clearance("state", Level.SECRET, "secret"),)
    assert (people["P3"].department, people["P9"].department) == ("hr", "hr")
    assert people["P3"].clearances == (Clearance("commercial", Level.SECRET, "secret"),)
    assert reader.accounts() == {61001: "E1", 62002: "P1", 62003: "P3", 62004: "P1", 62009: "P9"}


def test_an_update_with_one_bad_line_changes_nobody(site: Registry, reader: FactsReader, now: datetime) -> None:
    with pytest.raises(ImportRefusedError) as refused, site.change(now) as change:
        add_all(change, read_csv("id,department,accounts\nE1,hr,62001\nP2,,62001\nE1,,0\n"), update=True)
    assert [line for line, _ in refused.value.problems] == [3, 4]
    assert reader.accounts() == {61001: "E1"}

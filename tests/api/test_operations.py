"""One table of operations: whole, bilingual, and matched by handlers and by the command line (contract C8)."""

import re
from datetime import UTC, datetime
from typing import get_args

import pytest

from agent.api.operations import TABLE
from agent.api.operations.schema import Kind, Operation, Param
from agent.api.roles import Role
from agent.cli.__main__ import COMMANDS, NOUNS
from agent.control.dispatch import HandlerTable
from agent.control.handlers import handler_table
from agent.errors import UsageError
from rules.model import Level
from rules.text import Text
from tests.sentences import en, zh

HAN = re.compile("[\u4e00-\u9fff]")
OPERATIONS = list(TABLE.values())


def names(operation: Operation) -> str:
    return operation.name


def test_every_operation_has_one_handler_of_its_kind_and_no_handler_is_without_an_operation() -> None:
    table = handler_table()
    assert set(table.acts) == {operation.name for operation in OPERATIONS if operation.act}
    assert set(table.streams) == {operation.name for operation in OPERATIONS if operation.stream}
    assert len(table.acts) + len(table.reads) + len(table.streams) == len(TABLE)


def handled(*reads: str) -> HandlerTable:
    table = HandlerTable()
    for op in reads:
        table.read(op)(lambda _request: None)
    return table


def test_a_second_handler_is_refused_in_one_family_and_across_families() -> None:
    table = handled("status")
    with pytest.raises(LookupError, match="`status` has a handler already"):
        table.act("status")
    with pytest.raises(LookupError, match="`status` has a handler already"):
        HandlerTable.union([table, handled("status")], {"status": TABLE["status"]})


def test_a_handler_is_refused_that_is_missing_or_of_another_kind_or_nobodys() -> None:
    with pytest.raises(LookupError, match="no handler among the reads answers `doctor`"):
        HandlerTable.union([handled("status")], {name: TABLE[name] for name in ("status", "doctor")})
    with pytest.raises(LookupError, match=r"no handler among the acts answers `grant\.add`"):
        HandlerTable.union([handled("grant.add")], {"grant.add": TABLE["grant.add"]})
    with pytest.raises(LookupError, match="handlers without an operation: doctor"):
        HandlerTable.union([handled("status", "doctor")], {"status": TABLE["status"]})


def test_everything_the_agent_can_be_asked_has_a_command() -> None:
    # `area enforce` without --yes; the inbox of the agent itself; `door open` and others that wait for a door or disk
    asked_by_others = {"area.would", "case.carry-out", "case.notice", "hr.alarm", "door.outcome", "volume.outcome"}
    asked_by_others |= {"act.plan"}  # `--plan` of the acts themselves
    asked_by_others |= {"area.relabelling"}  # how far `area relabel` is
    asked_by_others |= {"log.read", "log.page", "log.numbers"}  # how a screen turns pages; `log list` shows the same
    asked_by_others |= {"proposal.add", "proposal.lapse", "factor.give"}  # by the agent itself, and by its clients
    asked_by_others |= {"request.add", "request.mine", "request.support"}  # `shoumi request`, `mine` and `support`
    words = {".".join(command.names) for command in COMMANDS}
    assert set(TABLE) - words == asked_by_others


@pytest.mark.parametrize("operation", OPERATIONS, ids=names)
def test_every_text_of_the_table_is_in_both_languages(operation: Operation) -> None:
    for text in (operation.help, *(param.help for param in operation.params)):
        bilingual(text)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.names))
def test_every_text_of_the_command_line_is_in_both_languages(command: object) -> None:
    bilingual(command.help)  # type: ignore[attr-defined]
    for param in command.params:  # type: ignore[attr-defined]
        bilingual(param.help)
    for noun in NOUNS.values():
        bilingual(noun.NOUN)


@pytest.mark.parametrize("operation", OPERATIONS, ids=names)
def test_an_act_needs_a_role_and_the_log_is_read_on_the_record(operation: Operation) -> None:
    of_a_person = {"request.add", "request.support"}  # who has an account asks for themselves
    of_root = {"breakglass.open", "breakglass.close"}
    if operation.act and operation.name not in of_a_person | of_root:
        assert operation.roles
        assert Role.BOOTSTRAP not in operation.roles
    recorded = {"log.list", "log.read", "log.follow", "log.show", "log.room", "area.would", "registry.show"}
    assert operation.read_entry == (operation.name in recorded)


def test_only_the_security_officer_gives_access_and_only_the_auditor_reads_the_log() -> None:
    gives = ("grant.add", "hold.lift", "record.add", "area.set", "area.observe", "area.remove", "pack.use")
    gives += ("room.set", "room.remove", "door.open", "visitor.add", "declaration.add", "occupancy.reset")
    gives += ("lockdown.off",)
    assert all(TABLE[name].roles == {Role.SECURITY} for name in gives)
    shows_the_log = ("log.list", "log.read", "log.page", "log.numbers", "log.follow", "log.show")
    assert all(TABLE[name].roles == {Role.AUDITOR} for name in shows_the_log)
    needs = TABLE["person.add"].allowed({"person": "E1", "level": ["secret"], "account": [1]})
    assert {Role.SECURITY} in needs
    assert {Role.SYSTEM} in needs


@pytest.mark.parametrize(
    ("op", "args"),
    [
        ("grant.add", {}),
        ("grant.add", {"person": "E1", "area": "a", "reason": "r", "more": 1}),
        ("grant.add", {"person": 1, "area": "a", "reason": "r"}),
        ("grant.add", {"person": "\ud800", "area": "a", "reason": "r"}),
        ("grant.add", {"person": "a\0b", "area": "a", "reason": "r"}),
        ("grant.add", {"person": "E1", "area": "a", "reason": "r", "until": "soon"}),
        ("account.add", {"person": "E1", "uid": -1}),
        ("account.add", {"person": "E1", "uid": True}),
        ("account.add", {"person": "E1", "uid": 1 << 63}),
        ("area.add", {"path": "relative", "name": "a", "level": "secret", "domain": "state"}),
        ("area.add", {"path": "/a", "name": "a", "level": "verysecret", "domain": "state"}),
        ("person.add", {"person": "E1", "level": "secret"}),
        ("person.add", {"person": "E1", "level": ["=secret"]}),
        ("person.add", {"person": "E1", "employment": "king"}),
        ("log.list", {"verdict": "maybe"}),
    ],
)
def test_an_argument_that_is_not_understood_is_usage(op: str, args: dict[str, object]) -> None:
    with pytest.raises(UsageError) as caught:
        TABLE[op].read(args, None)
    bilingual(caught.value.text)


GOOD = {
    "text": ("绝密\n", "绝密\n"),
    "file": ("a", "a"),
    "path": ("/a\udcff", "/a\udcff"),
    "target": ("/a\udcff", "/a\udcff"),
    "number": ((1 << 63) - 1, (1 << 63) - 1),
    "numbers": ([0, 7], (0, 7)),
    "flag": (False, False),
    "level": ("机密", Level.SECRET),
    "levels": (["secret", "a=b=绝密"], (("", Level.SECRET), ("a=b", Level.TOP_SECRET))),
    "since": ("2026-12-31", datetime(2026, 12, 31, tzinfo=UTC)),
    "until": ("2026-12-31", datetime(2027, 1, 1, tzinfo=UTC)),
    "hour": ("04:00", "04:00"),
    "texts": (["a", ""], ("a", "")),
}
BAD: dict[str, list[object]] = {
    "text": [1, True, ["a"], {}, "a\0", "\ud800"],
    "file": [1, "a\0", "\udcff"],
    "path": [1, "a", "", "/a\0", ["/a"]],
    "target": [1, "/a\0", "a\0", "a\udcff", ["a"]],
    "number": [-1, 1 << 63, 1.0, 10**30, True, "1", [1], float("inf")],
    "numbers": [1, "1", [True], [-1], [1.0], ["1"], [1 << 63], [[1]], {}],
    "flag": [0, 1, "true", ["true"]],
    "level": ["", "SECRET", "3", 3, ["secret"], "state=secret"],
    "levels": ["secret", ["=secret"], ["state="], ["x"], [3], {"state": "secret"}],
    "since": ["", "soon", 2026, "2026-02-30", "1969-12-31", "9999-01-01", ["2026-12-31"]],
    "until": ["soon", "9999-12-31", True],
    "hour": ["4:00", "24:00", "04:00:00", "", 4, "Never"],
    "texts": ["a", [1], ["a\0"], ["\ud800"], [None], [["a"]], {"a": 1}],
}


@pytest.mark.parametrize("kind", get_args(Kind))
def test_each_kind_is_read_in_one_type_and_nothing_is_guessed(kind: Kind) -> None:
    operation = Operation("do", Text("do", "做"), None, (Param("it", kind, Text("it", "它")),))
    given, wanted = GOOD[kind]
    read = operation.read({"it": given}, UTC).values["it"]
    assert (read, type(read)) == (wanted, type(wanted))
    for value in BAD[kind]:
        with pytest.raises(UsageError, match=r"^Message\('operations\.must-be', name='it', ") as caught:
            operation.read({"it": value}, UTC)
        assert en(caught.value.text).startswith("`it` must be ")
        bilingual(caught.value.text)
        assert "\0" not in en(caught.value.text)


def test_levels_are_read_in_both_languages_and_with_domains() -> None:
    read = TABLE["person.add"].read({"person": "E1", "level": ["绝密", "state=secret"]}, None)
    assert read.levels("level") == (("", Level.TOP_SECRET), ("state", Level.SECRET))


def test_a_path_that_is_not_utf8_passes() -> None:
    args = {"path": "/a\udcff", "name": "a", "level": "secret", "domain": "state"}
    assert TABLE["area.add"].read(args, None).text("path") == "/a\udcff"


def bilingual(text: Text) -> None:
    assert en(text)
    assert HAN.search(zh(text)), text

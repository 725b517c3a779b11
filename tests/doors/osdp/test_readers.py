"""Readers as they are used: every word and every command over the real protocol, on TCP and on a serial line."""

import pytest

from agent.doors.frames import ReaderKey, Trouble
from agent.doors.messages import Contact, KeyPress, Online, Power, Read, RequestToExit, Tamper
from agent.doors.osdp.command_queue import AWAY, DROPPED, UNABLE
from agent.doors.osdp.keys import fingerprint
from agent.doors.osdp.liveness import Pace
from agent.errors import RefusedError
from agent.simulator.osdp_commands import ReceivedCommand
from agent.simulator.osdp_reader import ReaderLine, SoftwareReader
from rules.text import Message, Text
from tests.doors.osdp.kit import Heard, after_quarantine, becomes, new_key, plan, serving


@pytest.mark.parametrize("serial", [False, True], ids=["tcp", "serial"])
def test_everything_a_reader_reports_and_is_told_arrives(serial: bool) -> None:
    reader = SoftwareReader(1, new_key(), display=False)
    with ReaderLine([reader], serial=serial), serving([plan(reader)]) as (buses, heard):
        heard.online(reader)
        reader.swipe(4660, 7)
        heard.wait(lambda heard: heard.all(Read))
        assert heard.all(Read)[0].stale  # it may have waited in the reader
        assert heard.all(ReaderKey) == [ReaderKey(reader.address, fingerprint(reader.key or b""))]
        assert heard.all(Contact) == [Contact("door-1", False)]
        after_quarantine(heard, reader)

        reader.swipe(4660, 7)
        reader.swipe(2**33 + 5, bits=37)
        reader.press("12#")
        reader.contact(open=True)
        reader.rex()
        reader.tamper()
        reader.power(failed=True)
        heard.wait(lambda heard: heard.all(Power, failed=True))
        fresh = heard.all(Read, stale=False)
        assert [(read.card, read.bits, read.facility) for read in fresh] == [(4660, 26, 7), (2**33 + 5, 37, None)]
        assert all(read.secure for read in fresh)
        assert heard.all(KeyPress) == [KeyPress("door-1", "in", "12#", secure=True, stale=False)]
        assert heard.all(Contact)[1:] == [Contact("door-1", True)]
        assert heard.all(RequestToExit) == [RequestToExit("door-1")]
        assert heard.all(Tamper) == [Tamper("door-1", "in", False), Tamper("door-1", "in", True)]

        buses.strike(reader.address, 0, 2, heard.answer("strike"))
        buses.signal(reader.address, led="green", buzzer="twice", text=Message("rooms.no-pin"))
        assert heard.answered("strike") == (True, None)
        assert reader.unlocked()
        assert reader.wait(lambda told: {"strike", "light", "sound"} <= {one.kind for one in told})
        assert reader.times("text") == 0
        assert becomes(lambda: not reader.unlocked())
        assert not heard.all(Trouble)


def test_forty_readers_on_two_lines_are_all_online_and_all_read() -> None:
    sides = [[SoftwareReader(number, new_key()) for number in range(20)] for _ in range(2)]
    with ReaderLine(sides[0]), ReaderLine(sides[1]):
        plans = [plan(one, door=f"{line}-{one.number}") for line, readers in enumerate(sides) for one in readers]
        with serving(plans, Pace()) as (buses, heard):
            heard.online(*sides[0], *sides[1])
            for line, readers in enumerate(sides):
                for reader in readers:
                    reader.swipe(reader.number, line)
            heard.wait(lambda heard: len(heard.all(Read)) == 40)
            said = {(read.door, read.card, read.facility, read.secure) for read in heard.all(Read)}
            assert said == {(f"{line}-{number}", number, line, True) for line in range(2) for number in range(20)}
            assert not heard.all(Online, online=False)
            assert len([one for one in buses.state() if one.online and one.secure]) == 40


def test_what_a_reader_cannot_do_is_refused_and_costs_no_channel() -> None:
    reader = SoftwareReader(1, new_key(), outputs=2, display=False, buzzer=False)
    with ReaderLine([reader]), serving([plan(reader)]) as (buses, heard):
        heard.online(reader)
        buses.strike(reader.address, 2, 1, heard.answer("no such output"))
        buses.signal(reader.address, buzzer="alarm", text=Message("common.given", text=Text("hello", "你好")))
        buses.strike(reader.address, 1, 20, heard.answer("the other output"))
        assert heard.answered("no such output") == (False, UNABLE)
        assert heard.answered("the other output") == (True, None)
        assert (reader.unlocked(0), reader.unlocked(1)) == (False, True)
        assert not heard.all(Online, online=False)
        with pytest.raises(RefusedError):
            buses.strike(reader.address, 0, 26, heard.answer("too long"))


def test_commands_for_readers_that_are_not_there_are_answered() -> None:
    reader, stranger = SoftwareReader(1, new_key()), "osdp+tcp://127.0.0.1:9/7"
    with ReaderLine([reader]), serving([plan(reader)]) as (buses, heard):
        buses.strike(stranger, 0, 1, heard.answer("stranger"))
        buses.rekey(stranger, new_key(), heard.answer("key"))
        buses.flush(stranger)
        buses.signal(stranger, led="red")
        assert heard.answered("stranger") == (False, AWAY)
        assert heard.answered("key") == (False, AWAY)
        with pytest.raises(RefusedError):
            buses.strike("uhppote://127.0.0.1:60000/5/1", 0, 1, heard.answer("board"))


def test_a_flush_takes_back_what_has_not_gone_out() -> None:
    reader = SoftwareReader(1, new_key())
    with ReaderLine([reader]), serving([plan(reader)]) as (buses, heard):
        heard.wait(lambda heard: heard.all(Contact))
        reader.offline()  # so that the first waits for its acknowledgement, and the others behind it
        for number in range(12):
            buses.strike(reader.address, number % 2, 0.1, heard.answer(f"strike {number}"))
        buses.flush(reader.address)
        whys = [heard.answered(f"strike {number}")[1] for number in range(12)]
        assert whys.count(DROPPED) >= 11
        reader.online()
        heard.online(reader)
        assert reader.times("strike") <= 1


def test_the_same_plan_again_and_other_doors_disturb_nobody_and_readers_come_and_go() -> None:
    first, second = SoftwareReader(1, new_key()), SoftwareReader(2, new_key())
    with ReaderLine([first, second]), serving([plan(first)]) as (buses, heard):
        heard.online(first)
        buses.configure([plan(first)])
        buses.configure([plan(first, first.key or b"", new_key(), door="vault", side="out", wired=False)])
        first.swipe(1)
        heard.wait(lambda heard: heard.all(Read, door="vault", side="out"))
        assert len(heard.all(Online)) == 1
        buses.configure([plan(first), plan(second)])
        heard.online(first, second)
        buses.configure([])
        assert becomes(lambda: not buses.state())
        before = len(heard.all(Read))
        first.swipe(1)
        buses.configure([plan(second)])
        heard.wait(lambda heard: len(heard.all(Online, address=second.address, online=True)) >= 2)
        assert len(heard.all(Read)) == before


def test_a_card_nobody_can_read_is_said_and_is_no_read() -> None:
    reader = SoftwareReader(1, new_key())
    with ReaderLine([reader]), serving([plan(reader)]) as (_buses, heard):
        heard.online(reader)
        reader.swipe_raw(bytes.fromhex("03891a40")[:3] + b"\x00", 26)  # parity
        reader.swipe_raw(bytes(20), 160)
        heard.wait(lambda heard: len(heard.all(Trouble, door="door-1")) == 2)
        assert not heard.all(Read)


def test_a_cut_line_to_a_supervised_input_is_tamper_and_an_open_door() -> None:
    reader = SoftwareReader(1, new_key())
    with ReaderLine([reader]), serving([plan(reader)]) as (_buses, heard):
        heard.wait(lambda heard: heard.all(Contact, open=False))
        reader.input(0, 3)
        heard.wait(lambda heard: heard.all(Tamper, active=True) and heard.all(Contact, open=True))
        reader.input(0, 0)
        heard.wait(lambda heard: len(heard.all(Tamper, active=False)) == 2)


def test_a_reader_that_is_not_wired_says_nothing_about_the_door() -> None:
    reader = SoftwareReader(1, new_key())
    with ReaderLine([reader]), serving([plan(reader, wired=False)]) as (_buses, heard):
        after_quarantine(heard, reader)
        reader.contact(open=True)
        reader.rex()
        reader.swipe(1)
        heard.wait(lambda heard: heard.all(Read))
        assert not heard.all(Contact)
        assert not heard.all(RequestToExit)
        assert not [told for told in reader.heard if isinstance(told, ReceivedCommand) and told.fields.get("type") == 0]


def test_many_events_leave_nothing_behind() -> None:
    reader = SoftwareReader(1, new_key())
    with ReaderLine([reader]), serving([plan(reader)]) as (buses, heard):
        heard.online(reader)
        for number in range(20):
            reader.press(f"{number}#")
        heard.wait(lambda heard: len("".join(key.digits for key in heard.all(KeyPress))) >= 50)
        # Nothing outside tells an empty queue from one that is slow.
        assert becomes(lambda: buses._out.empty() and buses._wishes.empty() and buses._waiting == 0)  # noqa: SLF001
        assert not buses.worn


def test_more_words_than_can_wait_are_counted_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.doors.frames import Lost
    from agent.doors.osdp import buses as lines

    monkeypatch.setattr(lines, "_MOST_WORDS", 5)
    heard = Heard()
    buses = lines.OsdpBuses(heard)  # not started: nobody takes words away
    for number in range(20):
        buses._heard(RequestToExit(f"door-{number % 2}"))  # noqa: SLF001 - as its rounds call it
    buses.start()
    try:
        heard.wait(lambda heard: len(heard.all(RequestToExit)) == 5 and len(heard.all(Lost)) == 2)
        assert sum(lost.frames for lost in heard.all(Lost)) == 15
    finally:
        buses.stop()

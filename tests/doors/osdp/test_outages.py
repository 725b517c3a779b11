"""Readers that go and come: cables, converters, power, acknowledgements that get lost, keys that change meanwhile."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from agent.doors.frames import ReaderKey
from agent.doors.messages import Contact, Online, Read
from agent.doors.osdp.bus import NO_ANSWER
from agent.doors.osdp.buses import OsdpBuses
from agent.doors.osdp.commission import KEEPS, SILENT
from agent.doors.osdp.keys import fingerprint
from agent.errors import RefusedError
from agent.simulator.osdp_reader import ReaderLine, SoftwareReader
from tests.doors.osdp.kit import Heard, after_quarantine, new_key, plan, serving


class Cut:
    """A line on which the reader's replies get lost while it is ``cut``."""

    def __init__(self) -> None:
        self.cut = False
        self.lost = 0

    def __call__(self, data: bytes) -> bytes:
        if self.cut:
            self.lost += 1
            return b""
        return data


@contextmanager
def one_reader(key: bytes | None, *keys: bytes) -> Iterator[tuple[SoftwareReader, Cut, ReaderLine, OsdpBuses, Heard]]:
    reader, cut = SoftwareReader(1, key), Cut()
    with (
        ReaderLine([reader], mangle=cut) as line,
        serving([plan(reader, *keys)] if keys or key else []) as (buses, heard),
    ):
        yield reader, cut, line, buses, heard


def test_a_reader_that_was_away_is_back_in_seconds_and_what_it_kept_meanwhile_is_stale() -> None:
    with one_reader(new_key()) as (reader, _cut, _line, _buses, heard):
        after_quarantine(heard, reader)
        reader.offline()
        for _ in range(3):
            reader.swipe(4660)
        heard.online(reader, online=False)
        assert heard.all(Online, online=False)[-1].why == NO_ANSWER
        returned = time.monotonic()
        reader.online()
        heard.online(reader)
        assert time.monotonic() - returned < 60  # libosdp alone takes 300 s
        heard.wait(lambda heard: len(heard.all(Read)) == 3)
        assert [read.stale for read in heard.all(Read)] == [True] * 3
        heard.wait(lambda heard: len(heard.all(Contact)) == 2)  # the state of the door is asked for again
        after_quarantine(heard, reader)
        reader.swipe(4660)
        heard.wait(lambda heard: heard.all(Read, stale=False))


def test_a_strike_whose_acknowledgement_is_lost_is_answered_and_never_sent_later() -> None:
    with one_reader(new_key()) as (reader, cut, _line, buses, heard):
        heard.wait(lambda heard: heard.all(Contact))
        reader.on_command = lambda told: setattr(cut, "cut", told.kind == "strike" or cut.cut)
        buses.strike(reader.address, 0, 0.2, heard.answer("strike"))
        ok, why = heard.answered("strike")
        assert not ok
        assert why is not None
        heard.online(reader, online=False)
        struck = reader.times("strike")
        reader.on_command = None
        cut.cut = False
        heard.online(reader)
        buses.strike(reader.address, 1, 0.2, heard.answer("next"))
        assert heard.answered("next")[0]
        assert reader.times("strike") == struck + 1
        assert [told.fields["output_no"] for told in reader.heard if told.kind == "strike"][-1] == 1


def test_strikes_for_a_reader_that_goes_away_are_answered_and_do_not_wait_for_it() -> None:
    with one_reader(new_key()) as (reader, _cut, _line, buses, heard):
        heard.wait(lambda heard: heard.all(Contact))
        reader.offline()
        for number in range(4):
            buses.strike(reader.address, 0, 0.2, heard.answer(str(number)))
        assert not any(heard.answered(str(number))[0] for number in range(4))
        reader.online()  # libosdp still means to repeat the first one now, and for seven seconds more
        heard.wait(lambda heard: heard.all(Online, online=False))
        heard.online(reader)
        buses.strike(reader.address, 1, 0.2, heard.answer("new"))
        assert heard.answered("new")[0]
        assert [told.fields["output_no"] for told in reader.heard if told.kind == "strike"] == [1]


def test_a_converter_that_restarts_and_a_reader_that_loses_power_are_back_in_seconds() -> None:
    with one_reader(new_key()) as (reader, _cut, line, _buses, heard):
        heard.online(reader)
        line.hang_up()
        heard.wait(lambda heard: len(heard.all(Online, online=True)) == 2)
        reader.online(restarted=True)
        heard.wait(lambda heard: len(heard.all(ReaderKey)) == 3)
        assert [word.online for word in heard.all(Online)][-1]


# --- keys ------------------------------------------------------------------------------------------------------------


def test_a_key_is_changed_over_the_running_channel_and_nobody_notices() -> None:
    old, new = new_key(), new_key()
    with one_reader(old) as (reader, _cut, _line, buses, heard):
        heard.online(reader)
        buses.rekey(reader.address, new, heard.answer("rekey"))
        assert heard.answered("rekey") == (True, None)
        assert reader.key == new
        assert [word.key for word in heard.all(ReaderKey)] == [fingerprint(old), fingerprint(new)]
        assert not heard.all(Online, online=False)
        buses.configure([plan(reader, new)])
        reader.swipe(5)
        heard.wait(lambda heard: heard.all(Read))
        assert len(heard.all(ReaderKey)) == 2  # the new plan is what is there already


def test_a_change_of_key_whose_acknowledgement_is_lost_ends_with_the_key_the_reader_has() -> None:
    old, new = new_key(), new_key()
    with one_reader(old) as (reader, cut, _line, buses, heard):
        heard.wait(lambda heard: heard.all(Contact))
        reader.on_command = lambda told: setattr(cut, "cut", told.kind == "key" or cut.cut)
        buses.rekey(reader.address, new, heard.answer("rekey"))
        assert reader.wait(lambda heard: any(told.kind == "key" for told in heard))
        time.sleep(0.3)
        reader.on_command = None
        cut.cut = False
        heard.wait(lambda heard: heard.all(ReaderKey, key=fingerprint(new)))
        heard.answered("rekey")


@pytest.mark.parametrize("has", ["old", "new"])
def test_after_a_crash_between_sending_and_storing_both_keys_are_tried(has: str) -> None:
    keys = {"old": new_key(), "new": new_key()}
    with one_reader(keys[has], keys["old"], keys["new"]) as (reader, _cut, _line, _buses, heard):
        heard.wait(lambda heard: heard.all(ReaderKey))
        assert heard.all(ReaderKey) == [ReaderKey(reader.address, fingerprint(keys[has]))]
        heard.online(reader)


def test_a_reader_in_install_mode_is_given_a_key_and_then_serves_under_it() -> None:
    key, neighbour = new_key(), SoftwareReader(2, new_key())
    reader = SoftwareReader(1, None)
    with ReaderLine([reader, neighbour]), serving([plan(neighbour)]) as (buses, heard):
        heard.online(neighbour)
        buses.commission(reader.address, key, heard.answer("commission"))
        assert heard.answered("commission") == (True, None)
        assert reader.key == key
        buses.configure([plan(reader), plan(neighbour)])
        heard.online(reader, neighbour)
        buses.commission(reader.address, new_key(), heard.answer("again"))
        assert not heard.answered("again")[0]
        assert reader.key == key
        reader.swipe(5)
        heard.wait(lambda heard: heard.all(Read, door="door-1", secure=True))


@pytest.mark.parametrize("there", [True, False])
def test_readers_of_one_line_are_not_away_while_another_is_given_its_key(there: bool) -> None:
    neighbour, reader = SoftwareReader(2, new_key()), SoftwareReader(1, None)
    with ReaderLine([reader, neighbour]), serving([plan(neighbour)]) as (buses, heard):
        heard.wait(lambda heard: heard.all(ReaderKey))
        address = reader.address if there else reader.address[:-1] + "9"
        key = new_key()
        buses.commission(address, key, heard.answer("commission"))
        assert heard.answered("commission")[0] is there
        if there:
            buses.configure([plan(reader), plan(neighbour)])
            heard.online(reader)
        heard.wait(lambda heard: len(heard.all(ReaderKey, address=neighbour.address)) > 1)  # it is back
        assert not heard.all(Online, online=False)


def test_a_reader_that_is_lost_while_another_is_given_its_key_is_told_afterwards() -> None:
    neighbour, reader = SoftwareReader(2, new_key()), SoftwareReader(1, None)
    with ReaderLine([reader, neighbour]), serving([plan(neighbour)]) as (buses, heard):
        heard.online(neighbour)
        neighbour.offline()
        buses.commission(reader.address, new_key(), heard.answer("commission"))
        assert heard.answered("commission")[0]
        heard.online(neighbour, online=False)


def test_a_reader_that_has_a_key_already_is_not_commissioned_and_is_sent_none() -> None:
    secret = new_key()
    for enforce in (True, False):
        reader = SoftwareReader(1, secret, enforce=enforce)
        with ReaderLine([reader]), serving() as (buses, heard):
            buses.commission(reader.address, new_key(), heard.answer("commission"))
            assert heard.answered("commission") == (False, KEEPS)
            assert reader.key == secret
            assert reader.times("key") == 0
            assert not heard.words


def test_commissioning_what_is_not_there_ends_and_no_key_at_all_is_refused() -> None:
    reader = SoftwareReader(1, None)
    with ReaderLine([reader]), serving() as (buses, heard):
        absent = reader.address[:-1] + "9"
        with pytest.raises(RefusedError, match=r"doors.reader-key-invalid"):
            buses.commission(absent, bytes(16), heard.answer("zeros"))
        buses.commission(absent, new_key(), heard.answer("absent"))
        buses.commission(reader.address, new_key(), heard.answer("at the same time"))
        assert heard.answered("at the same time")[0] is False
        assert heard.answered("absent") == (False, SILENT)

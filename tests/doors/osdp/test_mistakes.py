"""A mistake of ours on a line, in a round or in a listener is told, and makes no other door deaf."""

import pytest

from agent.doors.messages import Contact, Online, Read
from agent.doors.osdp import library
from agent.doors.osdp.channel import OsdpChannel
from agent.doors.osdp.library import Panel, PeripheralSetup
from agent.doors.osdp.transport import Wire
from agent.simulator.osdp_reader import ReaderLine, SoftwareReader
from tests.doors.osdp.kit import PATIENCE, Heard, after_quarantine, frame, new_key, plan, serving
from tests.doors.osdp.loop import KEY, Loop, on_fault


def test_every_bus_has_a_number_of_its_own_and_none_is_zero() -> None:
    numbers = {OsdpChannel(Loop(), on_fault).id for _ in range(50)}
    assert len(numbers) == 50
    assert 0 not in numbers


def test_nothing_raises_through_a_channel() -> None:
    class Raising(Loop):
        def read(self, most: int = 4096) -> bytes:
            raise ValueError("a fault nobody thought of")

        def write(self, data: bytes) -> int:
            raise KeyError("another one")

    faults: list[Exception] = []
    channel = OsdpChannel(Raising(), faults.append)
    assert channel.read(64) == b""
    assert channel.write(frame(5, 0, b"", 0x61, b"\x00", reply=False)) == -1
    channel.flush()
    assert [type(fault) for fault in faults] == [ValueError, KeyError, ValueError]


def test_a_line_that_raises_hurts_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.doors.frames import Trouble
    from agent.doors.osdp import buses as lines
    from agent.doors.osdp.transport import TcpWire

    good, bad = SoftwareReader(1, new_key()), SoftwareReader(2, new_key())
    broken = [True]

    class Raising(TcpWire):
        def read(self) -> bytes:
            if broken[0]:
                raise ValueError("a fault nobody thought of")
            return super().read()

        def write(self, data: bytes) -> int:
            if broken[0]:
                raise KeyError("another one")
            return super().write(data)

    def wire_to(address: object) -> Wire:
        kind = Raising if str(address) == bad.address else TcpWire
        return kind(address.host, address.port)  # type: ignore[attr-defined]

    monkeypatch.setattr(lines, "wire_to", wire_to)
    with ReaderLine([good]), ReaderLine([bad]), serving([plan(good), plan(bad)]) as (_buses, heard):
        heard.online(good)
        heard.wait(lambda heard: len(heard.all(Trouble)) == 2)
        good.swipe(1)
        heard.wait(lambda heard: heard.all(Read))
        broken[0] = False
        heard.online(bad)
        assert len(heard.all(Trouble)) == 2  # each fault is said once


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it is what is tested
def test_a_round_that_dies_is_started_anew_and_the_readers_return() -> None:
    reader = SoftwareReader(1, new_key())
    with ReaderLine([reader]), serving([plan(reader)]) as (buses, heard):
        heard.online(reader)

        def die(_now: float) -> None:
            raise SystemExit

        first = buses._round  # noqa: SLF001 - the thread that is to be another one
        buses._wishes.put(die)  # noqa: SLF001 - nothing from outside ends a round
        heard.wait(lambda heard: len(heard.all(Online, online=True)) == 2)
        assert buses._round is not first  # noqa: SLF001
        after_quarantine(heard, reader)
        reader.swipe(1)
        heard.wait(lambda heard: heard.all(Read, stale=False))


def test_a_listener_that_raises_makes_no_door_deaf(capsys: pytest.CaptureFixture[str]) -> None:
    from agent.doors.osdp.buses import OsdpBuses

    heard, raised = Heard(), []

    def listener(word: object) -> None:
        if not raised:
            raised.append(word)
            raise RuntimeError("a mistake in the listener")
        heard(word)

    reader = SoftwareReader(1, new_key())
    with ReaderLine([reader]):
        buses = OsdpBuses(listener)
        buses.start()
        buses.configure([plan(reader)])
        heard.wait(lambda heard: heard.all(Contact), PATIENCE)
        buses.stop()
    assert "a mistake in the listener" in capsys.readouterr().err


def test_what_libosdp_loses_of_an_event_is_empty_and_counted() -> None:
    taken: list[dict[str, object]] = []
    panel = Panel(
        OsdpChannel(Loop(), on_fault),
        [PeripheralSetup(5, KEY)],
        lambda _index, fields: taken.append(fields),
        lambda *_: None,
    )
    event = {"event": library.EVENT_KEYS, "data": b"12"}
    panel._event(0, event)  # noqa: SLF001 - as the library calls it, which loses events only by chance
    assert (event, taken, panel.events) == ({}, [{"event": library.EVENT_KEYS, "data": b"12"}], 1)
    panel.close()

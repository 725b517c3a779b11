"""What stands between a wire in strange hands and a door: sessions, keys, forged and damaged frames."""

import random
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from agent.doors.messages import Contact, Online, Read
from agent.doors.osdp import library
from agent.doors.osdp.bus import OTHER_KEY
from agent.doors.osdp.channel import OsdpChannel
from agent.doors.osdp.decode import encode
from agent.doors.osdp.frames import CHLNG, parse, take
from agent.doors.osdp.library import Panel, Peripheral, PeripheralSetup, ReaderIdentity
from agent.doors.osdp.transport import Wire
from agent.errors import RefusedError
from agent.simulator.osdp_reader import ReaderLine, SoftwareReader
from tests import ROOT
from tests.doors.osdp.kit import PATIENCE, Heard, after_quarantine, frame, new_key, plan, serving

KEY = bytes(range(1, 17))
RAW = 0x50
FORGED = 0xBEEF
CARD = bytes([0, 1, 26, 0]) + encode(FORGED, 1)


class Loop(Wire):
    """A line to a reader in this very thread; ``seen``: what the panel wrote; ``forge`` may answer instead."""

    def __init__(self, number: int = 5, key: bytes = KEY) -> None:
        super().__init__()
        self.why = None
        self.id = 10_000 + number
        self.seen: list[bytes] = []
        self.forge: Callable[[bytes], bytes | None] = lambda _command: None
        self.going = bytearray()
        self.coming = bytearray()
        self.device = Peripheral(
            self.Side(self),
            PeripheralSetup(number, key),
            ReaderIdentity(1, 1, 1, 1, 1),
            [(library.OUTPUTS, 1, 1)],
            lambda _fields: None,
        )

    class Side:
        """What the reader's libosdp reads and writes."""

        def __init__(self, loop: "Loop") -> None:
            self.id = loop.id
            self.loop = loop

        def read(self, most: int) -> bytes:
            data = bytes(self.loop.going[:most])
            del self.loop.going[:most]
            return data

        def write(self, data: bytes) -> int:
            self.loop.coming += data
            return len(data)

        def flush(self) -> None:
            pass

    @property
    def descriptor(self) -> int | None:
        return None

    def tick(self, now: float) -> None:
        pass

    def close(self) -> None:
        self.device.close()

    def flush(self) -> None:
        self.coming.clear()

    def write(self, data: bytes) -> int:
        self.seen.append(data)
        forged = self.forge(data)
        if forged is None:
            self.going += data
            self.device.refresh()
        else:
            self.coming += forged
        return len(data)

    def read(self, most: int = 4096) -> bytes:
        data = bytes(self.coming[:most])
        del self.coming[:most]
        return data


def nonce(loop: Loop) -> bytes:
    """Return RND.A of the last challenge."""
    for written in reversed(loop.seen):
        sent = take(bytearray(written)) or b""
        found = parse(sent)
        if found is not None and found.code == CHLNG:
            return sent[9:17]
    raise AssertionError("no challenge")


def run(panel: Panel, until: Callable[[], object], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        panel.refresh()
        time.sleep(0.001)
    return bool(until())


def session() -> str:
    """Bring one panel and one reader into a Secure Channel; return the nonces of the first and of a second channel."""
    loop = Loop()
    found = []
    for _ in range(2):
        panel = Panel(OsdpChannel(loop, on_fault), [PeripheralSetup(5, KEY)], lambda *_: None, lambda *_: None)
        assert run(panel, lambda panel=panel: panel.masks() == (1, 1))
        found.append(nonce(loop).hex())
        panel.close()
    return " ".join(found)


def on_fault(error: Exception) -> None:
    raise AssertionError(error)


# --- sessions --------------------------------------------------------------------------------------------------------


def test_no_two_processes_and_no_two_panels_begin_with_the_same_nonce_and_nothing_is_on_standard_output() -> None:
    code = "import sys; from tests.doors.osdp import test_attacks as t; print(t.session(), file=sys.stderr)"
    ran = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    nonces = []
    for one in ran:
        out, talk = one.communicate(timeout=60)
        assert one.returncode == 0, talk
        assert out == ""
        nonces += talk.split()[-2:]
    assert all(len(one) == 16 for one in nonces)
    assert len(set(nonces)) == 6


def test_without_randomness_no_panel_is_built_and_none_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = Panel(OsdpChannel(loop := Loop(), on_fault), [PeripheralSetup(5, KEY)], lambda *_: None, lambda *_: None)
    panel.refresh()

    def none(_bits: int) -> int:
        raise OSError("no entropy")

    monkeypatch.setattr("secrets.randbits", none)
    with pytest.raises(RefusedError, match="random"):
        panel.refresh()
    with pytest.raises(RefusedError, match="random"):
        Panel(OsdpChannel(loop, on_fault), [PeripheralSetup(5, KEY)], lambda *_: None, lambda *_: None)
    with pytest.raises(RefusedError, match="random"), serving():
        pass
    panel.close()


def test_a_recorded_session_is_worth_nothing_to_a_panel_that_starts_again() -> None:
    recorded: list[bytes] = []

    def record(data: bytes) -> bytes:
        recorded.append(data)
        return data

    reader = SoftwareReader(1, KEY)
    with ReaderLine([reader], mangle=record) as line, serving([plan(reader)]) as (_buses, heard):
        heard.wait(lambda heard: heard.all(Contact))
        reader.swipe(FORGED)
        heard.wait(lambda heard: heard.all(Read))
        port = line.address(reader)
    assert len(recorded) > 6
    replay = iter(recorded)
    impostor = SoftwareReader(1, new_key())  # the attacker has the recording and no key
    where = int(port.rpartition(":")[2].partition("/")[0])
    again = ReaderLine([impostor], port=where, mangle=lambda _data: next(replay, b""))
    with again, serving([plan(impostor, KEY)]) as (_buses, heard):
        heard.wait(lambda heard: heard.all(Online, online=False))
        assert not heard.all(Online, online=True)
        assert not heard.all(Read)
        assert not heard.all(Contact)


# --- keys ------------------------------------------------------------------------------------------------------------


def test_readers_with_another_key_or_that_would_talk_in_clear_are_not_accepted() -> None:
    wrong, clear, right = (
        SoftwareReader(1, new_key()),
        SoftwareReader(2, new_key(), enforce=False),
        SoftwareReader(3, new_key()),
    )
    fresh = SoftwareReader(4, None)  # in install mode: it would take any key
    with ReaderLine([wrong, clear, right, fresh]):
        plans = [plan(wrong, new_key()), plan(clear, new_key()), plan(right), plan(fresh, new_key())]
        with serving(plans) as (buses, heard):
            heard.online(right)
            for reader in (wrong, clear, fresh):
                heard.wait(lambda heard, at=reader.address: heard.all(Online, address=at, why=OTHER_KEY))
            for reader in (wrong, clear, fresh, right):
                reader.swipe(reader.number)
                buses.strike(reader.address, 0, 1, heard.answer(str(reader.number)))
            heard.wait(lambda heard: len(heard.answers) == 4 and heard.all(Read))
            assert [read.card for read in heard.all(Read)] == [3]
            assert {name for name, ok, _ in heard.answers if ok} == {"3"}
            assert {word.address for word in heard.all(Online, online=True)} == {right.address}
            assert fresh.key is None  # and nobody sent it the site's


# --- frames ----------------------------------------------------------------------------------------------------------


def forging(block: bytes, code: int = RAW, data: bytes = CARD) -> Callable[[bytes], bytes | None]:
    """Answer one secured command with a frame of one's own, as whoever sits on the wire could; then be silent."""
    shots = [1]

    def forge(command: bytes) -> bytes | None:
        asked = parse(take(bytearray(command)) or b"")
        if asked is None or asked.block not in (0x15, 0x17) or not shots:
            return None
        shots.pop()
        return frame(asked.number, asked.sequence, block, code, data)

    return forge


@pytest.mark.parametrize("block", [0x11, 0x12, 0x13, 0x14])
def test_libosdp_alone_believes_a_card_without_a_mac_and_behind_the_screen_it_never_sees_it(block: int) -> None:
    cards: list[bytes] = []
    for screened in (False, True):
        loop = Loop()
        channel = OsdpChannel(loop, on_fault) if screened else loop
        panel = Panel(
            channel, [PeripheralSetup(5, KEY)], lambda _index, fields: cards.append(fields["data"]), lambda *_: None
        )
        assert run(panel, lambda panel=panel: panel.masks() == (1, 1))
        loop.forge = forging(bytes([3, block, 1]))
        run(panel, lambda channel=channel: cards or getattr(channel, "dropped", None), 3.0)
        panel.close()
        if not screened:
            assert cards == [encode(FORGED, 1)], "fixed in libosdp: say so in the frames module"
            cards.clear()
    assert cards == []


def test_a_card_forged_into_the_beginning_of_a_session_is_never_read() -> None:
    forged: list[bytes] = []

    def forge(data: bytes) -> bytes:
        found = parse(take(bytearray(data)) or b"")
        if found is not None and found.block == 0 and len(forged) < 2:
            forged.append(data)
            return frame(1, found.sequence, b"", RAW, CARD)
        return data

    reader = SoftwareReader(1, new_key())
    with ReaderLine([reader], mangle=forge), serving([plan(reader)]) as (_buses, heard):
        heard.online(reader)
        reader.swipe(7)
        heard.wait(lambda heard: heard.all(Read))
        assert len(forged) == 2
        assert [read.card for read in heard.all(Read)] == [7]


def test_noise_on_the_line_opens_nothing_and_the_readers_are_back_when_it_ends() -> None:
    chance = random.Random(20)
    noisy = [True]

    def noise(data: bytes) -> bytes:
        if not noisy[0] or chance.random() > 0.15:
            return data
        damaged = bytearray(data)
        match chance.randrange(5):
            case 0:
                return b""
            case 1:
                return bytes(damaged[: chance.randrange(len(damaged))])
            case 2:
                return chance.randbytes(chance.randrange(300))
            case 3:
                return chance.randbytes(40) + data + data
            case _:
                damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
                return bytes(damaged)

    readers = [SoftwareReader(number, new_key()) for number in (1, 2, 3)]
    with ReaderLine(readers, mangle=noise), serving([plan(reader) for reader in readers]) as (_buses, heard):
        heard.wait(lambda heard: len(heard.all(Online, online=True)) >= 3)
        for number in range(10):
            for reader in readers:
                reader.swipe(number)
            time.sleep(0.15)
        noisy[0] = False
        before = len(heard.words)
        for reader in readers:
            reader.swipe(999)
        heard.online(*readers)
        heard.wait(lambda heard: {word.door for word in heard.all(Read, card=999)} == {f"door-{n}" for n in (1, 2, 3)})
        assert {read.card for read in heard.all(Read)} <= {*range(10), 999}
        assert all(read.secure for read in heard.all(Read))
        assert len(heard.words) >= before


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

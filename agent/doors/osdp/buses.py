"""All OSDP readers of the site: one thread that goes round the lines, one that says what happened.

    any thread ─ wishes ─▶ round: seed, step each line, every 5 ms or when it has something ─ words ─▶ worker: ``say``

Rules of this file: the round never waits and never calls out, so that nobody can hold up a door; what it hears it
queues, up to a bound, and counts what is over. A line that fails is made anew alone. The worker watches the round and
starts another when it has died. Both are daemon threads: a process that ends leaves its readers locked, which is what
they do by themselves.
"""

import queue
import select
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agent.doors.address import Osdp, Uhppote, parse
from agent.doors.frames import Lost, Trouble
from agent.doors.messages import Buzzer, Led
from agent.doors.osdp.bus import Event, OsdpBus
from agent.doors.osdp.command import OsdpCommand, light, show, sound, strike
from agent.doors.osdp.command_queue import AWAY, Answer
from agent.doors.osdp.liveness import Pace
from agent.doors.osdp.plan import ReaderPlan, by_line, check_keys
from agent.doors.osdp.seeding import reseed
from agent.doors.osdp.transport import wire_to
from agent.errors import RefusedError, ShoumiError
from rules.text import Text
from rules.visible import visible

TICK: Final = 0.005  # seconds; libosdp wants to be called every 50 ms at least
_BREATH: Final = 0.001
_MOST_WORDS: Final = 10_000  # waiting to be said
_WORN: Final = 500_000  # events, some 80 bytes each that libosdp does not free
_WATCH: Final = 0.5  # seconds between two looks at the round
_AGAIN: Final = 5.0  # seconds until a line that could not be made anew is tried again

_PACE: Final = Pace()

_NOT_OSDP = Text("this is no address of an OSDP reader", "不是 OSDP 读卡器地址")


@dataclass(frozen=True, slots=True)
class ReaderState:
    """One reader now. ``key``: the fingerprint of the key in use; ``why`` it is not online."""

    address: str
    door: str
    online: bool
    secure: bool
    key: str
    why: Text | None


class OsdpBuses:
    """The OSDP side of the doors process. Methods are for any thread; answers and words come from one worker.

    ``say(word)`` gets :class:`Read`, :class:`KeyPress`, :class:`Contact`, :class:`RequestToExit`, :class:`Tamper`,
    :class:`Power`, :class:`Online`, :class:`ReaderKey`, :class:`Trouble` and :class:`Lost`. Each ``answer(ok, why)`` is
    called once.
    """

    def __init__(
        self,
        say: Callable[[Event | Lost], None],
        *,
        tick: float = TICK,
        clock: Callable[[], float] = time.time,
        pace: Pace = _PACE,
    ) -> None:
        self._say = say
        self._tick = tick
        self._clock = clock
        self._pace = pace
        self._wishes: queue.SimpleQueue[Callable[[float], None]] = queue.SimpleQueue()
        self._out: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lost: Counter[str] = Counter()
        self._waiting = 0  # words; the round adds, the worker takes off, both under the lock
        self._turn = threading.Lock()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._lines: dict[str, OsdpBus] = {}
        self._broken: dict[str, float] = {}
        self._plans: Sequence[ReaderPlan] = ()
        self._states: tuple[ReaderState, ...] = ()
        self._worn = False
        self._round: threading.Thread | None = None
        self._worker: threading.Thread | None = None

    # --- any thread --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin. Raises :class:`RefusedError` when there is no randomness."""
        reseed()
        self._stopping.clear()
        self._ended.clear()
        self._worker = threading.Thread(target=self._work, name="osdp-words", daemon=True)
        self._start_round()
        self._worker.start()

    def stop(self) -> None:
        """End: every line is closed, everything open is answered, and both threads have ended."""
        self._stopping.set()
        with self._turn:
            going_round = self._round
        if going_round is not None:
            going_round.join()
        if self._worker is not None:
            self._out.put(self._ended.set)
            self._worker.join()
        self._round = self._worker = None

    def configure(self, readers: Sequence[ReaderPlan]) -> None:
        """Have these readers and no others. Raises :class:`RefusedError` with nothing changed."""
        lines = by_line(readers)
        self._wishes.put(lambda now: self._configured(lines, now))

    def strike(self, address: str, output: int, seconds: float, answer: Answer) -> None:
        """Release a strike for 0.1 to 25.5 s; ``ok`` means the reader acknowledged it. Raises :class:`RefusedError`."""
        self._order(address, strike(output, seconds), answer)

    def signal(self, address: str, *, led: Led = "", buzzer: Buzzer = "", text: Text | None = None) -> None:
        """Light, sound or show something, as far as the reader can. Nobody is told whether it did."""
        for command in (light(led), sound(buzzer), show(text)):
            if command is not None:
                self._order(address, command, _no_answer)

    def flush(self, address: str) -> None:
        """Take back what has not gone out to a reader."""
        reader = _osdp(address)
        self._wish(reader, lambda bus, _now: bus.flush(reader.reader), lambda: None)

    def rekey(self, address: str, key: bytes, answer: Answer) -> None:
        """Give a reader that is online another key. Raises :class:`RefusedError` for what is no key."""
        reader = _osdp(address)
        check_keys(visible(address), (key,))
        told = self._later(answer)
        self._wish(reader, lambda bus, now: bus.rekey(reader.reader, key, now, told), lambda: told(False, AWAY))

    def commission(self, address: str, key: bytes, answer: Answer) -> None:
        """Give a reader in install mode its first key, configured or not. Raises :class:`RefusedError`."""
        reader = _osdp(address)
        check_keys(visible(address), (key,))
        told = self._later(answer)

        def wish(now: float) -> None:
            self._line(reader).commission(reader.reader, key, now, told)

        self._wishes.put(wish)

    def state(self) -> tuple[ReaderState, ...]:
        """Return how the readers stand, at most some 0.1 s ago."""
        return self._states

    @property
    def worn(self) -> bool:
        """Whether the process should be started anew at a quiet moment, because libosdp has lost enough memory."""
        return self._worn

    def _order(self, address: str, command: OsdpCommand, answer: Answer) -> None:
        reader = _osdp(address)
        told = self._later(answer)
        self._wish(reader, lambda bus, now: bus.order(reader.reader, command, now, told), lambda: told(False, AWAY))

    def _wish(self, reader: Osdp, wish: Callable[[OsdpBus, float], None], otherwise: Callable[[], None]) -> None:
        def obey(now: float) -> None:
            bus = self._lines.get(reader.line)
            if bus is None:
                otherwise()
            else:
                wish(bus, now)

        self._wishes.put(obey)

    def _later(self, answer: Answer) -> Answer:
        return lambda ok, why: self._out.put(lambda: answer(ok, why))

    # --- the round ---------------------------------------------------------------------------------------------------

    def _start_round(self) -> None:
        self._round = threading.Thread(target=self._go_round, name="osdp-round", daemon=True)
        self._round.start()

    def _go_round(self) -> None:
        looked = due = 0.0
        ready: Sequence[str] = ()
        while not self._stopping.is_set():
            now = time.monotonic()
            self._obey(now)
            if now >= due:
                due, ready = now + self._tick, tuple(self._lines)
            for line in ready:
                if line in self._lines:
                    self._step(line, self._lines[line], now)
            if now - looked >= 0.1:
                looked = now
                self._look()
            ready = self._await(due)
        self._obey(time.monotonic())
        for bus in self._lines.values():
            bus.close()
        self._lines.clear()

    def _await(self, due: float) -> Sequence[str]:
        """Wait for the next tick; return before it which lines have something to say, but not at once again."""
        time.sleep(_BREATH)  # a line that never stops talking may not take all of a processor
        poll = select.poll()
        lines = {}
        for line, bus in self._lines.items():
            if (descriptor := bus.descriptor) is not None:
                lines[descriptor] = line
                poll.register(descriptor, select.POLLIN)
        left = max(0.0, due - time.monotonic())
        return [lines[descriptor] for descriptor, _ in poll.poll(left * 1000)]

    def _obey(self, now: float) -> None:
        while True:
            try:
                wish = self._wishes.get_nowait()
            except queue.Empty:
                return
            try:
                wish(now)
            except ShoumiError as error:
                self._heard(Trouble(error.text))

    def _step(self, line: str, bus: OsdpBus, now: float) -> None:
        if self._broken.get(line, now) > now:
            return
        try:
            if self._broken.pop(line, None) is None:
                bus.step(now)
                return
            why: Exception = RuntimeError("not made")
        except Exception as error:  # noqa: BLE001 - libosdp turns any fault of its own into any exception of Python's
            why = error
        try:
            bus.restart(now, why)
        except ShoumiError:  # no randomness: this line stands still until there is some
            self._broken[line] = now + _AGAIN

    def _configured(self, lines: Mapping[str, tuple[ReaderPlan, ...]], now: float) -> None:
        for line, plans in lines.items():
            try:
                self._line(plans[0].address).configure(plans, now)
            except ShoumiError as error:  # no randomness
                self._broken[line] = now + _AGAIN
                self._heard(Trouble(error.text))
        for line, bus in self._lines.items():
            if line not in lines:
                bus.configure((), now)

    def _line(self, address: Osdp) -> OsdpBus:
        if address.line not in self._lines:
            self._lines[address.line] = OsdpBus(wire_to(address), self._heard, self._clock, self._pace)
        return self._lines[address.line]

    def _look(self) -> None:
        for line, bus in list(self._lines.items()):
            if bus.idle:
                bus.close()
                del self._lines[line]
        self._worn = self._worn or sum(bus.events for bus in self._lines.values()) >= _WORN
        self._states = tuple(
            ReaderState(
                str(plan.address),
                plan.door,
                said is not None and said.online,
                said is not None and said.secure,
                key,
                said.why if said else None,
            )
            for bus in self._lines.values()
            for plan, said, key in bus.standings()
        )

    def _heard(self, word: Event) -> None:
        with self._turn:
            if self._waiting >= _MOST_WORDS:
                self._lost[getattr(word, "door", "")] += 1
                return
            self._waiting += 1
        self._out.put(lambda: self._said(word))

    # --- the worker --------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._ended.is_set():
            try:
                self._out.get(timeout=_WATCH)()
            except queue.Empty:
                pass
            except Exception:  # noqa: BLE001 - one listener's mistake may not make all doors deaf
                traceback.print_exc()
            self._watch_round()

    def _said(self, word: Event) -> None:
        with self._turn:
            self._waiting -= 1
            lost, self._lost = self._lost, Counter()
        self._say(word)
        for door, frames in lost.items():
            self._say(Lost(door, frames))

    def _watch_round(self) -> None:
        with self._turn:
            if self._round is None or self._round.is_alive() or self._stopping.is_set():
                return
            self._wishes.put(self._made_anew)
            self._start_round()

    def _made_anew(self, now: float) -> None:
        """Begin every line anew: the thread before this one ended in the middle of something."""
        for bus in self._lines.values():
            bus.restart(now, RuntimeError("the round ended"))


def _osdp(address: str) -> Osdp:
    found = parse(address)
    if isinstance(found, Uhppote):
        raise RefusedError(_NOT_OSDP)
    return found


def _no_answer(_ok: bool, _why: Text | None) -> None:  # noqa: FBT001 - the shape of an answer
    """Lamps, sounds and texts are for the person at the door; nothing depends on them."""

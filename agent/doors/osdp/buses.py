"""OSDP buses: all OSDP readers of the site, served by one thread that steps the lines and one that reports events.

    any thread ─ wishes ─▶ round: seed, step each line, every 5 ms or on input ─ events ─▶ worker: ``say``

Rules of this file: the round never blocks and never calls out, so that no caller can delay a door; it queues events up
to a bound, and counts those beyond it. A failed line is restarted alone. The worker supervises the round and starts
another when it has died. Both are daemon threads: when the process ends, readers lock by themselves.
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
from rules.text import Message, as_message
from rules.visible import visible

TICK: Final = 0.005  # seconds; libosdp wants to be called every 50 ms at least
_BREATH: Final = 0.001
_MOST_WORDS: Final = 10_000  # events waiting to be reported
_WORN: Final = 500_000  # events, some 80 bytes each that libosdp does not free
_WATCH: Final = 0.5  # seconds between two checks of the round
_RETRY: Final = 5.0  # seconds until a line that could not be restarted is tried again

_PACE: Final = Pace()

_NOT_OSDP = Message("doors.not-osdp-address")


@dataclass(frozen=True, slots=True)
class ReaderState:
    """The present state of one reader. ``key``: fingerprint of the key in use; ``reason``: why it is offline."""

    address: str
    door: str
    online: bool
    secure: bool
    key: str
    reason: Message | None


class OsdpBuses:
    """The OSDP side of the doors process. Methods are for any thread; answers and events come from one worker.

    ``say(event)`` gets :class:`Read`, :class:`KeyPress`, :class:`Contact`, :class:`RequestToExit`, :class:`Tamper`,
    :class:`Power`, :class:`Online`, :class:`ReaderKey`, :class:`Trouble` and :class:`Lost`. Each ``answer(ok, reason)``
    is called once.
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
        self._waiting = 0  # events; the round adds, the worker subtracts, both under the lock
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
        """Start both threads. Raises :class:`RefusedError` when there is no randomness."""
        reseed()
        self._stopping.clear()
        self._ended.clear()
        self._worker = threading.Thread(target=self._work, name="osdp-words", daemon=True)
        self._start_round()
        self._worker.start()

    def stop(self) -> None:
        """Stop: close every line, answer every open command, and join both threads."""
        self._stopping.set()
        with self._turn:
            round_thread = self._round
        if round_thread is not None:
            round_thread.join()
        if self._worker is not None:
            self._out.put(self._ended.set)
            self._worker.join()
        self._round = self._worker = None

    def configure(self, readers: Sequence[ReaderPlan]) -> None:
        """Serve these readers and no others. Raises :class:`RefusedError` with nothing changed."""
        lines = by_line(readers)
        self._wishes.put(lambda now: self._configured(lines, now))

    def strike(self, address: str, output: int, seconds: float, answer: Answer) -> None:
        """Release a strike for 0.1 to 25.5 s; ``ok`` means the reader acknowledged it. Raises :class:`RefusedError`."""
        self._order(address, strike(output, seconds), answer)

    def signal(self, address: str, *, led: Led = "", buzzer: Buzzer = "", text: Message | None = None) -> None:
        """Set light, sound or text, as far as the reader supports it. There is no answer."""
        for command in (light(led), sound(buzzer), show(text)):
            if command is not None:
                self._order(address, command, _no_answer)

    def flush(self, address: str) -> None:
        """Withdraw the unsent commands of a reader."""
        reader = _osdp(address)
        self._wish(reader, lambda bus, _now: bus.flush(reader.reader), lambda: None)

    def rekey(self, address: str, key: bytes, answer: Answer) -> None:
        """Change the key of a reader that is online. Raises :class:`RefusedError` for an invalid key."""
        reader = _osdp(address)
        check_keys(visible(address), (key,))
        reply = self._later(answer)
        self._wish(reader, lambda bus, now: bus.rekey(reader.reader, key, now, reply), lambda: reply(False, AWAY))

    def commission(self, address: str, key: bytes, answer: Answer) -> None:
        """Install the first key on a reader in install mode, configured or not. Raises :class:`RefusedError`."""
        reader = _osdp(address)
        check_keys(visible(address), (key,))
        reply = self._later(answer)

        def wish(now: float) -> None:
            self._line(reader).commission(reader.reader, key, now, reply)

        self._wishes.put(wish)

    def state(self) -> tuple[ReaderState, ...]:
        """Return the states of the readers, at most some 0.1 s old."""
        return self._states

    @property
    def worn(self) -> bool:
        """Whether the process should be restarted at a quiet moment, because libosdp has leaked much memory."""
        return self._worn

    def _order(self, address: str, command: OsdpCommand, answer: Answer) -> None:
        reader = _osdp(address)
        reply = self._later(answer)
        self._wish(reader, lambda bus, now: bus.order(reader.reader, command, now, reply), lambda: reply(False, AWAY))

    def _wish(self, reader: Osdp, wish: Callable[[OsdpBus, float], None], otherwise: Callable[[], None]) -> None:
        def obey(now: float) -> None:
            bus = self._lines.get(reader.line)
            if bus is None:
                otherwise()
            else:
                wish(bus, now)

        self._wishes.put(obey)

    def _later(self, answer: Answer) -> Answer:
        return lambda ok, reason: self._out.put(lambda: answer(ok, reason))

    # --- the round ---------------------------------------------------------------------------------------------------

    def _start_round(self) -> None:
        self._round = threading.Thread(target=self._run_round, name="osdp-round", daemon=True)
        self._round.start()

    def _run_round(self) -> None:
        updated_at = due = 0.0
        ready: Sequence[str] = ()
        while not self._stopping.is_set():
            now = time.monotonic()
            self._obey(now)
            if now >= due:
                due, ready = now + self._tick, tuple(self._lines)
            for line in ready:
                if line in self._lines:
                    self._step(line, self._lines[line], now)
            if now - updated_at >= 0.1:
                updated_at = now
                self._update_states()
            ready = self._await(due)
        self._obey(time.monotonic())
        for bus in self._lines.values():
            bus.close()
        self._lines.clear()

    def _await(self, due: float) -> Sequence[str]:
        """Wait for the next tick; return earlier with the lines that have input, after a minimal pause."""
        time.sleep(_BREATH)  # a line that sends without end must not use up a processor
        poll = select.poll()
        lines = {}
        for line, bus in self._lines.items():
            if (descriptor := bus.descriptor) is not None:
                lines[descriptor] = line
                poll.register(descriptor, select.POLLIN)
        seconds = max(0.0, due - time.monotonic())
        return [lines[descriptor] for descriptor, _ in poll.poll(seconds * 1000)]

    def _obey(self, now: float) -> None:
        while True:
            try:
                wish = self._wishes.get_nowait()
            except queue.Empty:
                return
            try:
                wish(now)
            except ShoumiError as error:
                self._heard(Trouble(as_message(error.text)))

    def _step(self, line: str, bus: OsdpBus, now: float) -> None:
        if self._broken.get(line, now) > now:
            return
        try:
            if self._broken.pop(line, None) is None:
                bus.step(now)
                return
            failure: Exception = RuntimeError("not made")
        except Exception as error:  # noqa: BLE001 - libosdp may raise any exception for a fault of its own
            failure = error
        try:
            bus.restart(now, failure)
        except ShoumiError:  # no randomness: this line stops until there is some
            self._broken[line] = now + _RETRY

    def _configured(self, lines: Mapping[str, tuple[ReaderPlan, ...]], now: float) -> None:
        for line, plans in lines.items():
            try:
                self._line(plans[0].address).configure(plans, now)
            except ShoumiError as error:  # no randomness
                self._broken[line] = now + _RETRY
                self._heard(Trouble(as_message(error.text)))
        for line, bus in self._lines.items():
            if line not in lines:
                bus.configure((), now)

    def _line(self, address: Osdp) -> OsdpBus:
        if address.line not in self._lines:
            self._lines[address.line] = OsdpBus(wire_to(address), self._heard, self._clock, self._pace)
        return self._lines[address.line]

    def _update_states(self) -> None:
        for line, bus in list(self._lines.items()):
            if bus.idle:
                bus.close()
                del self._lines[line]
        self._worn = self._worn or sum(bus.events for bus in self._lines.values()) >= _WORN
        self._states = tuple(
            ReaderState(
                str(plan.address),
                plan.door,
                last is not None and last.online,
                last is not None and last.secure,
                key,
                last.why if last else None,
            )
            for bus in self._lines.values()
            for plan, last, key in bus.standings()
        )

    def _heard(self, event: Event) -> None:
        with self._turn:
            if self._waiting >= _MOST_WORDS:
                self._lost[getattr(event, "door", "")] += 1
                return
            self._waiting += 1
        self._out.put(lambda: self._deliver(event))

    # --- the worker --------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._ended.is_set():
            try:
                self._out.get(timeout=_WATCH)()
            except queue.Empty:
                pass
            except Exception:  # noqa: BLE001 - an error in one callback must not stop all doors
                traceback.print_exc()
            self._watch_round()

    def _deliver(self, event: Event) -> None:
        with self._turn:
            self._waiting -= 1
            lost, self._lost = self._lost, Counter()
        self._say(event)
        for door, frames in lost.items():
            self._say(Lost(door, frames))

    def _watch_round(self) -> None:
        with self._turn:
            if self._round is None or self._round.is_alive() or self._stopping.is_set():
                return
            self._wishes.put(self._restart_lines)
            self._start_round()

    def _restart_lines(self, now: float) -> None:
        """Restart every line: the previous thread died in the middle of a step."""
        for bus in self._lines.values():
            bus.restart(now, RuntimeError("the round ended"))


def _osdp(address: str) -> Osdp:
    parsed = parse(address)
    if isinstance(parsed, Uhppote):
        raise RefusedError(_NOT_OSDP)
    return parsed


def _no_answer(_ok: bool, _reason: Message | None) -> None:  # noqa: FBT001 - the shape of an answer
    """Ignore the answer: lights, sounds and texts are for the person at the door only."""

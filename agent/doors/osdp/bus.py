"""OSDP bus: one line and its readers, driven by one libosdp panel, which is supervised and recreated when needed.

Rules of this file: everything runs in the thread that calls :meth:`OsdpBus.step`, libosdp's callbacks included, and
nothing blocks. A command goes to a reader only while its Secure Channel is up and is answered exactly once. A failed
reader is restarted within seconds (:mod:`agent.doors.osdp.liveness`). The Secure Channel is enforced, except by
:mod:`agent.doors.osdp.commission`, which has exclusive use of the line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from agent.doors.frames import ReaderKey, Trouble
from agent.doors.messages import Online, Said
from agent.doors.osdp.channel import OsdpChannel
from agent.doors.osdp.command import OsdpCommand, ask_inputs, ask_itself, new_key
from agent.doors.osdp.command_queue import AWAY, FAILED, LATE, PATIENCE, UNABLE, Answer, CommandQueue, QueuedCommand
from agent.doors.osdp.commission import Installation
from agent.doors.osdp.frames import CCRYPT, NAK, PDCAP
from agent.doors.osdp.keys import fingerprint
from agent.doors.osdp.library import KEYSET_COMMAND, OUTPUT_COMMAND, STATUS_COMMAND, Fields, Panel, PeripheralSetup
from agent.doors.osdp.liveness import Do, LinkStatus, Pace, ReaderLiveness, begun, watch
from agent.doors.osdp.plan import ReaderPlan
from agent.doors.osdp.reports import Hearing
from agent.doors.osdp.transport import Wire
from rules.text import Message

Event = Said | ReaderKey | Trouble

_KEY_PATIENCE: Final = 15.0  # seconds a reader has to come back with another key

NO_ANSWER = Message("common.does-not-answer")
OTHER_KEY = Message("doors.reader-key-mismatch")
INCAPABLE = Message("doors.no-secure-channel")
_KEYED = Message("doors.reader-already-keyed")
_BUSY = Message("doors.line-busy-with-key")
_ANEW = Message("doors.line-restarting")
_ENDED = Message("doors.readers-closing")
_NOT_BACK = Message("doors.new-key-not-confirmed")


@dataclass(slots=True)
class _Rekeying:
    key: bytes
    until: float
    answer: Answer


@dataclass(slots=True)
class _Reader:
    """The state of one reader. ``using``: the key libosdp uses for it now."""

    plan: ReaderPlan
    using: bytes = field(repr=False)
    standing: ReaderLiveness
    orders: CommandQueue = field(default_factory=CommandQueue)
    hearing: Hearing = field(default_factory=Hearing)
    last_online: Online | None = None
    rekeying: _Rekeying | None = None
    asked_in_vain: bool = False  # it rejects status requests, and libosdp drops a reader that rejects a command

    @property
    def up(self) -> bool:
        return self.standing.secure_since is not None


class OsdpBus:
    """One bus. ``say`` gets the events; ``clock`` gives their unix seconds. For one thread."""

    def __init__(self, wire: Wire, say: Callable[[Event], None], clock: Callable[[], float], pace: Pace) -> None:
        self._wire = wire
        self._say = say
        self._clock = clock
        self._pace = pace
        self._channel = OsdpChannel(wire, self._fault)
        self._faults: set[str] = set()
        self._panel: Panel | None = None
        self._readers: list[_Reader] = []
        self._installation: tuple[Installation, int, bytes, Answer] | None = None
        self._now = 0.0
        self._events = 0

    @property
    def events(self) -> int:
        """The number of events from libosdp so far: it leaks some bytes for each."""
        return self._events + (self._panel.events if self._panel else 0)

    @property
    def descriptor(self) -> int | None:
        """The descriptor to wait on for input, ``None`` while the line is not up."""
        return self._wire.descriptor

    @property
    def idle(self) -> bool:
        """Whether the bus has no reader and no commissioning under way."""
        return not self._readers and self._installation is None

    # --- configuration -----------------------------------------------------------------------------------------------

    def configure(self, plans: Sequence[ReaderPlan], now: float) -> None:
        """Serve these readers. No channel is interrupted when only doors, sides or spare keys changed."""
        current = {reader.plan.number: reader for reader in self._readers}
        if [plan.number for plan in plans] == list(current) and all(current[p.number].using in p.keys for p in plans):
            for plan in plans:
                current[plan.number].plan = plan
            return
        self._end_readers(_ENDED)
        self._readers = [_Reader(plan, plan.keys[0], begun(now, len(plans), self._pace)) for plan in plans]
        for reader in self._readers:
            before = current.get(reader.plan.number)
            if before is not None and before.using in reader.plan.keys:
                reader.using = before.using
        self._make(now)

    def restart(self, now: float, error: Exception) -> None:
        """Recreate the panel after a failure in it. Raises :class:`RefusedError` when that is impossible."""
        self._fault(error)
        self._make(now)

    def close(self) -> None:
        """Close the line; every waiting command is answered."""
        if self._installation is not None:
            self._installed(ok=False, reason=_ENDED, remake=False)
        self._end_readers(_ENDED)
        self._wire.close()

    def _make(self, now: float, *, quiet: bool = False) -> None:
        """Create the panel for the present readers; libosdp starts with each of them from scratch."""
        self._unmake()
        self._begin_all(now, quiet=quiet)
        if self._readers:
            peers = [PeripheralSetup(reader.plan.number, reader.using) for reader in self._readers]
            self._panel = Panel(self._channel, peers, self._heard, self._completed)

    def _begin_all(self, now: float, *, quiet: bool = False) -> None:
        """Restart all readers. *quiet*: the restart is intended, so only a reader that does not return is offline."""
        for reader in self._readers:
            self._lost(reader, now, _ANEW, quiet=quiet)
            reader.standing = replace(begun(now, len(self._readers), self._pace), attempts=reader.standing.attempts)
        self._channel.answered.clear()

    def _unmake(self) -> None:
        panel, self._panel = self._panel, None
        if panel is None:
            return
        self._events += panel.events
        panel.close()
        self._channel.withheld.clear()
        for reader in self._readers:
            reader.orders.completed(ok=False)

    def _end_readers(self, reason: Message) -> None:
        self._unmake()
        for reader in self._readers:
            reader.orders.drop(reason)
            self._rekeyed(reader, ok=False, reason=reason)
        self._readers = []

    # --- one step ----------------------------------------------------------------------------------------------------

    def step(self, now: float) -> None:
        """Run one step. Pass what it raises to :meth:`restart`."""
        self._now = now
        self._wire.tick(now)
        if self._installation is not None:
            self._install(now)
            return
        panel = self._panel
        if panel is None:
            return
        for index, reader in enumerate(self._readers):
            self._feed(panel, index, reader, now)
        panel.refresh()
        online, secure = panel.masks()
        up = online & secure
        for index, reader in enumerate(self._readers):
            if not (reader.up and up >> index & 1):
                self._watch_reader(panel, index, reader, now, up=bool(up >> index & 1))
            if self._panel is not panel:
                return  # it was recreated, and its indexes differ

    def _feed(self, panel: Panel, index: int, reader: _Reader, now: float) -> None:
        if reader.rekeying is not None and now >= reader.rekeying.until:
            self._rekeyed(reader, ok=False, reason=_NOT_BACK)
        if reader.orders.overdue(now):
            panel.flush(index)  # if libosdp has not sent it yet
            if reader.orders.out:
                self._channel.withheld.add(reader.plan.number)  # if it has: its next retry is blocked
        command = reader.orders.next(now)
        if command is None:
            return
        if not command.possible(lambda code: panel.capability(index, code)):
            reader.orders.completed(ok=False, reason=UNABLE)
        elif not panel.submit(index, command.fields):
            reader.orders.completed(ok=False, reason=AWAY)

    def _watch_reader(self, panel: Panel, index: int, reader: _Reader, now: float, *, up: bool) -> None:
        number = reader.plan.number
        answer = self._channel.answered.get(number)
        refusing = answer is not None and answer.code in (CCRYPT, NAK)
        link = LinkStatus(up, panel.enabled(index), refusing, len(reader.plan.keys) > 1)
        was_up = reader.up
        reader.standing, do = watch(reader.standing, link, now, len(self._readers), self._pace)
        if up and not was_up:
            self._came_online(reader, now)
        elif was_up and not up:
            panel.flush(index)  # libosdp would send it when the reader is back
            self._lost(reader, now, self._offline_reason(reader))
        if do is not Do.NOTHING:
            self._shake(panel, index, reader, do, now)

    def _shake(self, panel: Panel, index: int, reader: _Reader, do: Do, now: float) -> None:
        if do is Do.BEGIN:
            self._channel.answered.pop(reader.plan.number, None)
            panel.enable(index)
            return
        self._report_offline(reader, self._offline_reason(reader))
        if do is Do.LET_GO:
            panel.disable(index)
            return
        keys = reader.plan.keys
        reader.using = keys[(keys.index(reader.using) + 1) % len(keys)] if reader.using in keys else keys[0]
        self._make(now)

    # --- coming and going --------------------------------------------------------------------------------------------

    def _came_online(self, reader: _Reader, now: float) -> None:
        reader.hearing.forget()
        self._channel.withheld.discard(reader.plan.number)
        plan = reader.plan
        self._report_online(reader, Online(plan.door, plan.side, str(plan.address), True, True))
        self._say(ReaderKey(str(plan.address), fingerprint(reader.using)))
        if reader.rekeying is not None and reader.using == reader.rekeying.key:
            self._rekeyed(reader, ok=True)
        if reader.asked_in_vain:
            return
        for command in (ask_itself(), ask_inputs()) if plan.wired else (ask_itself(),):
            reader.orders.add(QueuedCommand(command, now + PATIENCE, _ignore_answer))

    def _lost(self, reader: _Reader, now: float, reason: Message, *, quiet: bool = False) -> None:
        reader.orders.drop(AWAY)
        waits = reader.rekeying is not None and now < reader.rekeying.until
        if reader.last_online is not None and reader.last_online.online and not (waits or quiet):
            self._report_offline(reader, reason)

    def _report_offline(self, reader: _Reader, reason: Message) -> None:
        plan = reader.plan
        self._report_online(reader, Online(plan.door, plan.side, str(plan.address), False, False, reason))

    def _report_online(self, reader: _Reader, event: Online) -> None:
        if event != reader.last_online:
            reader.last_online = event
            self._say(event)

    def _offline_reason(self, reader: _Reader) -> Message:
        if self._wire.fault is not None:
            return self._wire.fault
        answer = self._channel.answered.get(reader.plan.number)
        if answer is None:
            return NO_ANSWER
        if answer.code in (CCRYPT, NAK) and answer.block != 0x16:
            return OTHER_KEY
        return INCAPABLE if answer.code == PDCAP else NO_ANSWER

    # --- callbacks of libosdp, within refresh ------------------------------------------------------------------------

    def _heard(self, index: int, fields: Fields) -> None:
        assert self._panel is not None
        reader = self._readers[index]
        secure = bool(self._panel.masks()[1] >> index & 1)
        stale = reader.standing.stale(self._now, self._pace)
        for event in reader.hearing.events(reader.plan, fields, secure=secure, stale=stale, at=self._clock()):
            self._say(event)

    def _completed(self, index: int, command: int, ok: bool) -> None:  # noqa: FBT001 - the panel's shape
        reader = self._readers[index]
        self._channel.withheld.discard(reader.plan.number)
        answer = self._channel.answered.get(reader.plan.number)
        if command == STATUS_COMMAND and not ok and answer is not None and answer.code == NAK:
            reader.asked_in_vain = True
        if command == KEYSET_COMMAND and ok and reader.rekeying is not None:
            reader.using = reader.rekeying.key  # libosdp restarts the Secure Channel with it
        reader.orders.completed(ok=ok)

    def _fault(self, error: Exception) -> None:
        """Report an unexpected exception, once per kind: it may occur two hundred times a second."""
        kind = type(error).__name__
        if kind not in self._faults:
            self._faults.add(kind)
            self._say(Trouble(Message("doors.line-restarted", kind=kind)))

    # --- commands ----------------------------------------------------------------------------------------------------

    def order(self, number: int, command: OsdpCommand, now: float, answer: Answer) -> None:
        """Queue a command for a reader; ``answer(ok, reason)`` follows within seconds."""
        reader = self._reader(number)
        if reader is None or not reader.up:
            answer(False, AWAY)
            return
        reader.orders.add(QueuedCommand(command, now + PATIENCE, answer), first=command.kind == OUTPUT_COMMAND)

    def flush(self, number: int) -> None:
        """Withdraw the unsent commands of a reader."""
        reader = self._reader(number)
        if reader is not None and self._panel is not None:
            reader.orders.drop()
            self._panel.flush(self._readers.index(reader))

    def rekey(self, number: int, key: bytes, now: float, answer: Answer) -> None:
        """Change the key of a reader over its channel. *key* must be durable already, so that both are tried later."""
        reader = self._reader(number)
        if reader is None or not reader.up or reader.rekeying is not None:
            answer(False, AWAY)
            return
        reader.rekeying = _Rekeying(key, now + _KEY_PATIENCE, answer)
        reader.plan = replace(reader.plan, keys=(reader.using, key))  # after any loss from here on, both are tried

        def sent(ok: bool, reason: Message | None) -> None:  # noqa: FBT001 - the shape of an answer
            # After a lost acknowledgement the reader may have either key: it may still come back with the new one.
            if not ok and reason not in (FAILED, LATE):
                self._rekeyed(reader, ok=False, reason=reason)

        reader.orders.add(QueuedCommand(new_key(key), now + PATIENCE, sent))

    def commission(self, number: int, key: bytes, now: float, answer: Answer) -> None:
        """Install the first key on a reader; the other readers of the line wait meanwhile."""
        reader = self._reader(number)
        if self._installation is not None:
            answer(False, _BUSY)
        elif reader is not None and reader.up:
            answer(False, _KEYED)
        else:
            self._unmake()
            self._begin_all(now, quiet=True)  # the others only wait: no alarm is raised for them
            begun_now = Installation(self._channel, number, key, now + self._pace.commissioning)
            self._installation = (begun_now, number, key, answer)

    def _install(self, now: float) -> None:
        assert self._installation is not None
        outcome = self._installation[0].step(now)
        if outcome is not None:
            self._installed(ok=outcome[0], reason=outcome[1])

    def _installed(self, *, ok: bool, reason: Message | None, remake: bool = True) -> None:
        assert self._installation is not None
        installation, number, key, answer = self._installation
        self._installation = None
        installation.close()
        reader = self._reader(number)
        if ok and reader is not None:
            reader.plan = replace(reader.plan, keys=(key, *(old for old in reader.plan.keys if old != key))[:2])
            reader.using = key
        answer(ok, reason)
        if remake:
            self._make(self._now, quiet=True)

    def _rekeyed(self, reader: _Reader, *, ok: bool, reason: Message | None = None) -> None:
        rekeying, reader.rekeying = reader.rekeying, None
        if rekeying is not None:
            rekeying.answer(ok, reason)

    def _reader(self, number: int) -> _Reader | None:
        return next((reader for reader in self._readers if reader.plan.number == number), None)

    def standings(self) -> Sequence[tuple[ReaderPlan, Online | None, str]]:
        """Return each reader's plan, its last online report, and the fingerprint of the key in use."""
        return [(reader.plan, reader.last_online, fingerprint(reader.using)) for reader in self._readers]


def _ignore_answer(_ok: bool, _reason: Message | None) -> None:  # noqa: FBT001 - the shape of an answer
    """Ignore the answer: the bus itself requested the states, and they arrive as events."""

"""One line and the readers on it: a libosdp panel, watched, fed and, when it must be, made anew.

Rules of this file: everything runs in the thread that calls :meth:`OsdpBus.step`, libosdp's callbacks included, and
nothing waits. A command goes to a reader only while its Secure Channel is up and is answered exactly once. Whatever
happens to a reader, it is begun with anew within seconds (:mod:`agent.doors.osdp.liveness`). The Secure Channel is
enforced, except by :mod:`agent.doors.osdp.commission`, which has the line to itself.
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
from rules.text import Text

Event = Said | ReaderKey | Trouble

_KEY_PATIENCE: Final = 15.0  # seconds a reader has to come back under another key

NO_ANSWER = Text("it does not answer", "没有应答")
OTHER_KEY = Text("it answers, but not under its key", "有应答，但密钥不符")
INCAPABLE = Text("it offers no Secure Channel", "不支持安全通道")
_KEYED = Text(
    "the reader is online under a key: change that key instead of installing one",
    "读卡器已使用密钥在线：请更换密钥，而不是重新写入初始密钥",
)
_BUSY = Text("another reader of this line is being given its key", "该线路上另一台读卡器正在写入密钥")
_ANEW = Text("its line begins anew", "线路重新开始")
_ENDED = Text("the readers are being closed", "读卡器连接正在关闭")
_NOT_BACK = Text("the reader did not come back under the new key", "读卡器未能以新密钥恢复在线")


@dataclass(slots=True)
class _Rekeying:
    key: bytes
    until: float
    answer: Answer


@dataclass(slots=True)
class _Reader:
    """One reader as it stands. ``using``: the key libosdp has for it now."""

    plan: ReaderPlan
    using: bytes = field(repr=False)
    standing: ReaderLiveness
    orders: CommandQueue = field(default_factory=CommandQueue)
    hearing: Hearing = field(default_factory=Hearing)
    said: Online | None = None
    rekeying: _Rekeying | None = None
    asked_in_vain: bool = False  # it refuses to tell its states, and libosdp drops a reader that refuses anything

    @property
    def up(self) -> bool:
        return self.standing.secure_since is not None


class OsdpBus:
    """``say`` gets what happened; ``clock`` is unix seconds, for what is said. For one thread."""

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
        """How many events libosdp has given: each is some bytes it does not free."""
        return self._events + (self._panel.events if self._panel else 0)

    @property
    def descriptor(self) -> int | None:
        """What to wait on for something to read, ``None`` while the line is not up."""
        return self._wire.descriptor

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do here."""
        return not self._readers and self._installation is None

    # --- what there is -----------------------------------------------------------------------------------------------

    def configure(self, plans: Sequence[ReaderPlan], now: float) -> None:
        """Have these readers. Nothing is disturbed when only doors, sides or spare keys changed."""
        known = {reader.plan.number: reader for reader in self._readers}
        if [plan.number for plan in plans] == list(known) and all(known[p.number].using in p.keys for p in plans):
            for plan in plans:
                known[plan.number].plan = plan
            return
        self._end_readers(_ENDED)
        self._readers = [_Reader(plan, plan.keys[0], begun(now, len(plans), self._pace)) for plan in plans]
        for reader in self._readers:
            before = known.get(reader.plan.number)
            if before is not None and before.using in reader.plan.keys:
                reader.using = before.using
        self._make(now)

    def restart(self, now: float, why: Exception) -> None:
        """Make the panel anew after something went wrong in it. Raises :class:`RefusedError` when that cannot be."""
        self._fault(why)
        self._make(now)

    def close(self) -> None:
        """Let go of the line; everything that waits is answered."""
        if self._installation is not None:
            self._installed(ok=False, why=_ENDED, remake=False)
        self._end_readers(_ENDED)
        self._wire.close()

    def _make(self, now: float, *, quiet: bool = False) -> None:
        """Make the panel for the readers there are; for libosdp they all begin from nothing."""
        self._unmake()
        self._begin_all(now, quiet=quiet)
        if self._readers:
            peers = [PeripheralSetup(reader.plan.number, reader.using) for reader in self._readers]
            self._panel = Panel(self._channel, peers, self._heard, self._completed)

    def _begin_all(self, now: float, *, quiet: bool = False) -> None:
        """Begin with all readers anew. *quiet*: that is ours to do, and only who does not come back is away."""
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

    def _end_readers(self, why: Text) -> None:
        self._unmake()
        for reader in self._readers:
            reader.orders.drop(why)
            self._rekeyed(reader, ok=False, why=why)
        self._readers = []

    # --- one step ----------------------------------------------------------------------------------------------------

    def step(self, now: float) -> None:
        """Go on. What it raises is for :meth:`restart`."""
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
                self._look(panel, index, reader, now, up=bool(up >> index & 1))
            if self._panel is not panel:
                return  # it was made anew, and indexes begin anew

    def _feed(self, panel: Panel, index: int, reader: _Reader, now: float) -> None:
        if reader.rekeying is not None and now >= reader.rekeying.until:
            self._rekeyed(reader, ok=False, why=_NOT_BACK)
        if reader.orders.overdue(now):
            panel.flush(index)  # if libosdp has not begun with it
            if reader.orders.out:
                self._channel.withheld.add(reader.plan.number)  # if it has: its next retry fails
        command = reader.orders.next(now)
        if command is None:
            return
        if not command.possible(lambda code: panel.capability(index, code)):
            reader.orders.completed(ok=False, why=UNABLE)
        elif not panel.submit(index, command.fields):
            reader.orders.completed(ok=False, why=AWAY)

    def _look(self, panel: Panel, index: int, reader: _Reader, now: float, *, up: bool) -> None:
        number = reader.plan.number
        answer = self._channel.answered.get(number)
        refusing = answer is not None and answer.code in (CCRYPT, NAK)
        seen = LinkStatus(up, panel.enabled(index), refusing, len(reader.plan.keys) > 1)
        was_up = reader.up
        reader.standing, do = watch(reader.standing, seen, now, len(self._readers), self._pace)
        if up and not was_up:
            self._came(reader, now)
        elif was_up and not up:
            panel.flush(index)  # libosdp would send it when the reader is back
            self._lost(reader, now, self._why(reader))
        if do is not Do.NOTHING:
            self._shake(panel, index, reader, do, now)

    def _shake(self, panel: Panel, index: int, reader: _Reader, do: Do, now: float) -> None:
        if do is Do.BEGIN:
            self._channel.answered.pop(reader.plan.number, None)
            panel.enable(index)
            return
        self._say_away(reader, self._why(reader))
        if do is Do.LET_GO:
            panel.disable(index)
            return
        keys = reader.plan.keys
        reader.using = keys[(keys.index(reader.using) + 1) % len(keys)] if reader.using in keys else keys[0]
        self._make(now)

    # --- coming and going --------------------------------------------------------------------------------------------

    def _came(self, reader: _Reader, now: float) -> None:
        reader.hearing.forget()
        self._channel.withheld.discard(reader.plan.number)
        plan = reader.plan
        self._say_online(reader, Online(plan.door, plan.side, str(plan.address), True, True))
        self._say(ReaderKey(str(plan.address), fingerprint(reader.using)))
        if reader.rekeying is not None and reader.using == reader.rekeying.key:
            self._rekeyed(reader, ok=True)
        if reader.asked_in_vain:
            return
        for command in (ask_itself(), ask_inputs()) if plan.wired else (ask_itself(),):
            reader.orders.add(QueuedCommand(command, now + PATIENCE, _nobody_asks))

    def _lost(self, reader: _Reader, now: float, why: Text, *, quiet: bool = False) -> None:
        reader.orders.drop(AWAY)
        waits = reader.rekeying is not None and now < reader.rekeying.until
        if reader.said is not None and reader.said.online and not (waits or quiet):
            self._say_away(reader, why)

    def _say_away(self, reader: _Reader, why: Text) -> None:
        plan = reader.plan
        self._say_online(reader, Online(plan.door, plan.side, str(plan.address), False, False, why))

    def _say_online(self, reader: _Reader, word: Online) -> None:
        if word != reader.said:
            reader.said = word
            self._say(word)

    def _why(self, reader: _Reader) -> Text:
        if self._wire.why is not None:
            return self._wire.why
        answer = self._channel.answered.get(reader.plan.number)
        if answer is None:
            return NO_ANSWER
        if answer.code in (CCRYPT, NAK) and answer.block != 0x16:
            return OTHER_KEY
        return INCAPABLE if answer.code == PDCAP else NO_ANSWER

    # --- what comes from libosdp, within refresh ---------------------------------------------------------------------

    def _heard(self, index: int, fields: Fields) -> None:
        assert self._panel is not None
        reader = self._readers[index]
        secure = bool(self._panel.masks()[1] >> index & 1)
        stale = reader.standing.stale(self._now, self._pace)
        for word in reader.hearing.words(reader.plan, fields, secure=secure, stale=stale, at=self._clock()):
            self._say(word)

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
        """Say what should not have happened, once for each kind: it may happen two hundred times a second."""
        kind = type(error).__name__
        if kind not in self._faults:
            self._faults.add(kind)
            self._say(
                Trouble(Text(f"a line of readers began anew after `{kind}`", f"一条读卡器线路因 `{kind}` 重新启动"))
            )

    # --- what is asked -----------------------------------------------------------------------------------------------

    def order(self, number: int, command: OsdpCommand, now: float, answer: Answer) -> None:
        """Tell a reader something; ``answer(ok, why)`` follows within seconds."""
        reader = self._reader(number)
        if reader is None or not reader.up:
            answer(False, AWAY)
            return
        reader.orders.add(QueuedCommand(command, now + PATIENCE, answer), first=command.kind == OUTPUT_COMMAND)

    def flush(self, number: int) -> None:
        """Take back what has not gone out to a reader."""
        reader = self._reader(number)
        if reader is not None and self._panel is not None:
            reader.orders.drop()
            self._panel.flush(self._readers.index(reader))

    def rekey(self, number: int, key: bytes, now: float, answer: Answer) -> None:
        """Give a reader another key over its channel. Right only when *key* is durable and both are tried next time."""
        reader = self._reader(number)
        if reader is None or not reader.up or reader.rekeying is not None:
            answer(False, AWAY)
            return
        reader.rekeying = _Rekeying(key, now + _KEY_PATIENCE, answer)
        reader.plan = replace(reader.plan, keys=(reader.using, key))  # whatever is lost now, both are tried

        def sent(ok: bool, why: Text | None) -> None:  # noqa: FBT001 - the shape of an answer
            # A lost acknowledgement leaves open which key the reader has: it may still come back under the new one.
            if not ok and why not in (FAILED, LATE):
                self._rekeyed(reader, ok=False, why=why)

        reader.orders.add(QueuedCommand(new_key(key), now + PATIENCE, sent))

    def commission(self, number: int, key: bytes, now: float, answer: Answer) -> None:
        """Give a reader its first key; the other readers of the line wait meanwhile."""
        reader = self._reader(number)
        if self._installation is not None:
            answer(False, _BUSY)
        elif reader is not None and reader.up:
            answer(False, _KEYED)
        else:
            self._unmake()
            self._begin_all(now, quiet=True)  # the others only wait: they are no alarm
            begun_now = Installation(self._channel, number, key, now + self._pace.commissioning)
            self._installation = (begun_now, number, key, answer)

    def _install(self, now: float) -> None:
        assert self._installation is not None
        outcome = self._installation[0].step(now)
        if outcome is not None:
            self._installed(ok=outcome[0], why=outcome[1])

    def _installed(self, *, ok: bool, why: Text | None, remake: bool = True) -> None:
        assert self._installation is not None
        installation, number, key, answer = self._installation
        self._installation = None
        installation.close()
        reader = self._reader(number)
        if ok and reader is not None:
            reader.plan = replace(reader.plan, keys=(key, *(old for old in reader.plan.keys if old != key))[:2])
            reader.using = key
        answer(ok, why)
        if remake:
            self._make(self._now, quiet=True)

    def _rekeyed(self, reader: _Reader, *, ok: bool, why: Text | None = None) -> None:
        rekeying, reader.rekeying = reader.rekeying, None
        if rekeying is not None:
            rekeying.answer(ok, why)

    def _reader(self, number: int) -> _Reader | None:
        return next((reader for reader in self._readers if reader.plan.number == number), None)

    def standings(self) -> Sequence[tuple[ReaderPlan, Online | None, str]]:
        """Return each reader's plan, what was said of it last, and the fingerprint of the key in use."""
        return [(reader.plan, reader.said, fingerprint(reader.using)) for reader in self._readers]


def _nobody_asks(_ok: bool, _why: Text | None) -> None:  # noqa: FBT001 - the shape of an answer
    """The panel asks for states by itself; what comes of it are events."""

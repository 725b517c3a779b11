"""The decider: reads what the kernel asks, finds the subject, looks up the verdict, records it, answers.

Rules of this file:
- one thread, one loop; what it may wait for is its own log file, and nothing else;
- a batch is decided whole, appended with one write, then answered: no entry, no access (contract C2);
- every event is answered, whatever went wrong with it, and the answer for trouble is DENY;
- between two events it forgets nothing it owes: descriptors are closed, counters and denials are kept.

Two groups, because the kernel does not take directories and pre-access in one mark: *open* asks before a file or
directory is opened, *access* before data passes through a descriptor that is already open. The access group is quiet
(an ignore mark per inode) until somebody's rights change; then all ignore marks go at once and every read is asked
about again. It may turn quiet only after the control process has looked who holds what (``quiet`` message).
"""

import contextlib
import errno
import os
import resource
import select
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from agent.errors import FatalError, ShoumiError
from agent.guard.denial_limiter import DenialRateLimiter
from agent.guard.heartbeat import Heartbeat
from agent.guard.ignore_marks import IgnoreMarks
from agent.guard.journal import EntryJournal
from agent.guard.latency import LatencyHistogram
from agent.guard.objects import Object, Objects
from agent.guard.policy import PolicySnapshot
from agent.guard.verdicts import VerdictCache
from agent.kernel import cover, fanotify
from agent.kernel.fanotify import DESCRIPTORS, FanotifyGroups
from agent.kernel.subject import TaskGoneError, Tasks, pidfd_info_works
from agent.log.append import Appender, LogUnwritableError
from agent.runtime import capabilities, channel
from agent.runtime.clock import AgentClock, nanoseconds
from agent.runtime.home import Home
from agent.runtime.json_string import json_string
from rules.model import Action
from rules.visible import visible

_BATCH = 64  # events per read: what one append, and one fsync, serve together
_READ = _BATCH * 56  # an access event carries a range record behind its 24 bytes of metadata
_TURN_NS = 2_000_000  # of opens, before the other descriptors are looked at again
_TICK_NS = 100_000_000
_MOST_RECORDED = 32_768
_RECHECK = 1_000_000_000
_LAST_STAND = 2.0  # seconds


# What one event got, before its entry is written: whether it passes; the entry, empty when nothing is to be recorded;
# whether to stop asking about this inode once it is recorded and allowed. A plain tuple: this is the path of an open.
_Answer = tuple[bool, bytes, bool]
_Handler = Callable[[int, int, int], _Answer]  # descriptor, thread, now


class Decider:
    """The loop and what it needs. Everything in it belongs to its one thread."""

    def __init__(
        self,
        groups: FanotifyGroups,
        control: socket.socket,
        policy: PolicySnapshot,
        journal: EntryJournal,
        clock: AgentClock,
        tasks: Tasks,
        host: str,
    ) -> None:
        self._groups = groups
        self._control = control
        self._policy = policy
        self._journal = journal
        self._clock = clock
        self._tasks = tasks
        self._objects = Objects()
        self._verdicts = VerdictCache(host)
        self._denied_opens = DenialRateLimiter(limit=100)
        self._denied_accesses = DenialRateLimiter(limit=1)
        self._silence = IgnoreMarks(groups.access)
        self._spans = LatencyHistogram()
        self._recorded_accesses: set[tuple[int, int | None, int, int]] = set()
        self._rechecked = 0
        self._next_tick = 0
        self.accesses = self.allowed = self.denied = self.unprotected = self.unlogged = 0

    # The loop.

    def run(self, heartbeat: Heartbeat, life: int) -> None:
        """Serve until the holder is gone (*life* reaches its end).

        Raises :class:`FatalError` when it must not go on; every event it had read by then has been denied.
        """
        opens, accesses, control = self._groups.open, self._groups.access, self._control.fileno()
        with select.epoll() as poll:
            for fd in (opens, accesses, control, life):
                if fd >= 0:
                    poll.register(fd, select.EPOLLIN)
            moment = self._next_tick = time.monotonic_ns()
            while True:
                ready = poll.poll((self._next_tick - moment) / 1e9)
                for fd, _ in ready:
                    if fd == opens:
                        self._serve_opens()
                    elif fd == accesses:
                        self._serve(accesses, self._access)
                    elif fd == control:
                        self._messages()
                    else:
                        return
                moment = time.monotonic_ns()  # not the clock: that one stands still after it was set back
                if moment >= self._next_tick:
                    heartbeat.beat()
                    self._tick(moment)

    def take_policy(self, epoch: int | None = None) -> None:
        """Read areas, services and pack afresh, forget every verdict, and ask about open descriptors again."""
        policy = self._policy
        policy.reload()
        self._objects.replace_roots(policy.roots)
        self._silence.loud_areas = policy.loud_areas
        self._verdicts.advance(max(epoch or 0, policy.epoch), policy.source, policy.trouble)
        self._break_silence()
        self._ask_to_look()

    def _break_silence(self) -> None:
        self._silence.end()
        self._recorded_accesses.clear()

    def _tick(self, moment: int) -> None:
        now = self._clock.now()
        left = self._silence.left(now)
        if left <= 0:
            self._break_silence()
            self._ask_to_look()
        self._spans.fold(moment)
        self._next_tick = moment + (min(_TICK_NS, left) if left > 0 else _TICK_NS)
        held = [*self._denied_opens.due(moment), *self._denied_accesses.due(moment)]
        if held:
            self._journal.accesses([b'%b,"repeats":%d' % one for one in held], now)
        if len(self._recorded_accesses) > _MOST_RECORDED:  # forgetting costs one more entry per reader and file
            self._recorded_accesses.clear()
        if self._silence.wants_look(moment):
            self._ask_to_look()
        if moment - self._rechecked > _RECHECK:  # the guarantee behind the epoch message, which can get lost
            self._rechecked = moment
            if self._policy.moved():
                self.take_policy()

    def _ask_to_look(self) -> None:
        with contextlib.suppress(OSError):  # a full channel: the next tick asks again
            channel.send(self._control, {"op": "flushed"})

    # Events.

    def _serve_opens(self) -> None:
        """Whoever was just answered has often asked again by now: reading tells as much as another poll would."""
        begun = time.monotonic_ns()
        enough = begun + _TURN_NS
        while begun < enough and (opens := self._serve(self._groups.open, self._open)):
            moment = time.monotonic_ns()
            self._spans.fresh.append((moment - begun, opens))
            begun = moment

    def _serve(self, group: int, handle: _Handler) -> int:
        """Answer one batch; return how many questions it had, none when nobody asks."""
        try:
            buffer = os.read(group, _READ)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE, errno.EINTR):
                raise
            return 1  # the kernel has denied that event itself
        now = self._clock.now()
        answers: list[tuple[int, _Answer]] = []
        texts: list[bytes] = []
        for fd, tid in fanotify.events(buffer):
            answer = self._decided(handle, fd, tid, now)
            answers.append((fd, answer))
            if answer[1]:
                texts.append(answer[1])
        recorded = not texts
        try:
            recorded = recorded or self._journal.accesses(texts, now)
        finally:  # a Fatal leaves through here as well: everything that needed its entry is denied
            if not recorded:
                self._recorded_accesses.clear()
                self.unlogged += len(texts)
            opens = group == self._groups.open  # an access without a text may stand on one that was not written
            for fd, (passes, text, hush) in answers:
                if fd >= 0:
                    self._answer(group, fd, passes=passes and (recorded or (opens and not text)), hush=hush)
        return len(answers)

    def _decided(self, handle: _Handler, fd: int, tid: int, now: int) -> _Answer:
        if fd < 0:  # the kernel could not open it for us, and has denied it
            return False, self._unseen(tid, -fd), False
        try:
            return handle(fd, tid, now)
        except OSError as error:  # its label or its name could not be read: unknown, therefore denied
            return False, self._unseen(tid, error.errno or 0), False

    def _answer(self, group: int, fd: int, *, passes: bool, hush: bool) -> None:
        try:
            if passes:
                self.allowed += 1
                if hush:
                    self._silence.hush(fd)
                os.write(group, fanotify.ALLOWED[fd])
            else:
                self.denied += 1
                fanotify.respond(group, fd, fanotify.FAN_DENY)
        except FileNotFoundError:
            pass  # the opener was killed while it waited
        finally:
            os.close(fd)

    def _open(self, fd: int, tid: int, now: int) -> _Answer:
        thing = self._found(fd)
        if not thing.areas:
            self.unprotected += 1
            return True, b"", False
        try:
            who = self._tasks.identify(tid)
        except TaskGoneError:
            return False, self._anonymous(tid, thing), False
        action = Action.LIST if thing.directory else Action.OPEN
        ruling = self._verdicts.ruling(who, thing.areas, action, now)
        text = b"%b,%b,%b" % (ruling.fields, who.fields, thing.fields)
        if ruling.passes:
            if not self._silence.granted:  # this entry stands for the reads that follow, too
                self._recorded_accesses.add((who.fsuid, who.loginuid, thing.device, thing.inode))
        elif not self._denied_opens.record((tid, thing.inode, thing.device), text):
            text = b""
        return ruling.passes, text, False

    def _access(self, fd: int, tid: int, now: int) -> _Answer:
        self.accesses += 1
        thing = self._found(fd)
        if not thing.areas:
            return True, b"", True
        try:
            who = self._tasks.identify(tid)
        except TaskGoneError:
            return False, self._anonymous(tid, thing), False
        ruling = self._verdicts.ruling(who, thing.areas, Action.ACCESS, now)
        text = b"%b,%b,%b" % (ruling.fields, who.fields, thing.fields)
        if not ruling.passes:
            once = self._denied_accesses.record((tid, thing.inode, thing.device), text)
            return False, text if once else b"", False
        key = (who.fsuid, who.loginuid, thing.device, thing.inode)
        if key in self._recorded_accesses:
            text = b""
        self._recorded_accesses.add(key)  # one entry per subject, file and epoch; taken back when it is not written
        return True, text, self._silence.allows(thing, ruling.until, now)

    def _found(self, fd: int) -> Object:
        thing = self._objects.find(fd)
        if thing.fresh:
            self._silence.came(thing, fd)
        return thing

    def _anonymous(self, tid: int, thing: Object) -> bytes:
        return b'%b,"tid":%d,%b' % (self._verdicts.unidentified(thing.areas[0]), tid, thing.fields)

    def _unseen(self, tid: int, code: int) -> bytes:
        name = json_string(errno.errorcode.get(code, str(code))).encode()
        return b'%b,"tid":%d,"path":null,"errno":%b' % (self._verdicts.unidentified(None), tid, name)

    # Messages of the control process.

    def _messages(self) -> None:
        for _ in range(_BATCH):  # then opens have their turn again
            message = channel.receive(self._control)
            if message is None:
                return
            answer: channel.Message = {"id": message.get("id")}
            try:
                answer |= self._obey(message)
            except LogUnwritableError as error:
                answer["error"] = error.text.to_json()
            except (KeyError, TypeError, ValueError) as error:
                answer["error"] = {"en": visible(repr(error)), "zh": visible(repr(error))}
            with contextlib.suppress(OSError):  # a control process that does not read must not stop the loop
                channel.send(self._control, answer)

    def _obey(self, message: channel.Message) -> channel.Message:
        match message.get("op"):
            case "epoch":
                self.take_policy(int(message["epoch"]))
                return {"epoch": self._verdicts.epoch}
            case "append":
                return {"seq": self._journal.write(dict(message["fields"]))}
            case "silences":
                return {"silences": self._silence.ended}
            case "quiet":
                if (int(message["epoch"]), int(message["since"])) == (self._verdicts.epoch, self._silence.ended):
                    self._silence.grant((int(device), int(inode)) for device, inode in message["noisy"])
                return {"quiet": self._silence.granted}
            case "stats":
                return {"stats": self._stats()}
            case unknown:
                return {"error": {"en": f"unknown message `{visible(str(unknown))}`", "zh": "未知消息"}}

    def _stats(self) -> dict[str, object]:
        lately = self._spans.summary(time.monotonic_ns())
        return {
            "allowed": self.allowed,
            "denied": self.denied,
            "accesses": self.accesses,
            "unprotected": self.unprotected,
            "unlogged": self.unlogged,
            "opens": {"count": lately.opens, "p50_us": _us(lately.p50), "p99_us": _us(lately.p99)},
            "epoch": self._verdicts.epoch,
            "quiet": self._silence.granted,
            "next_seq": self._journal.next_seq,
            "clock_behind": self._clock.behind(),
            "trouble": self._policy.trouble.text.to_json() if self._policy.trouble else None,
        }


def _us(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1000


def main(argv: list[str]) -> int:
    """Run as ``python -m agent.guard.decider HOME DURABILITY open=FD access=FD channel=FD life=FD heartbeat=FD``."""
    home, durability = Home(Path(argv[0])), argv[1]
    fds = {name: int(fd) for name, _, fd in (word.partition("=") for word in argv[2:])}
    host = os.uname().nodename
    heartbeat = Heartbeat(fds["heartbeat"])
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    capabilities.keep_only(capabilities.DECIDER)
    try:
        appender = Appender(home.log, "process" if durability == "process" else "power")
        clock = AgentClock(nanoseconds(appender.last_time) if appender.last_time else 0)
        journal = EntryJournal(appender, clock, host)
        control = socket.socket(fileno=fds["channel"])
        decider = Decider(
            FanotifyGroups(fds["open"], fds["access"]),
            control,
            PolicySnapshot(home),
            journal,
            clock,
            Tasks(pidfd_info=pidfd_info_works()),
            host,
        )
        decider.take_policy()
        _first_entries(journal, appender, heartbeat, clock)
        with contextlib.suppress(OSError):
            channel.send(control, {"op": "hello"})
        decider.run(heartbeat, fds["life"])
    except (FatalError, ShoumiError) as error:
        print(f"shoumi decider: {error.text.en}", file=sys.stderr, flush=True)
        return 1
    finally:
        if _holder_is_gone(fds["life"]):
            _last_stand(home, (fds["open"], fds["access"]))
    return 0


def _first_entries(journal: EntryJournal, appender: Appender, heartbeat: Heartbeat, clock: AgentClock) -> None:
    """Record what happened while no decider lived. A full log must not keep the decider from denying."""
    with contextlib.suppress(LogUnwritableError):
        journal.write({"kind": "decider-started", "start": heartbeat.starts(), "denied_meanwhile": heartbeat.denied()})
        if appender.recovered:
            journal.write({"kind": "recovered", "bytes": appender.recovered})
        if behind := clock.behind():
            journal.write({"kind": "clock", "behind_seconds": round(behind, 3)})


def _last_stand(home: Home, groups: tuple[int, ...]) -> None:
    """Hide the areas, then deny whoever is still in line, until the control process has let go of the groups too.

    The last one to close a group lets everybody pass who waits in it. That must be us, with nobody waiting.
    """
    cover.hide_all(home.covers)
    deadline = time.monotonic() + _LAST_STAND
    while (left := deadline - time.monotonic()) > 0:
        select.select(groups, [], [], left)
        for group in groups:
            fanotify.deny_waiting(group)


def _holder_is_gone(life: int) -> bool:
    return bool(select.select([life], [], [], 0)[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

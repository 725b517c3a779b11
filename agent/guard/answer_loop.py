"""The loop of the decider: reads what the kernel asks, finds the subject, looks up the verdict, records it, answers.

Rules of this file:
- one thread, one loop; what it may wait for is its own log file, and nothing else (contract C13): what an inode is
  that nobody has looked at yet is asked of the label worker, and its opener waits no longer than a deadline;
- a batch is decided whole, appended with one write, then answered: no entry, no access (contract C2);
- every event is answered, whatever went wrong with it, and the answer for trouble is DENY; but nothing that breaks
  denies where an area is only observed;
- between two events it forgets nothing it owes: descriptors are closed, counters and denials are kept.

Two groups, because the kernel does not take directories and pre-access in one mark: *open* asks before a file or
directory is opened, *access* before data passes through a descriptor that is already open. The access group is quiet
(an ignore mark per inode) until somebody's rights change; then all ignore marks go at once and every read is asked
about again. It may turn quiet only after the control process has looked who holds what (``quiet`` message).
"""

import contextlib
import errno
import os
import select
import socket
import time
from collections.abc import Callable

from agent.guard.heartbeat import Heartbeat
from agent.guard.identities import BUDGET_NS, Identities
from agent.guard.ignore_marks import IgnoreMarks
from agent.guard.journal import EntryJournal
from agent.guard.judge import SEPARATOR, EventJudge
from agent.guard.judged_time import JudgedTime
from agent.guard.label_worker import LabelWorkerClient
from agent.guard.latency import LatencyHistogram
from agent.guard.objects import Object, Objects, Root
from agent.guard.openers import Openers, ServerLook
from agent.guard.own_attempts import How, OwnAttempts
from agent.guard.parked import ParkedEvent
from agent.guard.placing import Placement
from agent.guard.policy import PolicySnapshot
from agent.guard.programs import Hashed
from agent.guard.questions import WorkerQuestions
from agent.guard.refusals import person_of
from agent.guard.verdicts import LATE, UNLABELLED, Answer, VerdictCache
from agent.guard.worker_packets import Kind
from agent.kernel import fanotify
from agent.kernel.fanotify import FanotifyGroups
from agent.kernel.program import FirstNamespaces
from agent.kernel.samba_program import SambaPrograms
from agent.kernel.smb_client import SmbPeers
from agent.kernel.subject import Tasks
from agent.runtime import channel
from agent.runtime.clock import AgentClock
from agent.runtime.clock_file import ClockKeeper
from rules.model import Verdict

BATCH = 64  # events per read: what one append, and one fsync, serve together
_READ = BATCH * 56  # an access event carries a range record behind its 24 bytes of metadata
_TURN_NS = 2_000_000  # of opens, before the other descriptors are looked at again
_TICK_NS = 100_000_000
_MOST_RECORDED = 32_768
_RECHECK = 1_000_000_000

_Handler = Callable[[int, int, int], Answer | None]  # descriptor, thread, now; ``None``: it waits for the label worker


class AnswerLoop:
    """The loop and what it needs. Everything in it belongs to its one thread."""

    def __init__(
        self,
        groups: FanotifyGroups,
        control: socket.socket,
        policy: PolicySnapshot,
        journal: EntryJournal,
        clock: AgentClock,
        tasks: Tasks,
        worker: LabelWorkerClient,
        host: str,
        openers: Openers,
        keeper: ClockKeeper | None = None,
    ) -> None:
        self._groups = groups
        self._control = control
        self.policy = policy
        self.journal = journal
        self.clock = clock
        self.time = JudgedTime(clock, journal, keeper, self._forget)
        self.openers = openers
        self._questions = WorkerQuestions(worker, openers)
        self._objects = Objects()
        self.verdicts = VerdictCache(host)
        self.own = OwnAttempts()
        self.silence = IgnoreMarks(groups.access)
        samba = SambaPrograms()
        self._identities = who = Identities(tasks, policy, samba, FirstNamespaces(), most_ns=BUDGET_NS)
        client = SmbPeers(samba).address
        self.judge = EventJudge(groups.open, policy, self.verdicts, who, self.silence, self.own, openers, client)
        self.spans = LatencyHistogram()
        self._roots: tuple[Root, ...] | None = None  # what everybody was told last
        self._rechecked = 0
        self._next_tick = 0
        self.stopping = False
        self.accesses = self.allowed = self.denied = self.unlogged = self.late = 0

    # The loop.

    def run(self, heartbeat: Heartbeat, life: int, obey: Callable[[], None]) -> None:
        """Serve until the holder is gone (*life* reaches its end); *obey* takes messages of the control process.

        ``stopping``, set meanwhile, ends it within a tick.

        Raises :class:`FatalError` when it must not go on; every event it had read by then has been denied.
        """
        opens, accesses, control = self._groups.open, self._groups.access, self._control.fileno()
        worker = self._questions.fileno()
        with select.epoll() as poll:
            for fd in (opens, accesses, control, worker, life):
                if fd >= 0:
                    poll.register(fd, select.EPOLLIN)
            moment = self._next_tick = time.monotonic_ns()
            self._questions.heard()
            try:
                while not self.stopping:
                    ready = poll.poll((self._next_tick - moment) / 1e9)
                    for fd, _ in ready:
                        if fd == opens:
                            self._serve_opens()
                        elif fd == accesses:
                            self._serve(accesses, self._access)
                        elif fd == worker:
                            self._answered()
                        elif fd == control:
                            obey()
                        else:
                            return
                    moment = time.monotonic_ns()  # not the clock: that one follows the system's
                    if moment >= self._next_tick:
                        heartbeat.beat()
                        heartbeat.set_watching(self.policy.only_observes)
                        self._tick(moment)
            finally:
                self._give_up()

    def take_policy(self, epoch: int | None = None) -> None:
        """Read areas, services and pack afresh, forget every verdict, and ask about open descriptors again."""
        policy = self.policy
        policy.reload(epoch or 0)
        if policy.roots is None or policy.roots is not self._roots:
            self._roots = policy.roots
            self._objects.replace_roots(policy.roots)
            if policy.roots is not None:
                self._questions.replace_areas([root.place for root in policy.roots])
        self.silence.loud_areas = policy.loud_areas
        self._identities.forget()
        self.verdicts.advance(max(epoch or 0, policy.epoch), policy.source, policy.trouble, policy.observed)
        self._break_silence()
        self._ask_to_look()

    def take_hashed(self, hashed: Hashed) -> None:
        """Take which programs the control process has read, and forget verdicts if that changes any."""
        if self.policy.take_hashed(hashed):
            self.verdicts.advance(self.verdicts.epoch, self.policy.source, self.policy.trouble, self.policy.observed)
            self._identities.forget()

    def _break_silence(self) -> None:
        self.silence.end()
        self.judge.recorded.clear()

    def _tick(self, moment: int) -> None:
        now = self.time.now()
        left = self.silence.left(now)
        if left <= 0:
            self._break_silence()
            self._ask_to_look()
        self.spans.fold(moment)
        self._next_tick = moment + (min(_TICK_NS, left) if left > 0 else _TICK_NS)
        self._deny_overdue(moment)
        self._tell_denials(moment)
        self.judge.doubt_forgotten()
        if len(self.judge.recorded) > _MOST_RECORDED:  # forgetting costs one more entry per reader and file
            self.judge.recorded.clear()
        if self.silence.wants_look(moment):
            self._ask_to_look()
        if moment - self._rechecked > _RECHECK:  # the guarantee behind the epoch message, which can get lost
            self._rechecked = moment
            self.time.tend(moment)
            self.judge.denied_this_second.clear()
            self.own.forget_ended(moment)
            self._questions.tend(moment)
            if self.policy.moved():
                self.take_policy()

    def _tell_denials(self, moment: int) -> None:
        texts = self.judge.refusals.counts(moment)
        if texts and not self.journal.accesses(texts):
            self.unlogged += len(texts)

    def _forget(self) -> None:
        """Time has jumped: whatever was decided for another time is decided anew."""
        self.verdicts.forget()
        self._break_silence()
        self._ask_to_look()

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
            self.spans.fresh.append((moment - begun, opens))
            begun = moment

    def _serve(self, group: int, handle: _Handler) -> int:
        """Answer one batch; return how many questions it had, none when nobody asks."""
        try:
            buffer = fanotify.read(group, _READ)
            asked = fanotify.events(buffer)
            names = fanotify.reads(buffer) if group == self._groups.open else frozenset()
        except BlockingIOError:
            return 0
        except fanotify.UnreadableEventError as error:
            asked = [(-(error.errno or errno.EIO), 0)]  # denied already; who it was is not told
            names = frozenset()
        now = self.time.now()
        answers: list[tuple[int, Answer]] = []
        for fd, tid in asked:
            answer = self._decided(self._names if fd in names else handle, fd, tid, now)
            if answer is not None:
                answers.append((fd, answer))
        self._conclude(group, answers)
        return len(asked)

    def _conclude(self, group: int, answers: list[tuple[int, Answer]]) -> None:
        """Record *answers*, then give them."""
        texts = [text for _, answer in answers if answer[1] for text in answer[1].split(SEPARATOR)]
        recorded = not texts
        try:
            recorded = recorded or self.journal.accesses(texts)
        finally:  # a Fatal leaves through here as well: everything that needed its entry is denied
            if not recorded:
                self.judge.recorded.clear()
                self.unlogged += len(texts)
            opens = group == self._groups.open  # an access without a text may stand on one that was not written
            for fd, (passes, text, hush, owed) in answers:
                if fd >= 0:
                    passes = passes and (recorded or not owed or (opens and not text))
                    self._answer(group, fd, passes=passes, hush=hush and recorded)

    def _decided(self, handle: _Handler, fd: int, tid: int, now: int) -> Answer | None:
        if fd < 0:  # the kernel could not open it for us, and has denied it
            return False, self.judge.refusals.unseen(tid, -fd), False, True
        try:
            return handle(fd, tid, now)
        except OSError as error:  # its name could not be read: unknown, therefore denied
            return self.judge.refusals.unknown(tid, error.errno or 0)

    def _answer(self, group: int, fd: int, *, passes: bool, hush: bool) -> None:
        try:
            if passes:
                self.allowed += 1
                if hush:
                    self.silence.hush(fd)
                os.write(group, fanotify.ALLOWED[fd])
            else:
                self.denied += 1
                fanotify.respond(group, fd, fanotify.FAN_DENY)
        except FileNotFoundError:  # the opener was killed while it waited; ours may be the last close
            self._questions.close_there(fd)
        finally:
            os.close(fd)

    def _open(self, fd: int, tid: int, now: int) -> Answer | None:
        thing, group = self._objects.find(fd), self._groups.open
        if thing is None:
            return self._park(group, fd, tid)
        return self.judge.open(thing, fd, tid, now) or self._park(group, fd, tid, kind=Kind.LOOK)

    def _names(self, fd: int, tid: int, now: int) -> Answer | None:
        """Names are read from a directory that is open: only the root directory of a volume is asked about."""
        thing = self._objects.find(fd)
        if thing is None:
            return self._park(self._groups.open, fd, tid, names=True)
        return self.judge.open(thing, fd, tid, now, names=True)

    def _access(self, fd: int, tid: int, now: int) -> Answer | None:
        self.accesses += 1
        thing, group = self._objects.find(fd), self._groups.access
        if thing is None:
            return self._park(group, fd, tid)
        return self.judge.access(thing, tid, now) or self._park(group, fd, tid, kind=Kind.LOOK)

    # What waits for the label worker.

    def _park(self, group: int, fd: int, tid: int, *, kind: Kind = Kind.PLACE, names: bool = False) -> Answer | None:
        """Ask the worker where *fd* lies, or who has it open, and let its opener wait."""
        thing = self._objects.seen(fd)
        who = self.judge.who(tid)
        moment = time.monotonic_ns()
        event = ParkedEvent(group, fd, tid, thing.path, person_of(who), thing.device, moment, kind, names)
        why = self._questions.park(event)
        return None if why is None else self.judge.refusals.refused(why, thing, tid, who)

    def _answered(self) -> None:
        """Take what the worker has found, and answer whom it was about."""
        now = self.time.now()
        answers: dict[int, list[tuple[int, Answer]]] = {self._groups.open: [], self._groups.access: []}
        try:
            for event, found in self._questions.answers():
                if found is None:  # the areas have changed meanwhile
                    answer = self._park(event.group, event.fd, event.tid, names=event.names)
                elif isinstance(found, ServerLook):
                    answer = self._looked(event, found, now)
                else:
                    answer = self._placed(event, found, now)
                if answer is not None:
                    answers[event.group].append((event.fd, answer))
        finally:
            for group, given in answers.items():
                for start in range(0, len(given), BATCH):
                    self._conclude(group, given[start : start + BATCH])

    def _placed(self, event: ParkedEvent, found: Placement, now: int) -> Answer | None:
        if found.error:
            return self.judge.refusals.unknown(event.tid, found.error, self._objects.seen(event.fd))
        opens = event.group == self._groups.open
        if found.stripped:
            return self._refuse(UNLABELLED, event, "open" if opens else "access")
        thing = self._objects.learn(event.path, found)
        if thing.fresh:
            self.silence.came(thing, event.fd)
        answer = self._judged(event, thing, now)
        if answer is None:
            return self._park(event.group, event.fd, event.tid, kind=Kind.LOOK)
        if opens and thing.newborn and not answer[0] and (who := self.judge.who(event.tid)):
            self._questions.discard(event.fd, who.fsuid)
        return answer

    def _looked(self, event: ParkedEvent, look: ServerLook, now: int) -> Answer | None:
        thing, who = self._objects.find(event.fd), self.judge.who(event.tid)
        if thing is None:
            return self._park(event.group, event.fd, event.tid)
        if who is not None:
            self.openers.looked(who, (thing.device, thing.inode), look, time.monotonic_ns())
        return self._judged(event, thing, now, looked=True)

    def _judged(self, event: ParkedEvent, thing: Object, now: int, *, looked: bool = False) -> Answer | None:
        if event.group == self._groups.open:
            return self.judge.open(thing, event.fd, event.tid, now, names=event.names, looked=looked)
        return self.judge.access(thing, event.tid, now, looked=looked)

    def _deny_overdue(self, moment: int) -> None:
        for event in self._questions.overdue(moment):
            self.late += 1
            self._conclude(event.group, [(event.fd, self._refuse(LATE, event))])

    def _refuse(self, why: Verdict, event: ParkedEvent, how: How = "late") -> Answer:
        thing, who = self._objects.seen(event.fd), self.judge.who(event.tid)
        return self.judge.refusals.refused(why, thing, event.tid, who, how)

    def _give_up(self) -> None:
        """On the way out: whoever still waits is answered, and the worker goes."""
        for event in self._questions.overdue(1 << 63):
            with contextlib.suppress(OSError):
                response = fanotify.FAN_ALLOW if self.policy.only_observes else fanotify.FAN_DENY
                fanotify.respond(event.group, event.fd, response)
        self._questions.end()

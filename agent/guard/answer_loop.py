"""The decider's event loop: it reads fanotify events, finds the subject, looks up the verdict, records it and answers.

Rules of this file:
- one thread, one loop; it waits for its own log file only (contract C13): the label worker is asked for the place of an
  unknown inode, and its opener waits no longer than a deadline;
- a batch is decided whole, appended with one write, then answered: no entry, no access (contract C2);
- every event is answered, whatever fails; the answer on failure is DENY, except where an area is only observed;
- between two events no obligation is lost: descriptors are closed, counters and denials are kept.

Two groups, because the kernel does not take directories and pre-access in one mark: *open* asks before a file or
directory is opened, *access* before data passes through a descriptor that is already open. The access group is quiet
(an ignore mark per inode) until rights change; then all ignore marks are removed at once and every read is asked about
again. It becomes quiet only after the control process has checked which processes hold files (``quiet`` message).
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
_TURN_NS = 2_000_000  # of opens, before the other descriptors are served again
_TICK_NS = 100_000_000
_MOST_RECORDED = 32_768
_RECHECK = 1_000_000_000

_Handler = Callable[[int, int, int], Answer | None]  # descriptor, thread, now; ``None``: it waits for the label worker


class AnswerLoop:
    """The loop and its parts. Everything in it belongs to its one thread."""

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
        self._identities = identities = Identities(tasks, policy, samba, FirstNamespaces(), most_ns=BUDGET_NS)
        client = SmbPeers(samba).address
        self.judge = EventJudge(groups.open, policy, self.verdicts, identities, self.silence, self.own, openers, client)
        self.spans = LatencyHistogram()
        self._roots: tuple[Root, ...] | None = None  # as last passed on
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
                    moment = time.monotonic_ns()  # not the agent's clock, which follows the wall clock
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
        self.silence.always_ask = policy.always_ask
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
        remaining = self.silence.remaining(now)
        if remaining <= 0:
            self._break_silence()
            self._ask_to_look()
        self.spans.fold(moment)
        self._next_tick = moment + (min(_TICK_NS, remaining) if remaining > 0 else _TICK_NS)
        self._deny_overdue(moment)
        self._tell_denials(moment)
        self.judge.doubt_forgotten()
        if len(self.judge.recorded) > _MOST_RECORDED:  # forgetting costs one more entry per reader and file
            self.judge.recorded.clear()
        if self.silence.wants_look(moment):
            self._ask_to_look()
        if moment - self._rechecked > _RECHECK:  # in case the epoch message was lost
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
        """Drop every verdict: judged time has jumped."""
        self.verdicts.forget()
        self._break_silence()
        self._ask_to_look()

    def _ask_to_look(self) -> None:
        with contextlib.suppress(OSError):  # a full channel: the next tick asks again
            channel.send(self._control, {"op": "flushed"})

    # Events.

    def _serve_opens(self) -> None:
        """Serve opens for one turn: an opener just answered often asks again, so reading replaces another poll."""
        begun = time.monotonic_ns()
        enough = begun + _TURN_NS
        while begun < enough and (opens := self._serve(self._groups.open, self._open)):
            moment = time.monotonic_ns()
            self.spans.fresh.append((moment - begun, opens))
            begun = moment

    def _serve(self, group: int, handle: _Handler) -> int:
        """Answer one batch; return the number of its events, 0 when none waits."""
        try:
            buffer = fanotify.read(group, _READ)
            events = fanotify.events(buffer)
            names = fanotify.reads(buffer) if group == self._groups.open else frozenset()
        except BlockingIOError:
            return 0
        except fanotify.UnreadableEventError as error:
            events = [(-(error.errno or errno.EIO), 0)]  # denied already; the thread is not reported
            names = frozenset()
        now = self.time.now()
        answers: list[tuple[int, Answer]] = []
        for fd, tid in events:
            answer = self._decided(self._names if fd in names else handle, fd, tid, now)
            if answer is not None:
                answers.append((fd, answer))
        self._conclude(group, answers)
        return len(events)

    def _conclude(self, group: int, answers: list[tuple[int, Answer]]) -> None:
        """Record *answers*, then give them."""
        texts = [text for _, answer in answers if answer[1] for text in answer[1].split(SEPARATOR)]
        recorded = not texts
        try:
            recorded = recorded or self.journal.accesses(texts)
        finally:  # on FatalError as well: what needed its entry is denied
            if not recorded:
                self.judge.recorded.clear()
                self.unlogged += len(texts)
            opens = group == self._groups.open  # an access without a text may rely on an entry that was not written
            for fd, (passes, text, ignore, owed) in answers:
                if fd >= 0:
                    passes = passes and (recorded or not owed or (opens and not text))
                    self._answer(group, fd, passes=passes, ignore=ignore and recorded)

    def _decided(self, handle: _Handler, fd: int, tid: int, now: int) -> Answer | None:
        if fd < 0:  # the kernel could not open it for us, and has denied it
            return False, self.judge.refusals.unseen(tid, -fd), False, True
        try:
            return handle(fd, tid, now)
        except OSError as error:  # its name could not be read: unknown, therefore denied
            return self.judge.refusals.unknown(tid, error.errno or 0)

    def _answer(self, group: int, fd: int, *, passes: bool, ignore: bool) -> None:
        try:
            if passes:
                self.allowed += 1
                if ignore:
                    self.silence.ignore(fd)
                os.write(group, fanotify.ALLOWED[fd])
            else:
                self.denied += 1
                fanotify.respond(group, fd, fanotify.FAN_DENY)
        except FileNotFoundError:  # the opener was killed while it waited; ours may be the last close
            self._questions.close_there(fd)
        finally:
            os.close(fd)

    def _open(self, fd: int, tid: int, now: int) -> Answer | None:
        target, group = self._objects.find(fd), self._groups.open
        if target is None:
            return self._park(group, fd, tid)
        return self.judge.open(target, fd, tid, now) or self._park(group, fd, tid, kind=Kind.LOOK)

    def _names(self, fd: int, tid: int, now: int) -> Answer | None:
        """Judge reading names from an open directory: only the root directory of a volume is asked about."""
        target = self._objects.find(fd)
        if target is None:
            return self._park(self._groups.open, fd, tid, names=True)
        return self.judge.open(target, fd, tid, now, names=True)

    def _access(self, fd: int, tid: int, now: int) -> Answer | None:
        self.accesses += 1
        target, group = self._objects.find(fd), self._groups.access
        if target is None:
            return self._park(group, fd, tid)
        return self.judge.access(target, tid, now) or self._park(group, fd, tid, kind=Kind.LOOK)

    # What waits for the label worker.

    def _park(self, group: int, fd: int, tid: int, *, kind: Kind = Kind.PLACE, names: bool = False) -> Answer | None:
        """Ask the worker for the place of *fd*, or for its openers, and park the event."""
        target = self._objects.by_name(fd)
        subject = self.judge.subject_of(tid)
        moment = time.monotonic_ns()
        event = ParkedEvent(group, fd, tid, target.path, person_of(subject), target.device, moment, kind, names)
        verdict = self._questions.park(event)
        return None if verdict is None else self.judge.refusals.refused(verdict, target, tid, subject)

    def _answered(self) -> None:
        """Take the worker's replies, and answer their events."""
        now = self.time.now()
        answers: dict[int, list[tuple[int, Answer]]] = {self._groups.open: [], self._groups.access: []}
        try:
            for event, reply in self._questions.answers():
                if reply is None:  # the areas have changed meanwhile
                    answer = self._park(event.group, event.fd, event.tid, names=event.names)
                elif isinstance(reply, ServerLook):
                    answer = self._inspected(event, reply, now)
                else:
                    answer = self._placed(event, reply, now)
                if answer is not None:
                    answers[event.group].append((event.fd, answer))
        finally:
            for group, batch in answers.items():
                for start in range(0, len(batch), BATCH):
                    self._conclude(group, batch[start : start + BATCH])

    def _placed(self, event: ParkedEvent, placement: Placement, now: int) -> Answer | None:
        if placement.error:
            return self.judge.refusals.unknown(event.tid, placement.error, self._objects.by_name(event.fd))
        opens = event.group == self._groups.open
        if placement.stripped:
            return self._refuse(UNLABELLED, event, "open" if opens else "access")
        target = self._objects.learn(event.path, placement)
        if target.fresh:
            self.silence.note_arrival(target, event.fd)
        answer = self._judged(event, target, now)
        if answer is None:
            return self._park(event.group, event.fd, event.tid, kind=Kind.LOOK)
        if opens and target.newborn and not answer[0] and (subject := self.judge.subject_of(event.tid)):
            self._questions.discard(event.fd, subject.fsuid)
        return answer

    def _inspected(self, event: ParkedEvent, server_look: ServerLook, now: int) -> Answer | None:
        target, subject = self._objects.find(event.fd), self.judge.subject_of(event.tid)
        if target is None:
            return self._park(event.group, event.fd, event.tid)
        if subject is not None:
            self.openers.take_look(subject, (target.device, target.inode), server_look, time.monotonic_ns())
        return self._judged(event, target, now, inspected=True)

    def _judged(self, event: ParkedEvent, target: Object, now: int, *, inspected: bool = False) -> Answer | None:
        if event.group == self._groups.open:
            return self.judge.open(target, event.fd, event.tid, now, names=event.names, inspected=inspected)
        return self.judge.access(target, event.tid, now, inspected=inspected)

    def _deny_overdue(self, moment: int) -> None:
        for event in self._questions.overdue(moment):
            self.late += 1
            self._conclude(event.group, [(event.fd, self._refuse(LATE, event))])

    def _refuse(self, verdict: Verdict, event: ParkedEvent, how: How = "late") -> Answer:
        target, subject = self._objects.by_name(event.fd), self.judge.subject_of(event.tid)
        return self.judge.refusals.refused(verdict, target, event.tid, subject, how)

    def _give_up(self) -> None:
        """Answer all parked events and end the worker."""
        for event in self._questions.overdue(1 << 63):
            with contextlib.suppress(OSError):
                response = fanotify.FAN_ALLOW if self.policy.only_observes else fanotify.FAN_DENY
                fanotify.respond(event.group, event.fd, response)
        self._questions.end()

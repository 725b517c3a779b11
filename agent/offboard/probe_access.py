"""Access probes: a forked child takes the identity of a person, tries to open paths, and reports the error numbers.

Rules of this file:
- only ``EPERM`` and ``EACCES`` are a denial. ``ENOENT`` proves that the path is wrong, not that the person is kept out,
  and a child without a reply proves nothing;
- a child first shows that it can open something at all: a process that is refused everything proves nothing;
- the decider is told the owner of these attempts before the child begins: in the log they carry the mark of the agent's
  own, and are no denials of the person. If that fails, nothing else changes;
- the child opens and never writes; it ends by itself when the agent is gone, and is killed when it does not answer in
  time;
- each person is tried under each of their accounts, and as root with their login uid: that is the result of ``su``.

Sources: open(2), proc_pid_loginuid(5), pidfd_open(2).
"""

import contextlib
import errno
import math
import os
import pwd
import select
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Literal, NamedTuple, NoReturn

from agent.errors import ShoumiError

PATIENCE = 2.0  # seconds for one answer; an open that waits for a decision takes milliseconds

_DENIALS = frozenset((errno.EPERM, errno.EACCES))
_WITNESS = "/proc/self/stat"  # every user may read this
_NOT_TAKEN, _NO_WITNESS = -1, -2  # reported by a child before its first attempt, in place of the number of a target
_LOST = 3  # children of one identity that may fail to answer before the rest stays untried
_ALONGSIDE = 4  # children of one identity at a time: decided and written down together; more would keep others waiting
_FEWEST = 30  # targets that are worth another child

What = Literal["list", "file"]


class ProbeAnswer(StrEnum):
    """The result of an attempt. Only :attr:`DENIED` shows that the person is kept out."""

    DENIED = "denied"
    LET_IN = "let-in"
    ABSENT = "absent"
    FAILED = "failed"
    UNTRIED = "untried"


class ProbeIdentity(NamedTuple):
    """The identity of a probe: a uid with its groups, and the login uid behind it."""

    uid: int
    login: int
    gid: int
    groups: tuple[int, ...] = ()


class ProbeTarget(NamedTuple):
    """One target: a directory to ``list`` or a ``file`` to open."""

    area: str
    what: What
    path: str


class ProbeAttempt(NamedTuple):
    """The result of one target under one identity. ``error`` is the name of the error number, or empty."""

    area: str
    what: What
    uid: int
    login: int
    answer: ProbeAnswer
    error: str = ""


def identities(uids: Iterable[int]) -> tuple[ProbeIdentity, ...]:
    """Return the identities to try: each account with the groups it has here, then root with each login uid."""
    uids = tuple(uids)
    return tuple(_account(uid) for uid in uids) + tuple(ProbeIdentity(0, uid, 0) for uid in uids)


def _account(uid: int) -> ProbeIdentity:
    try:
        passwd_entry = pwd.getpwuid(uid)
        return ProbeIdentity(
            uid, uid, passwd_entry.pw_gid, tuple(os.getgrouplist(passwd_entry.pw_name, passwd_entry.pw_gid))
        )
    except KeyError:  # this host does not know the account: it has no groups here either
        return ProbeIdentity(uid, uid, uid)


def attempt(
    targets: Sequence[ProbeTarget], identity: ProbeIdentity, own: Callable[[int], None], patience: float = PATIENCE
) -> list[ProbeAttempt]:
    """Try every target as *identity*, and return the attempts in the same order; wait *patience* seconds for each.

    *own* tells the decider that a process acts for the agent; it may raise :class:`ShoumiError`. Errors of a child are
    never raised: a child that cannot be made or does not answer leaves ``UNTRIED`` attempts.
    """
    size = max(_FEWEST, math.ceil(len(targets) / _ALONGSIDE))
    parts = [targets[start : start + size] for start in range(0, len(targets), size)]
    answers: list[list[ProbeAttempt]] = [[] for _ in parts]
    lost = 0
    while unanswered := [number for number, part in enumerate(parts) if len(answers[number]) < len(part)]:
        if lost >= _LOST:
            for number in unanswered:
                silent = parts[number][len(answers[number]) :]
                answers[number] += [
                    _attempt_of(target, identity, ProbeAnswer.UNTRIED, "no answer") for target in silent
                ]
            break
        remaining = [parts[number][len(answers[number]) :] for number in unanswered]
        replies = _children(remaining, lambda part: _Trial(part, identity, own, patience))
        for number, reply in zip(unanswered, replies, strict=True):
            answers[number] += reply
            if len(answers[number]) < len(parts[number]):  # this child was silent about the next one
                lost += 1
                answers[number].append(
                    _attempt_of(parts[number][len(answers[number])], identity, ProbeAnswer.UNTRIED, "no answer")
                )
    return [answered for part in answers for answered in part]


def judged(number: int) -> ProbeAnswer:
    """Return the answer for the error number of an open; 0 is success."""
    if number == 0:
        return ProbeAnswer.LET_IN
    if number in _DENIALS:
        return ProbeAnswer.DENIED
    return ProbeAnswer.ABSENT if number in (errno.ENOENT, errno.ENOTDIR) else ProbeAnswer.FAILED


class _Trial:
    """One child that tries *targets*, and its answers so far. ``over``: no answer is expected any more."""

    def __init__(
        self, targets: Sequence[ProbeTarget], identity: ProbeIdentity, own: Callable[[int], None], patience: float
    ) -> None:
        self._targets, self._identity, self._patience = targets, identity, patience
        self.answers: list[ProbeAttempt] = []
        self._buffer = b""
        self.hearing, telling = os.pipe()
        gate, opening = os.pipe()
        self._pid = -1
        try:
            self._pid = os.fork()
        except OSError as error:
            self._untried(_name(error.errno or 0))
        if self._pid == 0:
            os.close(opening)
            _child(targets, identity, (gate, telling), patience)
        os.close(telling)
        os.close(gate)
        if self._pid > 0:
            with contextlib.suppress(ShoumiError):
                own(self._pid)
        os.close(opening)
        self.deadline = time.monotonic() + patience

    @property
    def over(self) -> bool:
        """Whether no answer is expected any more."""
        return len(self.answers) == len(self._targets) or time.monotonic() >= self.deadline

    def hear(self) -> None:
        """Read the child's answers. The trial is over at the end of the stream, or when an answer is malformed."""
        chunk = os.read(self.hearing, 4096)
        *whole, self._buffer = (self._buffer + chunk).split(b"\n")
        self.deadline = time.monotonic() + self._patience if chunk else 0.0
        for line in whole:
            number, code = map(int, line.split(b" "))
            if number in (_NOT_TAKEN, _NO_WITNESS):
                self._untried(f"{'identity' if number == _NOT_TAKEN else 'witness'} {_name(code)}")
            elif number == len(self.answers) < len(self._targets):
                self.answers.append(_attempt_of(self._targets[number], self._identity, judged(code), _name(code)))
            else:
                self.deadline = 0.0

    def end(self) -> None:
        """See the child to its end."""
        os.close(self.hearing)
        if self._pid > 0:
            _end(self._pid)

    def _untried(self, reason: str) -> None:
        self.answers = [_attempt_of(target, self._identity, ProbeAnswer.UNTRIED, reason) for target in self._targets]


def _children(
    parts: Sequence[Sequence[ProbeTarget]], begin: Callable[[Sequence[ProbeTarget]], "_Trial"]
) -> list[list[ProbeAttempt]]:
    """Return for each part the answers of one child before it ended or fell silent; there may be none."""
    trials: list[_Trial] = []
    try:
        trials.extend(map(begin, parts))
        while waiting := {trial.hearing: trial for trial in trials if not trial.over}:
            soonest = min(trial.deadline for trial in waiting.values())
            for hearing in select.select(waiting, [], [], max(0.0, soonest - time.monotonic()))[0]:
                waiting[hearing].hear()
    finally:
        for trial in trials:
            trial.end()
    return [trial.answers for trial in trials]


def _end(pid: int) -> None:
    """Kill the child and wait for its end; one that the kernel cannot end now is abandoned."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    fd = os.pidfd_open(pid)
    try:
        if select.select([fd], [], [], PATIENCE)[0]:
            os.waitpid(pid, 0)
    finally:
        os.close(fd)


def _child(
    targets: Sequence[ProbeTarget], identity: ProbeIdentity, pipes: tuple[int, int], patience: float
) -> NoReturn:
    """Take *identity* and try, once the gate opens; nothing is cleaned up here, and nothing is imported any more."""
    gate, telling = pipes
    try:
        os.read(gate, 1)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(int(patience * (len(targets) + 1)) + 1)  # the last resort if the parent process is gone
        if number := _failure(lambda: become(identity)):
            _tell(telling, _NOT_TAKEN, number)
        elif number := _failure(lambda: os.close(os.open(_WITNESS, os.O_RDONLY | os.O_CLOEXEC))):
            _tell(telling, _NO_WITNESS, number)
        else:
            for index, target in enumerate(targets):
                _tell(telling, index, _tried(target))
    finally:
        os._exit(0)


def _tried(target: ProbeTarget) -> int:
    """Open *target* as an ordinary program would, and return the error number, 0 on success."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # O_NONBLOCK: a fifo in the way must not hold us
    if target.what == "list":
        flags |= os.O_DIRECTORY
    return _failure(lambda: os.close(os.open(target.path, flags)))


def become(identity: ProbeIdentity) -> None:
    """Take *identity* for good, login uid first: it needs rights that the uid does not have. Raises :class:`OSError`.

    Without auditing in the kernel there is no login uid, and the account alone is the identity; root with the login uid
    of a person can then not be tried. The same holds where the login uid is immutable.
    """
    try:
        fd = os.open("/proc/self/loginuid", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, str(identity.login).encode())
        finally:
            os.close(fd)
    except OSError:
        if identity.uid == 0:
            raise
    os.setgroups(identity.groups)
    os.setresgid(identity.gid, identity.gid, identity.gid)
    os.setresuid(identity.uid, identity.uid, identity.uid)


def _failure(act: Callable[[], object]) -> int:
    """Return the error number *act* fails with, or 0."""
    try:
        act()
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def _tell(telling: int, number: int, code: int) -> None:
    os.write(telling, b"%d %d\n" % (number, code))


def _attempt_of(target: ProbeTarget, identity: ProbeIdentity, answer: ProbeAnswer, error: str) -> ProbeAttempt:
    return ProbeAttempt(target.area, target.what, identity.uid, identity.login, answer, error)


def _name(number: int) -> str:
    return errno.errorcode.get(number, str(number)) if number else ""

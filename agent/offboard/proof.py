"""Proof of absence: nothing of the person is found twice, and an attempt at every area as the person is denied between.

Rules of this file: it ends nothing and repairs nothing; what it finds makes the proof fail, and the case stays open:
the step that should have ended it is done again (:mod:`agent.offboard.reopening`), and the proof after it.
Absence is claimed only for what was looked at in full: a look that was outrun by new processes, a place that could not
be reached and an attempt that could not be made all count against it. What no look can reach is said in so many words.
"""

import os
import stat
from collections.abc import Callable, Generator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, get_args

from agent.kernel import process_sight
from agent.kernel.open_files import UNFINISHED, HeldFile
from agent.kernel.walk import WalkFailure
from agent.offboard import probe_access
from agent.offboard.context import AreaPath, RevocationContext, RevocationSubject
from agent.offboard.guardrails import Process, Reach, ends, ordinary, reach
from agent.offboard.probe_access import ProbeAnswer, ProbeAttempt, ProbeTarget
from agent.offboard.receipt.timeline import written
from agent.offboard.steps import holders, samba, starters, subids
from agent.offboard.steps.starters import Starter
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, always
from agent.offboard.steps.step import StepTarget as Planned
from agent.offboard.steps.tasks import Look
from rules.text import Text
from rules.visible import visible

_TRIED = get_args(probe_access.What)  # in each area
_SHOWN = 5  # of what a sentence names
_NAMED = 100  # processes that could not be read which a look names
_SEARCHED = 2_000  # inodes of an area that are looked at to find one file to try

CANNOT_SEE: tuple[Text, ...] = (
    Text(
        "reads through files that were open already: the last entry of a read is the last access that the log let"
        " through; later ones may have gone unasked, on all tiers but C none through a descriptor after the denial, and"
        " nowhere any after the last process was gone",
        "通过已打开文件的读取：“最后一条读取记录”取自日志中最后一次获准的访问；此后的读取可能未逐次询问，"
        "但除 C 级外，拒绝之后不可能再经文件描述符读取，最后一个进程消失之后均不可能再有读取",
    ),
    Text(
        "copies made earlier: other files, memory of other processes (memfd), paper, photographs, what was remembered",
        "此前已形成的副本：其他文件、其他进程的内存（memfd）、纸件、照片以及记忆",
    ),
    Text(
        "descriptors in flight: handed over in a socket and not yet received by any process",
        "传递中的文件描述符：已写入套接字、尚未被任何进程接收",
    ),
    Text(
        "other hosts: what NFS and SMB clients keep in their caches, backups, replicas",
        "其他主机：NFS 与 SMB 客户端缓存、备份与副本",
    ),
    Text(
        "swap, core dumps and freed memory: what the kernel has not yet overwritten",
        "交换区、核心转储与已释放内存：内核尚未覆盖的内容",
    ),
    Text(
        "older hard links outside the areas, on volumes that the agent does not watch",
        "涉密目录之外、未受监控卷上的旧硬链接",
    ),
    Text(
        "service tickets and tokens that other systems already issued, until these expire",
        "其他系统已签发的票据与令牌，直至其失效",
    ),
    Text("mechanical keys and whoever opens a door from inside", "机械钥匙，以及他人从室内开门"),
)


@dataclass(frozen=True, slots=True)
class Scan:
    """One look at all processes. ``complete``: it saw every one, and none was made that it did not reach."""

    at: datetime
    complete: bool
    found: tuple[Process, ...]
    """What still is the person's and would be ended, acts as the person, or could not be touched."""
    holding: tuple[int, ...]
    """Those of them that hold something on a classified volume."""
    left: int
    """Services that the person once started and that hold nothing: they are let be."""
    how: Mapping[int, Reach] = field(default_factory=dict)
    """How what was found is theirs, by its pid."""
    started: Mapping[int, Starter] = field(default_factory=dict)
    """What may have started what was found, by its pid."""
    unseen: tuple[str, ...] = ()
    """What was not looked at: ``process:PID`` that may not be read, ``ring:PID`` (an io_uring of the person's that did
    not show what it keeps), ``held`` (what processes hold changed faster than it could be looked at), ``hidepid`` and
    ``pid-namespace`` (:mod:`agent.kernel.process_sight`)."""

    @property
    def clean(self) -> bool:
        """Whether everything was looked at and nothing found."""
        return self.complete and not self.found and not self.holding

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "at": written(self.at),
            "complete": self.complete,
            "found": [self._told(one) for one in self.found],
            "holding": list(self.holding),
            "left": self.left,
            "unseen": list(self.unseen),
        }

    def _told(self, one: Process) -> dict[str, Any]:
        by = self.started.get(one.pid)
        return {
            "pid": one.pid,
            "uid": one.ruid,
            "name": visible(one.name),
            "state": one.state,  # proc_pid_status(5): ``D`` ends when the kernel lets it, and not before
            "reach": str(self.how.get(one.pid, Reach.ACCOUNT)),
            "started_by": None if by is None else {"kind": by.kind, "name": visible(by.name), "pid": by.pid},
        }


@dataclass(frozen=True, slots=True)
class AccessProof:
    """What was looked at and what came of it."""

    scans: tuple[Scan, ...]
    attempts: tuple[ProbeAttempt, ...]
    unreached: tuple[str, ...]
    """Areas that could not be walked to find a file to try."""
    areas: int
    uids: tuple[int, ...]
    """The accounts it was tried under."""
    untouched: tuple[int, ...]
    """Accounts that are root's, the system's or shared: nothing can be shown for them."""

    @property
    def holds(self) -> bool:
        """Whether absence is shown: two clean looks, every attempt at every area denied."""
        return (
            len(self.scans) >= 2
            and all(scan.clean for scan in self.scans)
            and not self.unreached
            and not self.untouched
            and all(attempt.answer is ProbeAnswer.DENIED for attempt in self.attempts)
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON, the way it stands in a receipt."""
        return {
            "scans": [scan.to_json() for scan in self.scans],
            "attempts": [{**attempt._asdict(), "area": visible(attempt.area)} for attempt in self.attempts],
            "unreached": [visible(name) for name in self.unreached],
            "areas": self.areas,
            "uids": list(self.uids),
            "untouched": list(self.untouched),
        }


def staying(
    leaver: RevocationSubject, context: RevocationContext, patience: float = probe_access.PATIENCE
) -> AccessProof:
    """Look for what a person who stays still holds, try what they lost as them, look again. Raises as :func:`prove`.

    What they run and hold beside that is theirs. The attempts stand in the log as denied, and as the agent's own.
    """
    return _proof(leaver, context, _lost(leaver, context), _look_at_holders, patience)


def prove(
    leaver: RevocationSubject, context: RevocationContext, patience: float = probe_access.PATIENCE
) -> AccessProof:
    """Look, try every area as the leaver, look again. Raises what the callables of *context* raise."""
    return _proof(leaver, context, tuple(context.areas()), scan, patience)


def _proof(
    leaver: RevocationSubject,
    context: RevocationContext,
    areas: Sequence[AreaPath],
    look: Callable[[RevocationSubject, RevocationContext], Scan],
    patience: float,
) -> AccessProof:
    uids = _theirs(leaver)
    areas = areas if uids else ()  # who has no account is nobody to try as
    before = look(leaver, context)
    targets: list[ProbeTarget] = []
    unreached = []
    for area in areas:
        targets.append(ProbeTarget(area.name, "list", area.path))
        try:
            file = _some_file(area, context)
        except OSError:
            unreached.append(area.name)
        else:
            targets += [ProbeTarget(area.name, "file", file)] if file else []
    attempts = [
        one
        for who in probe_access.identities(uids)
        for one in probe_access.attempt(targets, who, context.own, patience)
    ]
    return AccessProof(
        scans=(before, look(leaver, context)),
        attempts=tuple(attempts),
        unreached=tuple(unreached),
        areas=len(areas),
        uids=uids,
        untouched=tuple(uid for uid in leaver.uids if not ordinary(uid)),
    )


def _lost(leaver: RevocationSubject, context: RevocationContext) -> tuple[AreaPath, ...]:
    """Return the areas that an attempt of somebody who stays must be denied at."""
    lost = leaver.tries if leaver.tries is not None else leaver.areas
    everything = leaver.tries is None and not leaver.areas
    return tuple(area for area in context.areas() if everything or area.name in lost)


def _look_at_holders(leaver: RevocationSubject, context: RevocationContext) -> Scan:
    """Look once at what the person holds of the areas they lose."""
    below = subids.of(leaver, context)
    look = Look(_theirs(leaver), below)
    processes = [one for one in look if reach(one, leaver.uids, context.rails(), below) is not Reach.BYSTANDER]
    held = holders.held(leaver, context)
    holding = {one.pid for one in held}
    found = {one: reach(one, leaver.uids, context.rails(), below) for one in processes if one.pid in holding}
    return _scan(leaver, context, look, processes, found, held)


def scan(leaver: RevocationSubject, context: RevocationContext) -> Scan:
    """Look once at every process and at what is held on the classified volumes."""
    uids, rails, below = _theirs(leaver), context.rails(), subids.of(leaver, context)
    look = Look(uids, below)
    processes = [one for one in look if reach(one, uids, rails, below) is not Reach.BYSTANDER]
    known = frozenset(one.pid for one in processes)
    there = frozenset(context.held(context.devices()))
    held = {one.pid for one in there} & known
    found = {
        one: reach(one, uids, rails, below)
        for one in processes
        if ends(one, uids, rails, holds=one.pid in held, below=below)
        or reach(one, uids, rails, below) in (Reach.ACTING, Reach.PROTECTED)
        or one.pid in held
    }
    return _scan(leaver, context, look, processes, found, there)


def _scan(
    leaver: RevocationSubject,
    context: RevocationContext,
    look: Look,
    processes: Sequence[Process],
    found: Mapping[Process, Reach],
    held: AbstractSet[HeldFile],
) -> Scan:
    """Return what a look came to: *processes* are the person's, *found* what should not be, *held* who holds what."""
    acting = [one for one, how in found.items() if how is Reach.ACTING]
    if elsewhere := samba.served_elsewhere(leaver, context, acting):
        processes = [one for one in processes if one.pid not in elsewhere]
        found = {one: how for one, how in found.items() if one.pid not in elsewhere}
    theirs = {one.pid for one in processes}
    unseen = [f"process:{pid}" for pid in sorted(look.unread)[:_NAMED]]
    unseen += [f"ring:{one.pid}" for one in sorted(held) if not one.looked_into and one.pid in theirs][:_NAMED]
    unseen += ["held"] if UNFINISHED in held else []
    unseen += process_sight.hidden()
    by = {one.pid: starter for one in found if (starter := starters.of(one, theirs))}
    holding = tuple(sorted({one.pid for one in held} & theirs))
    complete = look.complete and not unseen
    how = {one.pid: said for one, said in found.items()}
    left = len(processes) - len(found)
    return Scan(context.now(), complete, tuple(found), holding, left, how, by, tuple(unseen))


def _theirs(leaver: RevocationSubject) -> tuple[int, ...]:
    return tuple(sorted(set(filter(ordinary, leaver.uids))))


def _some_file(area: AreaPath, context: RevocationContext) -> str | None:
    """Return the path of one regular file of *area*, ``None`` when none is near the top. Raises :class:`OSError`.

    One that was found for somebody else a moment ago serves as well; if it is gone by now, the attempt says so.
    """
    known = {} if context.found is None else context.found
    if area.name not in known:
        known[area.name] = _search(area, context)
    return known[area.name]


def _search(area: AreaPath, context: RevocationContext) -> str | None:
    places = context.walk(area.path)
    blocked = 0
    try:
        for place in islice(places, _SEARCHED):
            if isinstance(place, WalkFailure):
                blocked = place.error
            elif stat.S_ISREG(place.found.st_mode):
                return place.path
        if blocked:  # there may be files where we could not look
            raise OSError(blocked, os.strerror(blocked))
        return None
    finally:
        if isinstance(places, Generator):  # it may hold a doorway open
            places.close()


def _look(leaver: RevocationSubject, context: RevocationContext) -> tuple[Planned, ...]:
    """Say what the proof will do: it ends nothing."""
    tries = _attempts(tuple(context.areas()), leaver)
    return (Planned(Text(f"two looks at every process, {tries.en}", f"两次全面扫描，{tries.zh}")),)


def _attempts(areas: Sequence[AreaPath], leaver: RevocationSubject) -> Text:
    """Say how often the leaver will be tried as: in each area its list, and a file if it has one, as everybody."""
    most = len(areas) * len(_TRIED) * len(probe_access.identities(_theirs(leaver)))
    if not most:
        return Text("no attempt to get in", "无进入尝试")
    return Text(f"up to {most} attempts to get in", f"至多 {most} 次进入尝试")


def _run(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    """Prove, and say how it went: ``CONFIRMED`` or, for anything short of it, ``PENDING``."""
    proof = prove(leaver, context)
    state = StepState.CONFIRMED if proof.holds else StepState.PENDING
    return StepResult(state, summary(proof), proof.to_json())


def summary(proof: AccessProof) -> Text:
    """Return one sentence about *proof*."""
    if proof.holds:
        number = len(proof.attempts)
        return Text(
            f"nothing found in {len(proof.scans)} looks, {number} of {number} attempts denied",
            f"{len(proof.scans)} 次扫描均未发现残留，{number} 次尝试全部被拒绝",
        )
    found = len({one.pid for scan in proof.scans for one in scan.found})
    through = sum(one.answer is ProbeAnswer.LET_IN for one in proof.attempts)
    unshown = (
        sum(one.answer not in (ProbeAnswer.LET_IN, ProbeAnswer.DENIED) for one in proof.attempts)
        + len(proof.unreached)
        + len(proof.untouched)
    )
    outrun = sum(not scan.complete for scan in proof.scans)
    text = Text(
        f"not proven: {found} processes left, {through} attempts let in, {unshown} not answered, {outrun} looks outrun",
        f"未能证明：残留进程 {found} 个，放行 {through} 次，无结论 {unshown} 次，未完成扫描 {outrun} 次",
    )
    unseen = sorted({one for scan in proof.scans for one in scan.unseen})
    if unseen:
        shown = ", ".join(unseen[:_SHOWN])
        return Text(f"{text.en}; not seen: {shown}", f"{text.zh}；未能查看：{shown}")
    by = sorted({starter for scan in proof.scans for starter in scan.started.values()})[:_SHOWN]
    if not by:
        return text
    en, zh = ", ".join(one.text.en for one in by), "、".join(one.text.zh for one in by)
    return Text(f"{text.en}; started by {en}", f"{text.zh}；启动者：{zh}")


def _look_twice(leaver: RevocationSubject, context: RevocationContext) -> tuple[Planned, ...]:
    tries = _attempts(_lost(leaver, context), leaver)
    en = f"two looks at what the person holds, {tries.en}"
    return (Planned(Text(en, f"两次检查此人所持有的文件，{tries.zh}")),)


def _run_staying(leaver: RevocationSubject, context: RevocationContext, _case: str) -> StepResult:
    proof = staying(leaver, context)
    return StepResult(StepState.CONFIRMED if proof.holds else StepState.PENDING, summary(proof), proof.to_json())


STEP = RevocationStep(id="proof", title=Text("proof", "证明"), probe=always, look=_look, run=_run, leaving=True)
"""The proof as the last step of a plan."""
STAYING = RevocationStep("proof", STEP.title, always, _look_twice, _run_staying, leaving=False)
"""The same for a person who stays: what they hold must be gone, and what they lost must be closed to them."""
STEPS = (STEP, STAYING)

"""Every process of every account of the person, and those reached from their login through ``su`` or ``sudo``.

Rules of this file: two steps of this kind run, one at once and one after everything that could start a process again
(a lingering manager, cron, at) is out of the way. Programs the person started as root die too, and the plan names them;
it names beforehand, and the receipt afterwards, who else uses what ends.
"""

from collections.abc import Sequence

from agent.offboard import guardrails
from agent.offboard.context import RevocationContext, RevocationSubject
from agent.offboard.guardrails import Process, Reach
from agent.offboard.steps import starters, subids
from agent.offboard.steps.ending import SHOWN, ProcessTerminator, TerminationResult
from agent.offboard.steps.step import RevocationStep, StepResult, StepState, StepTarget, always
from rules.text import Text
from rules.visible import visible


def ending(leavers: Sequence[RevocationSubject], context: RevocationContext) -> ProcessTerminator:
    """Return what ends the processes of *leavers* on this host."""

    def holders() -> frozenset[int]:
        return frozenset(found.pid for found in context.held(context.devices()))

    def below() -> list[tuple[range, ...]]:
        return [subids.of(leaver, context) for leaver in leavers]

    return ProcessTerminator([leaver.uids for leaver in leavers], context.rails, context.now, holders, below=below)


def target(process: Process, leaver: RevocationSubject, context: RevocationContext) -> StepTarget:
    """Return *process* as a line of the plan, and who else is touched when it ends."""
    name = visible(process.name)
    what = Text(
        f"process {process.pid} `{name}` of uid {process.ruid}", f"进程 {process.pid} `{name}`，uid {process.ruid}"
    )
    if started := starters.unit_of(process.pid):
        what = Text(f"{what.en}, of {started.text.en}", f"{what.zh}，属于{started.text.zh}")
    how = guardrails.reach(process, leaver.uids, context.rails(), subids.of(leaver, context))
    if how is Reach.SUBORDINATE:
        return StepTarget(what)
    if how is Reach.ACCOUNT and not {process.ruid, process.suid} & set(leaver.uids):
        uid = process.ruid
        return StepTarget(
            what, Text(f"one of its threads is theirs; it is uid {uid}'s", f"其中一个线程属于此人；进程属于 uid {uid}")
        )
    if how is not Reach.ACCOUNT:
        uid = process.ruid
        return StepTarget(
            what, Text(f"it runs as uid {uid}, reached from their login", f"以 uid {uid} 运行，由其登录启动")
        )
    if process.login is not None and process.login not in leaver.uids:
        login = process.login
        return StepTarget(what, Text(f"somebody logged in as uid {login} uses it", f"由以 uid {login} 登录的人使用"))
    return StepTarget(what)


def shared(
    ended: TerminationResult, leaver: RevocationSubject, context: RevocationContext
) -> tuple[tuple[int, int], ...]:
    """Return who else used what has ended: its pid, and the uid of an account that is not of *leaver*."""
    below = subids.of(leaver, context) if ended.killed else ()
    return tuple(
        (pid, uid)
        for pid, process in sorted(ended.killed.items())
        for uid in sorted({uid for one in process.identities for uid in one if uid is not None})
        if guardrails.ordinary(uid) and uid not in leaver.uids and not any(uid in some for some in below)
    )


def result(ended: TerminationResult, others: Sequence[tuple[int, int]] = ()) -> StepResult:
    """Return what came of it, in words; *others*: see :func:`shared`."""
    found = _result(ended)
    if not others:
        return found
    shown = ", ".join(f"{pid} (uid {uid})" for pid, uid in others[:SHOWN])
    more = Text(f"{found.detail.en}; others used these, too: {shown}", f"{found.detail.zh}；另有他人使用：{shown}")
    return StepResult(found.state, more, {**found.facts, "shared": [list(one) for one in others[:SHOWN]]})


def _result(ended: TerminationResult) -> StepResult:
    count = ended.ended
    if ended.sure and ended.spared:
        shown = ", ".join(map(str, sorted(ended.spared)[:SHOWN]))
        text = Text(
            f"{count} ended; the agent's own, or whoever asked, is spared: {shown}",
            f"已结束 {count} 个；代理自身或请求者的进程予以保留：{shown}",
        )
        return StepResult(StepState.DONE, text, ended.facts())
    if ended.sure:
        text = Text(f"{count} ended, none left in two looks", f"已结束 {count} 个，两次检查均无残留")
        return StepResult(StepState.CONFIRMED, text, ended.facts())
    why = _why(ended)
    return StepResult(
        StepState.PENDING, Text(f"{count} ended; {why.en}", f"已结束 {count} 个；{why.zh}"), ended.facts()
    )


def _why(ended: TerminationResult) -> Text:
    """Return what is left, or what keeps it from being known."""
    if ended.left:
        said = [(one.pid, one.uninterruptible) for one in ended.left[:SHOWN]]
        en = ", ".join(f"{pid} (uninterruptible: killed, waits in the kernel)" if d else str(pid) for pid, d in said)
        zh = "、".join(f"{pid}（不可中断：已终止，仍在内核中等待）" if d else str(pid) for pid, d in said)
        return Text(f"still there: {en}", f"仍在：{zh}")
    if ended.unread:
        shown = ", ".join(map(str, sorted(ended.unread)[:SHOWN]))
        return Text(f"these could not be looked at: {shown}", f"无法查看：{shown}")
    again = max(ended.started.counted(ended.killed).items(), key=lambda item: item[1], default=None)
    if again is not None and again[1] > 1:
        by = again[0].text
        return Text(f"{by.en} starts them faster than they are seen", f"{by.zh}启动新进程快于检查")
    return Text("others start faster than they are seen", "新进程出现得比检查更快")


def look(leaver: RevocationSubject, context: RevocationContext) -> tuple[StepTarget, ...]:
    """Return every process that would end."""
    [found] = ending((leaver,), context).find()
    return tuple(target(process, leaver, context) for process in found)


def run(leaver: RevocationSubject, context: RevocationContext, case: str) -> StepResult:
    """End them all. ``facts``: :meth:`agent.offboard.steps.ending.TerminationResult.facts`."""
    [one] = together([(leaver, case)], context)
    return one


def together(many: Sequence[tuple[RevocationSubject, str]], context: RevocationContext) -> list[StepResult]:
    """End those of many people by the same looks."""
    leavers = [leaver for leaver, _ in many]
    return results(leavers, ending(leavers, context).run(context.patience), context)


def results(
    leavers: Sequence[RevocationSubject], ended: Sequence[TerminationResult], context: RevocationContext
) -> list[StepResult]:
    """Return what came of it for each of *leavers*."""
    return [result(one, shared(one, leaver, context)) for leaver, one in zip(leavers, ended, strict=True)]


_LASTING = Text("what they had not saved is lost", "未保存的内容将丢失")

STEP = RevocationStep(
    "processes",
    Text("end every process", "结束所有进程"),
    always,
    look,
    run,
    _LASTING,
    early=True,
    together=together,
)
AGAIN = RevocationStep(
    "processes-again",
    Text("end what was started meanwhile", "结束期间新启动的进程"),
    always,
    lambda _leaver, _context: (),
    run,
    _LASTING,
)

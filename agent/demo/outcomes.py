"""What a site reported, as an outcome that can be compared with the expected one and read by a person.

Rules of this file: pure. An open only counts as let in or refused when the opener and the log say the same; where they
differ, or the log has no entry, the outcome says that and nothing else, so no expectation is ever met by accident.
"""

from collections.abc import Sequence

from agent.demo.cast import DRAWINGS
from agent.demo.scene import ALLOWED, Observation, SceneOutcome, denied
from agent.demo.site import (
    AccessAttempt,
    Bystander,
    CutMeasurement,
    Explained,
    LateMount,
    Left,
    LogVerification,
    LossMeasurement,
    ReceiptSummary,
    Traffic,
)
from agent.presentation.terms import CARDS, word
from rules.text import Text
from rules.visible import visible

RESTARTED = SceneOutcome("restarted", Text("started again", "每次均重新启动"))
GUARDED = SceneOutcome("guarded", Text("covered, proven, open again", "先遮蔽，验证后恢复"))
RECORDED = SceneOutcome("recorded", Text("each with its entry", "次次均有条目"))
CLOSED = SceneOutcome("closed", Text("not one let in", "无一放行"))
STOPPED = SceneOutcome("stopped", Text("his reads stop", "其读取即刻中止"))
UNDISTURBED = SceneOutcome("undisturbed", Text("notices nothing", "毫无察觉"))
GONE = SceneOutcome("gone", Text("is gone", "已消失"))
NAMED = SceneOutcome("named", Text("names the area, nothing open", "写明目录，无未了事项"))
PROVEN = SceneOutcome("proven", Text("genuine, nothing open", "真实有效，无未了事项"))
TRACED = SceneOutcome("traced", Text("approval, notice, receipt", "批准、通知、回执"))
ALARMED = SceneOutcome("alarm", Text("alarm to the officers", "向管理员报警"))
OUT = SceneOutcome("out", Text("let out", "放行离开"))
REFUSING = SceneOutcome("refusing", Text("each refuses, confirmed", "均拒绝，已确认"))
WHOLE = SceneOutcome("whole", Text("nothing missing", "完整无缺"))


def explained(rule: str) -> SceneOutcome:
    """Return the outcome of an explanation that names *rule*, its clauses and what would change the verdict."""
    said = Text(f"rule `{rule}`, clause, remedy", f"规则 `{rule}`、条款、办法")
    return SceneOutcome(f"explained {rule}", said)


def of_attempt(attempt: AccessAttempt) -> Observation:
    """Read an open."""
    if attempt.moot:
        return Observation(SceneOutcome("moot", attempt.moot), moot=True)
    entry = attempt.entry
    if entry is None:
        told = Text("let in", "放行") if attempt.passed else Text(attempt.error, attempt.error)
        return Observation(SceneOutcome("unrecorded", Text(f"{told.en}, and no entry", f"{told.zh}，且无日志条目")))
    said = visible(f"{attempt.error or 'ok'} / {entry['verdict']}")
    outcome = SceneOutcome("differs", Text(f"opener and log differ: {said}", f"打开结果与日志不符：{said}"))
    if attempt.passed and entry["verdict"] == "allow":
        outcome = ALLOWED
    elif attempt.error == "EPERM" and entry["verdict"] == "deny":
        outcome = denied(visible(str(entry["rule"])))
    number = entry["seq"]
    return Observation(outcome, Text(f"entry {number}", f"条目 {number}"))


def of_late_mount(seen: LateMount) -> Observation:
    """Read what came of a volume that was mounted without the agent."""
    if seen.moot:
        return Observation(SceneOutcome("moot", seen.moot), moot=True)
    if seen.covered is None:
        return Observation(SceneOutcome("uncovered", Text("never covered", "未被遮蔽")))
    times = Text(
        f"covered in {seen.covered:.0f} ms, open again after {seen.seconds:.1f} s",
        f"{seen.covered:.0f} 毫秒内遮蔽，{seen.seconds:.1f} 秒后恢复",
    )
    if seen.let_in:  # between the mount and its cover: docs/limits.md says how long that is
        early = Text(f"; {seen.let_in} opens before the cover", f"；遮蔽前有 {seen.let_in} 次打开")
        times = Text(times.en + early.en, times.zh + early.zh)
    return Observation(GUARDED, times)


def of_badge(attempt: AccessAttempt) -> Observation:
    """Read a badge at a door: what the lock did, and what the log says."""
    entry = attempt.entry or {}
    said = visible(f"{attempt.error or 'released'} / {entry.get('verdict')}")
    outcome = SceneOutcome("differs", Text(f"lock and log differ: {said}", f"门锁与日志不符：{said}"))
    if attempt.passed and entry.get("verdict") == "allow":
        outcome = OUT if entry["action"] == "exit" else ALLOWED
    elif not attempt.passed and entry.get("verdict") == "deny":
        outcome = denied(visible(str(entry["rule"])))
    number, together = entry.get("seq", 0), visible(", ".join(entry.get("together", ())))
    if together:
        return Observation(outcome, Text(f"entry {number}, with {together}", f"条目 {number}，与 {together} 同行"))
    return Observation(outcome, Text(f"entry {number}", f"条目 {number}"))


def of_alarm(people: Sequence[str], whom: str) -> Observation:
    """Whether there is an alarm about *whom*: ``""`` for an alarm about nobody."""
    return Observation(ALARMED if whom in people else SceneOutcome("silence", Text("no alarm", "无报警")))


def of_doors(proof: ReceiptSummary) -> Observation:
    """Whether the receipt knows of every door that it refuses."""
    if proof.moot:
        return Observation(SceneOutcome("moot", proof.moot), moot=True)
    states = [(visible(name), word(CARDS, state)) for name, state in proof.doors]
    told = Text(
        ", ".join(f"{name} {state.en}" for name, state in states),
        "、".join(f"{name} {state.zh}" for name, state in states),
    )
    held = bool(proof.doors) and all(state == "confirmed" for _, state in proof.doors)
    return Observation(REFUSING if held else SceneOutcome("open", Text("not confirmed", "未确认")), told)


def of_kills(traffic: Traffic) -> Observation:
    """Whether the decider came back each time."""
    held = traffic.kills > 0 and traffic.restarts >= traffic.kills
    detail = Text(f"killed {traffic.kills} times", f"强杀 {traffic.kills} 次")
    started = Text(f"started {traffic.restarts} times", f"启动了 {traffic.restarts} 次")
    return Observation(RESTARTED if held else SceneOutcome("dead", started), detail)


def of_cleared(traffic: Traffic) -> Observation:
    """Whether every open of cleared people that was allowed has its entry, and there were any."""
    held = traffic.allowed > 0 and traffic.unrecorded == 0
    missing = Text(f"{traffic.unrecorded} without an entry", f"{traffic.unrecorded} 次无条目")
    detail = Text(
        f"{traffic.allowed:,} let in, {traffic.refused:,} refused",
        f"放行 {traffic.allowed:,} 次，拒绝 {traffic.refused:,} 次",
    )
    return Observation(RECORDED if held else SceneOutcome("unrecorded", missing), detail)


def of_uncleared(traffic: Traffic) -> Observation:
    """Whether nobody else was let in, though they tried."""
    held = traffic.turned_away > 0 and traffic.leaked == 0
    leaked = Text(f"{traffic.leaked:,} let in", f"放行了 {traffic.leaked:,} 次")
    detail = Text(f"{traffic.turned_away:,} refused", f"拒绝 {traffic.turned_away:,} 次")
    return Observation(CLOSED if held else SceneOutcome("leaked", leaked), detail)


def of_reader(cut: CutMeasurement) -> Observation:
    """Whether the reads of the one on hold stopped, and none began after the acknowledgement."""
    if cut.moot:
        return Observation(SceneOutcome("moot", cut.moot), moot=True)
    held = cut.stopped and not cut.late
    after = Text(
        f"last read {cut.last:.1f} ms after the request, which was answered after {cut.act:.1f} ms",
        f"请求后 {cut.last:.1f} 毫秒为最后一次读取；请求于 {cut.act:.1f} 毫秒后得到答复",
    )
    none_after = Text(
        f"no read after the request, which was answered after {cut.act:.1f} ms",
        f"请求后再无读取；请求于 {cut.act:.1f} 毫秒后得到答复",
    )
    detail = after if cut.last > 0 else none_after
    return Observation(STOPPED if held else SceneOutcome("goes on", Text("he reads on", "仍在读取")), detail)


def of_bystander(cut: CutMeasurement) -> Observation:
    """Whether the other reader of the same file read on without an error."""
    if cut.moot:
        return Observation(SceneOutcome("moot", cut.moot), moot=True)
    return _undisturbed(cut)


def of_loser(lost: LossMeasurement) -> Observation:
    """Whether the process that had the file mapped ended with the right to it; times count from the request."""
    if lost.unmeasured:
        return Observation(SceneOutcome("moot", lost.unmeasured), moot=True)
    if lost.gone is None:
        return Observation(SceneOutcome("lives", Text("it lives", "仍在运行")))
    detail = Text(f"gone after {lost.gone:.1f} ms", f"{lost.gone:.1f} 毫秒后消失")
    if lost.receipt and lost.receipt.denied is not None:
        entry, denied = lost.receipt.entry, lost.receipt.denied
        detail = Text(
            f"entry {entry}; denied after {denied:.1f} ms, {detail.en}",
            f"条目 {entry}；{denied:.1f} 毫秒后开始拒绝，{detail.zh}",
        )
    return Observation(GONE, detail)


def of_neighbour(lost: LossMeasurement) -> Observation:
    """Whether the other one who had the file mapped read on without an error."""
    return _beside(lost.bystander)


def of_loss_receipt(lost: LossMeasurement) -> Observation:
    """Whether the receipt is the agent's, unchanged, names the drawings and nothing else, and nothing in it is open."""
    if lost.unmeasured:
        return Observation(SceneOutcome("moot", lost.unmeasured), moot=True)
    found = lost.receipt
    if found is None:
        return Observation(SceneOutcome("none", Text("no receipt", "无回执")))
    areas = visible(", ".join(found.areas))
    detail = Text(f"receipt {found.run}: `{areas}`", f"回执 {found.run}：`{areas}`")
    if not found.complete or found.areas != (DRAWINGS.id,):
        return Observation(SceneOutcome("open", Text("not proven, or of another area", "未能证明，或目录不符")), detail)
    return Observation(NAMED, detail)


def of_leaver(left: Left) -> Observation:
    """Whether the reads of the leaver stopped: through the descriptor, and through the mapping."""
    held = left.gone is not None and max(left.last, left.seen) <= left.gone
    if left.unmeasured:
        return Observation(
            STOPPED if held else SceneOutcome("goes on", Text("he reads on", "仍在读取")), left.unmeasured
        )
    last, seen = max(0.0, left.last), max(0.0, left.seen)
    detail = Text(
        f"last read {last:.1f} ms after the drop, through the mapping {seen:.1f} ms",
        f"投递后 {last:.1f} 毫秒为最后一次读取，经内存映射为 {seen:.1f} 毫秒",
    )
    return Observation(STOPPED if held else SceneOutcome("goes on", Text("he reads on", "仍在读取")), detail)


def of_process(left: Left) -> Observation:
    """Whether the process of the leaver ended."""
    if left.unmeasured:
        return Observation(SceneOutcome("moot", left.unmeasured), moot=True)
    if left.gone is None:
        return Observation(SceneOutcome("lives", Text("it lives", "仍在运行")))
    return Observation(GONE, Text(f"{left.gone:.1f} ms after the drop", f"投递后 {left.gone:.1f} 毫秒"))


def of_colleague(left: Left) -> Observation:
    """Whether the other reader of the same file read on without an error while the leaver was ended."""
    return _undisturbed(left)


def of_receipt(proof: ReceiptSummary) -> Observation:
    """Whether the receipt is the agent's, unchanged, and nothing in it is open."""
    if proof.moot:
        return Observation(SceneOutcome("moot", proof.moot), moot=True)
    if not proof.genuine:
        return Observation(SceneOutcome("forged", Text("not genuine", "未通过验证")))
    left = visible(", ".join(proof.left))
    return Observation(PROVEN if proof.complete else SceneOutcome("open", Text(f"open: {left}", f"未了：{left}")))


def of_trail(proof: ReceiptSummary) -> Observation:
    """Whether approval, delivery and receipt have each an entry."""
    if proof.moot:
        return Observation(SceneOutcome("moot", proof.moot), moot=True)
    numbers = ", ".join(map(str, proof.entries))
    detail = Text(f"entries {numbers}", f"条目 {numbers}")
    missing = SceneOutcome("missing", Text("an entry is missing", "缺少条目"))
    return Observation(TRACED if len(proof.entries) == 3 else missing, detail)


def _undisturbed(seen: CutMeasurement | Left) -> Observation:
    return _beside(Bystander(seen.bystander_reads, seen.bystander_errors, seen.bystander_longest))


def _beside(seen: Bystander) -> Observation:
    held = seen.reads > 0 and seen.errors == 0
    refused = Text(f"{seen.errors} reads refused", f"{seen.errors} 次读取被拒")
    detail = Text(
        f"{seen.reads:,} reads, longest {seen.longest:.1f} ms", f"读取 {seen.reads:,} 次，最长 {seen.longest:.1f} 毫秒"
    )
    return Observation(UNDISTURBED if held else SceneOutcome("disturbed", refused), detail)


def of_explanation(found: Explained) -> Observation:
    """Whether the explanation of a denial names all three."""
    if found.verdict == "deny" and found.clauses and found.change:
        return Observation(explained(visible(found.rule)))
    said = visible(f"{found.verdict} {found.rule}")
    return Observation(SceneOutcome("thin", Text(f"only `{said}`", f"仅有 `{said}`")))


def of_verification(found: LogVerification) -> Observation:
    """Whether the log is whole, from the first entry on."""
    if found.problems or found.first != 1 or found.last != found.entries:
        first = found.problems[0] if found.problems else Text("entries are missing", "条目缺失")
        return Observation(SceneOutcome("broken", first))
    return Observation(
        WHOLE, Text(f"{found.entries:,} entries, 1 to {found.last:,}", f"{found.entries:,} 条，连续编号")
    )

"""Is this person to have any access at all? Active, not stopped, not leaving, employed in a way that is not barred.

Rules of this file: everything here only ever takes away. A stop or a departure that has begun denies, whoever entered
it; nothing in a person's papers can outweigh it.
"""

from rules.checks.grants import obstacle
from rules.evaluation import RuleContext
from rules.model import Departure, DepartureStage, Employment, RuleResult
from rules.text import Text

_EMPLOYED = {
    Employment.REGULAR: Text("regular", "正式"),
    Employment.TEMPORARY: Text("temporary", "临时聘用"),
    Employment.INTERN: Text("intern", "实习"),
    Employment.OUTSOURCED: Text("outsourced", "外包"),
    Employment.VISITOR: Text("visitor", "来访"),
}


def active(case: RuleContext) -> RuleResult:
    """An inactive person has no access."""
    if case.person.active:
        return case.ok("inactive", Text(f"{case.who} is active", f"{case.who} 在册有效"))
    return case.deny(
        "inactive",
        Text(f"{case.who} is not active", f"{case.who} 已停用"),
        Text("a system administrator sets the person active again", "由系统管理员重新启用此人"),
    )


def hold(case: RuleContext) -> RuleResult:
    """停权: any stop that has begun denies (D09-4, D14-2.4.4)."""
    begun = [case.clock.reached(stop.since) for stop in case.person.holds]  # all of them: their order cannot matter
    if any(begun):
        return case.deny(
            "hold",
            Text(f"an officer has stopped {case.who}", f"{case.who} 已被停权"),
            Text("two officers lift the hold", "由两名管理员解除停权"),
        )
    return case.ok("hold", Text(f"no hold stops {case.who}", f"{case.who} 未被停权"))


def departure(case: RuleContext) -> RuleResult:
    """离岗: an approved departure denies for good, through the 脱密期 and after it (D20-A.6.5.2b, D06-4.11).

    One that is approved with a leave date denies from that instant on, whoever is awake to carry it out. Time alone
    never gives access back. Somebody who is hired again gets his case removed from the facts by officers; there is no
    date after which an old case stops counting.
    """
    over = [leaving for leaving in case.person.departures if _is_over(case, leaving)]
    cooling_off = [_cools_off(case, leaving) for leaving in over]
    if any(cooling_off):
        return case.deny(
            "cooling-off",
            Text(f"the cooling-off period of {case.who} runs", f"{case.who} 处于脱密期"),
            Text("nothing, as long as the period runs", "脱密期内无法恢复"),
        )
    if over:
        return case.deny(
            "departure",
            Text(f"the departure of {case.who} is approved", f"{case.who} 的离岗已获批准"),
            Text("two officers reopen the person", "由两名管理员重新启用此人"),
        )
    return case.ok("departure", Text(f"{case.who} is not leaving", f"{case.who} 未离岗"))


def employment(case: RuleContext) -> RuleResult | None:
    """Whoever is employed in a barred way gets at most what a temporary grant opens (D18-4.3)."""
    rule = case.pack.employment
    if rule is None or (rule.domains and case.resource.domain not in rule.domains):
        return None
    how = _EMPLOYED[case.person.employment]
    if case.person.employment not in rule.deny:
        return case.ok("employment", Text(f"employment `{how.en}` is not barred", f"用工形式“{how.zh}”未被排除"))
    if rule.temp_auth and obstacle(case, temporary=True) is None:
        return case.ok("employment", Text("a temporary grant covers it", "有临时授权"))
    return case.deny(
        "employment",
        Text(f"{case.who} is employed as `{how.en}`, which is barred", f"{case.who} 的用工形式“{how.zh}”不得涉密"),
        Text("a person employed in another way takes over", "改由其他用工形式的人员承担"),
    )


def _is_over(case: RuleContext, leaving: Departure) -> bool:
    """Whether *leaving* has ended all access. One's own approval is none, but it opens nothing either."""
    if leaving.stage in (DepartureStage.COOLING_OFF, DepartureStage.CLOSED):
        return True
    if leaving.approver == case.person.id:
        return False
    if leaving.approved_at is None:  # approved without a date: since ever
        approved = leaving.stage is DepartureStage.APPROVED
    else:
        approved = case.clock.reached(leaving.approved_at)
    return approved and (leaving.effective_at is None or case.clock.reached(leaving.effective_at))


def _cools_off(case: RuleContext, leaving: Departure) -> bool:
    if leaving.cooling_off_until is None:  # not ended by a date: by closing the case
        return leaving.stage is DepartureStage.COOLING_OFF
    return not case.clock.reached(leaving.cooling_off_until)

"""What ``doctor`` says of the registry and the log held against each other.

Rules of this file: as :mod:`agent.doctor.registry_checks`: looking only, and what is good is said too.
"""

from collections.abc import Iterator

from agent.api.findings import Finding
from agent.registry.facts import FactsReader
from agent.registry.lineage import StoreRelation
from agent.registry.stores import OLDER, REMEDY
from rules.text import Text


def stores(now: StoreRelation, facts: FactsReader) -> Iterator[Finding]:
    """Say whether the registry lacks what the log holds, or the reverse."""
    if now.older:
        text = Text(
            f"{OLDER.en}; areas and doors are closed (epoch {facts.epoch()}, the log proves {now.proven})",
            f"{OLDER.zh}；目录与门禁均已关闭（登记库版本 {facts.epoch()}，日志证明已至 {now.proven}）",
        )
        yield Finding("serious", "registry-older", text, REMEDY)
    elif now.log_short:
        text = Text(
            f"the log lacks acts that the registry holds: they part behind entry {now.since}",
            f"日志缺少登记库已有的操作：自第 {now.since} 条之后不一致",
        )
        yield Finding("serious", "log-older", text, Text("start the agent: it records that", "启动代理即会记录此事"))
    else:
        yield Finding("good", "stores", Text("the registry holds every act of the log", "登记库包含日志中的全部操作"))
    for alarm in facts.open_alarms():
        if alarm.kind in ("log-older", "signing-key"):
            hint = f"shoumi alarm ack {alarm.id} --note …"
            yield Finding("serious", alarm.kind, alarm.text, Text(hint, hint))
    crowding = [alarm for alarm in facts.open_alarms() if alarm.kind == "over-budget"]
    if crowding:
        last, more = crowding[-1], len(crowding) - 1
        others = Text(f", and {more} others", f"，另有 {more} 项") if more else Text("", "")
        text = Text(f"{last.text.en}{others.en}", f"{last.text.zh}{others.zh}")
        yield Finding("warning", "over-budget", text, Text("shoumi alarm list", "shoumi alarm list"))

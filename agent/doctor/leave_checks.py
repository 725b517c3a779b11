"""Leave dates that have come and were not carried out: the person is denied, and what they hold has not been ended.

Rules of this file: the registry is asked; a minute is given to a control process that is just starting.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.api.findings import Finding
from agent.registry.queries.registry_queries import RegistryQueries
from rules.text import Text
from rules.visible import visible

_PATIENCE = timedelta(minutes=1)


def overdue(lists: RegistryQueries, now: datetime) -> Iterator[Finding]:
    """Name every departure whose leave date came more than a minute ago and was not carried out."""
    for case in lists.cases.due(now - _PATIENCE):
        person, when = visible(case.person), f"{case.effective_at:%F %H:%M}Z"
        text = Text(
            f"the leave date of `{person}` ({case.id}) came {when}, and what they hold has not been ended",
            f"`{person}` 的离岗时间（{case.id}）{when} 已到，其持有的文件与进程尚未终止",
        )
        hint = Text("every open is denied; start the agent, or see its log", "访问均已拒绝；请启动代理或查看其日志")
        yield Finding("serious", "leave-overdue", text, hint)

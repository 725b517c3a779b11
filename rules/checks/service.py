"""服务账户: a non-human subject touches the areas it names, and nothing else.

Rules of this file: the caller has matched uid and executable already; a service holds no level, needs no grant, enters
no room, and adds no right to the persons behind it.
"""

from rules.model import Facts, Request, Resource, RuleResult, Service
from rules.text import Text
from rules.visible import visible


def service(request: Request, facts: Facts, place: Resource) -> RuleResult:
    """The service behind the request is active and names the area."""
    shown = visible(request.service)
    trouble = _trouble(facts.services.get(request.service), place)
    if trouble is None:
        return RuleResult("service", True, Text(f"service `{shown}` names this area", f"服务账户 `{shown}` 列有此目录"))
    return RuleResult(
        rule="service",
        ok=False,
        because=Text(f"service `{shown}` {trouble.en}", f"服务账户 `{shown}` {trouble.zh}"),
        change=Text("a system administrator changes the service", "由系统管理员调整服务账户"),
    )


def _trouble(known: Service | None, place: Resource) -> Text | None:
    if known is None:
        return Text("is not registered", "未登记")
    if not known.active:
        return Text("is not active", "已停用")
    if place.room is not None:
        return Text("cannot enter rooms", "不能进入场所")
    if place.id not in known.areas:
        return Text("does not name this area", "未列此目录")
    return None

"""Every rule that can decide, by the id a verdict carries, in the order in which they decide.

Rules of this file: an id is part of the product (it stands in logs for years) and never changes its meaning. Record
kinds are the packs' own and decide between ``grant`` and ``hours`` under their own names.
"""

from collections.abc import Mapping

from rules.pack.model import Pack, RuleInfo, RuleSource
from rules.text import Text

TITLES: Mapping[str, Text] = {
    "error": Text("a rule failed: denied", "规则出错：一律拒绝"),
    "unknown-resource": Text("the area or room is registered", "目录或场所已登记"),
    "exit": Text("leaving a room is always allowed", "离开场所始终允许"),
    "action": Text("files are opened, rooms are entered", "文件可打开，场所可进入"),
    "doubt": Text("the read of the badge can be trusted", "刷卡数据可信"),
    "nobody": Text("somebody known is behind the request", "请求背后有已知主体"),
    "marking": Text("the resource carries level, period and circle of knowers", "已定密级、保密期限、知悉范围"),
    "lockdown": Text("the room is not locked down", "场所未封控"),
    "service": Text("the service is active and names the area", "服务账户有效且限于所列目录"),
    "unknown-person": Text("the person is registered", "人员已登记"),
    "inactive": Text("the person is active", "人员在册有效"),
    "hold": Text("no officer has stopped the person", "未被停权"),
    "cooling-off": Text("no cooling-off period runs", "不在脱密期"),
    "departure": Text("no departure is approved", "未批准离岗"),
    "employment": Text("the way of employment is not barred", "用工形式未被排除"),
    "visit": Text("a visitor has a registered visit", "来访已登记"),
    "barred": Text("the class is not barred from the domain", "人员类别未被排除于该类秘密"),
    "domain": Text("the person holds a level in the domain", "在该秘密种类中有密级"),
    "level": Text("the level reaches the resource's level", "密级不低于资源密级"),
    "temp-auth": Text("a temporary grant may stand in for the level", "临时授权可代替密级"),
    "scope": Text("the person is in the circle of knowers", "在知悉范围内"),
    "grant": Text("a grant names the person", "有对本人的授权"),
    "hours": Text("the place is open now", "在开放时间内"),
    "in-room": Text("files open where the person is", "文件仅在本人所在场所打开"),
    "badge": Text("the badge is the person's own", "门禁卡属本人"),
    "one-place": Text("the badge is in one room at a time", "门禁卡同一时间只在一处"),
    "purpose": Text("a purpose is stated", "已说明事由"),
    "declaration": Text("devices are declared", "已申报携带物品"),
    "pin": Text("the PIN is right", "密码正确"),
    "first-in": Text("the custodian goes first", "负责人先进入"),
    "limit": Text("there is room for one more", "未超过人数上限"),
    "escort": Text("a visitor has an escort", "来访有人陪同"),
    "two-person": Text("a second allowed person is present", "有第二名获准人员在场"),
    "allow": Text("every rule allows it", "各项规则均允许"),
}


# The others hold under every pack: a person or a room can ask for them.
_ONLY_WITH_TABLE = ("barred", "employment", "in-room")
_NAMED_OTHERWISE = {"domain": "level", "escort": "visit"}


def rules_of(pack: Pack) -> tuple[RuleInfo, ...]:
    """Return the rules in force under *pack*, in the order they decide, each with its clauses and duties."""
    found: list[RuleInfo] = []
    for rule, title in TITLES.items():
        if rule == "hours":
            found += [_info(name, kind.title, kind) for name, kind in pack.records.items()]
        if rule == "temp-auth" and not pack.temp_auth.enabled:
            continue
        source = getattr(pack, _NAMED_OTHERWISE.get(rule, rule).replace("-", "_"), None)
        if isinstance(source, RuleSource):
            found.append(_info(rule, title, source))
        elif rule not in _ONLY_WITH_TABLE:
            found.append(RuleInfo(id=rule, title=title))
    return tuple(found)


def clauses_of(rules: tuple[RuleInfo, ...]) -> Mapping[str, tuple[str, ...]]:
    """Return the clauses of each rule by id; an ``allow`` rests on those of level, scope and grant."""
    by_rule = {rule.id: rule.clauses for rule in rules}
    by_rule["allow"] = tuple(dict.fromkeys(by_rule["level"] + by_rule["scope"] + by_rule["grant"]))
    return by_rule


def _info(rule: str, title: Text, source: RuleSource) -> RuleInfo:
    return RuleInfo(id=rule, title=title, clauses=source.clauses, duties=source.duties)

"""Is the question one that can be answered at all? A known resource, a fitting action, somebody known behind it.

Rules of this file: these findings need no person. What is not in the facts does not exist, and is denied.
"""

from rules.model import Action, Request, Resource, RuleResult
from rules.text import Text
from rules.visible import visible

_DOUBT = Text("the read of the badge cannot be trusted", "刷卡数据不可信")
_DOUBTS = {
    "stale": Text("the read of the badge is not from now", "刷卡数据不是此刻产生的"),
    "insecure": Text("the read of the badge came over a wire that proves nothing", "刷卡数据来自未经认证的线路"),
    "copied": Text("the card has the number of the badge and is another card", "卡号相符，但不是该门禁卡"),
    "clock": Text("the clock has gone back since the last read", "时钟相对上次刷卡发生倒退"),
}
_IN_ROOMS = frozenset({Action.ENTER, Action.EXIT})


def resource(request: Request) -> RuleResult:
    """The denial for a resource the facts do not know."""
    shown = visible(request.resource)
    return RuleResult(
        rule="unknown-resource",
        ok=False,
        because=Text(f"`{shown}` is not registered", f"`{shown}` 未登记"),
        change=Text("the area or room is added", "登记该目录或场所"),
    )


def leaving() -> RuleResult:
    """The way out of a room is open to everybody, known or not: in a fire, nobody waits for a verdict."""
    return RuleResult(rule="exit", ok=True, because=Text("leaving a room is always allowed", "离开场所始终允许"))


def action(request: Request, place: Resource) -> RuleResult | None:
    """Rooms are entered, areas are opened, listed and read; anything else is a confused caller."""
    asked, is_room = request.action, place.room is not None
    if (asked in _IN_ROOMS) == is_room:
        return None
    shown = visible(str(asked))
    return RuleResult(
        rule="action",
        ok=False,
        because=Text(
            f"`{shown}` does not fit a {'room' if is_room else 'directory'}",
            f"`{shown}` 不适用于{'场所' if is_room else '目录'}",
        ),
        change=Text("the request names an action that fits", "改用相符的动作"),
    )


def doubt(request: Request) -> RuleResult | None:
    """A read that cannot be trusted opens nothing, whoever's badge it shows; a fresh one may."""
    if not request.doubt:
        return None
    return RuleResult(
        rule="doubt",
        ok=False,
        because=_DOUBTS.get(request.doubt, _DOUBT),
        change=Text("the badge is shown again", "重新刷卡"),
    )


def nobody(request: Request) -> RuleResult | None:
    """Somebody known is behind the request (contract C4): a person or a service, and no unknown part."""
    if request.nobody:
        shown = visible(request.nobody)
        because = Text(f"`{shown}` belongs to nobody known", f"`{shown}` 不属于任何已知主体")
    elif not request.persons and not request.service:
        because = Text("nobody known is behind the request", "请求背后没有已知主体")
    else:
        return None
    change = Text("the account is added to a person, or made a service", "将账号归属到人员，或登记为服务账户")
    return RuleResult(rule="nobody", ok=False, because=because, change=change)

"""Is the question one that can be answered at all? A known resource, a fitting action, somebody known behind it.

Rules of this file: these findings need no person. What is not in the facts does not exist, and is denied.
"""

from rules.model import Action, Finding, Request, Resource
from rules.text import Text
from rules.visible import visible

_IN_ROOMS = frozenset({Action.ENTER, Action.EXIT})


def resource(request: Request) -> Finding:
    """The denial for a resource the facts do not know."""
    shown = visible(request.resource)
    return Finding(
        rule="unknown-resource",
        ok=False,
        because=Text(f"`{shown}` is not registered", f"`{shown}` 未登记"),
        change=Text("the area or room is added", "登记该目录或场所"),
    )


def leaving() -> Finding:
    """The way out of a room is open to everybody, known or not: in a fire, nobody waits for a verdict."""
    return Finding(rule="exit", ok=True, because=Text("leaving a room is always allowed", "离开场所始终允许"))


def action(request: Request, place: Resource) -> Finding | None:
    """Rooms are entered, areas are opened, listed and read; anything else is a confused caller."""
    asked, is_room = request.action, place.room is not None
    if (asked in _IN_ROOMS) == is_room:
        return None
    shown = visible(str(asked))
    return Finding(
        rule="action",
        ok=False,
        because=Text(
            f"`{shown}` does not fit a {'room' if is_room else 'directory'}",
            f"`{shown}` 不适用于{'场所' if is_room else '目录'}",
        ),
        change=Text("the request names an action that fits", "改用相符的动作"),
    )


def nobody(request: Request) -> Finding | None:
    """Somebody known is behind the request (contract C4): a person or a service, and no unknown part."""
    if request.nobody:
        shown = visible(request.nobody)
        because = Text(f"`{shown}` belongs to nobody known", f"`{shown}` 不属于任何已知主体")
    elif not request.persons and not request.service:
        because = Text("nobody known is behind the request", "请求背后没有已知主体")
    else:
        return None
    change = Text("the account is added to a person, or made a service", "将账号归属到人员，或登记为服务账户")
    return Finding(rule="nobody", ok=False, because=because, change=change)

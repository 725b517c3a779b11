"""What is kept in a room must not be above the room: its level reaches that of every file and medium inside.

Rules of this file: levels of different domains are never compared (a room for company secrets keeps no state secrets,
however low), so what is kept is of the room's own domain. What is not marked yet is kept nowhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rules.model import Level, Resource
from rules.text import Text
from rules.visible import visible


@dataclass(frozen=True, slots=True)
class ContainmentViolation:
    """One thing that may not be kept in the room, and why."""

    id: str
    because: Text


def misfits(room: Resource, kept: Iterable[Resource]) -> tuple[ContainmentViolation, ...]:
    """Return what of *kept* may not be in *room*, in order; an area may stand for a medium that carries its mark."""
    found = ((thing.id, _why_not(room, thing)) for thing in kept)
    return tuple(ContainmentViolation(thing, because) for thing, because in found if because is not None)


def _why_not(room: Resource, thing: Resource) -> Text | None:
    what, where = visible(thing.id), visible(room.id)
    if thing.domain != room.domain:
        mine, its = visible(room.domain), visible(thing.domain)
        en, zh = f"`{what}` is of `{its}` and `{where}` for `{mine}`", f"`{what}` 属 `{its}`，`{where}` 属 `{mine}`"
        return Text(en, zh)
    if thing.level is Level.NONE:
        return Text(f"`{what}` has no level", f"`{what}` 未定密级")
    if thing.level > room.level:
        return Text(
            f"`{what}` is `{thing.level.text.en}` and `{where}` only `{room.level.text.en}`",
            f"`{what}` 为“{thing.level.text.zh}”，`{where}` 仅为“{room.level.text.zh}”",
        )
    return None

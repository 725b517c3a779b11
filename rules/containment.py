"""Containment: a room stores only areas and media of its own domain, up to its own level.

Rules of this file: levels of different domains are never compared (a room for company secrets stores no state secrets,
however low), so the content belongs to the domain of the room. Content without a level is stored nowhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rules.model import Level, Resource
from rules.text import Message, Sentence


@dataclass(frozen=True, slots=True)
class ContainmentViolation:
    """One area or medium that may not be stored in the room, with the reason."""

    id: str
    because: Sentence


def misfits(room: Resource, contents: Iterable[Resource]) -> tuple[ContainmentViolation, ...]:
    """Return the *contents* that may not be in *room*, in order; an area may represent a medium with its mark."""
    reasons = ((content.id, _why_not(room, content)) for content in contents)
    return tuple(ContainmentViolation(name, because) for name, because in reasons if because is not None)


def _why_not(room: Resource, content: Resource) -> Sentence | None:
    if content.domain != room.domain:
        return Message(
            "rules.content-domain-differs",
            content=content.id,
            content_domain=content.domain,
            room=room.id,
            room_domain=room.domain,
        )
    if content.level is Level.NONE:
        return Message("rules.content-without-level", content=content.id)
    if content.level > room.level:
        return Message(
            "rules.content-above-room",
            content=content.id,
            content_level=content.level.text,
            room=room.id,
            room_level=room.level.text,
        )
    return None

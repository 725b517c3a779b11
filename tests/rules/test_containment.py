"""What may be kept in a room: nothing above its level, nothing of another domain, nothing unmarked."""

import pytest

from rules.containment import misfits
from rules.model import Level, Resource, RoomRules
from tests.sentences import en, zh

ROOM = Resource("archive", Level.SECRET, "state", room=RoomRules())


def thing(level: Level, domain: str = "state") -> Resource:
    return Resource("plans", level, domain)


@pytest.mark.parametrize("level", [Level.INTERNAL, Level.CONFIDENTIAL, Level.SECRET])
def test_what_is_at_or_below_the_rooms_level_fits(level: Level) -> None:
    assert misfits(ROOM, [thing(level)]) == ()


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (thing(Level.TOP_SECRET), "`plans` has level `top-secret`, `archive` only `secret`"),
        (thing(Level.INTERNAL, "commercial"), "`plans` belongs to domain `commercial`, `archive` to domain `state`"),
        (thing(Level.NONE), "`plans` has no level"),
    ],
)
def test_what_does_not_fit_is_told_and_why(kept: Resource, said: str) -> None:
    [found] = misfits(ROOM, [thing(Level.SECRET), kept])
    assert (found.id, en(found.because)) == ("plans", said)
    assert zh(found.because)


def test_all_that_does_not_fit_is_told_in_order() -> None:
    kept = [Resource(name, Level.TOP_SECRET, "state") for name in ("b", "a")]
    assert [one.id for one in misfits(ROOM, kept)] == ["b", "a"]

"""What may be kept in a room: nothing above its level, nothing of another domain, nothing unmarked."""

import pytest

from rules.containment import misfits
from rules.model import Level, Resource, RoomRules

ROOM = Resource("archive", Level.SECRET, "state", room=RoomRules())


def thing(level: Level, domain: str = "state") -> Resource:
    return Resource("plans", level, domain)


@pytest.mark.parametrize("level", [Level.INTERNAL, Level.CONFIDENTIAL, Level.SECRET])
def test_what_is_at_or_below_the_rooms_level_fits(level: Level) -> None:
    assert misfits(ROOM, [thing(level)]) == ()


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (thing(Level.TOP_SECRET), "`plans` is `top-secret` and `archive` only `secret`"),
        (thing(Level.INTERNAL, "commercial"), "`plans` is of `commercial` and `archive` for `state`"),
        (thing(Level.NONE), "`plans` has no level"),
    ],
)
def test_what_does_not_fit_is_told_and_why(kept: Resource, said: str) -> None:
    [found] = misfits(ROOM, [thing(Level.SECRET), kept])
    assert (found.id, found.because.en) == ("plans", said)
    assert found.because.zh


def test_all_that_does_not_fit_is_told_in_order() -> None:
    kept = [Resource(name, Level.TOP_SECRET, "state") for name in ("b", "a")]
    assert [one.id for one in misfits(ROOM, kept)] == ["b", "a"]

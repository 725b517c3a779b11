"""Who may open or enter what, and until when: the vectors, drawn worlds, and what changes of rights are told."""

import random
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import Phase, given, settings

from rules.decide import decide
from rules.eligibility import why_ineligible
from rules.loosening import person_loosened, place_loosened
from rules.model import Facts, Level, Person, Request, Resource, Verdict
from rules.pack.model import Pack
from rules.rights import Right, gains, losses, stands
from tests.mutants.asking import Question
from tests.rules.strategies import NOW, World, worlds
from tests.rules.vector_files import vectors

_WORLDS = 1_500
_STEP = timedelta(hours=12)  # the grid on which worlds have their instants
_MOMENTS = (-20 * _STEP, timedelta(0), _STEP, 20 * _STEP)
_FAR = 100_000


def questions() -> Iterator[Question]:
    """Yield the questions."""
    for vector in vectors():
        yield may, (vector.request, vector.facts, vector.pack, vector.now)
    drawn = _worlds()
    chance = random.Random(3)
    for world in drawn:
        yield may, (world.request, world.facts, _other(world.pack, chance), NOW)
        for moment in _MOMENTS:
            yield may, (world.request, world.facts, world.pack, NOW + moment)
        yield acts, (world.person(),)
    chance = random.Random(1)
    for world in drawn:
        other = chance.choice(drawn)
        yield one_hand, (world.person(), other.person(), world.place(), other.place())
    for _ in range(300):
        yield told, (_rights(chance), _rights(chance), {"E1": [1], "E2": [2]} if chance.random() < 0.5 else {})


def _other(pack: Pack, chance: random.Random) -> Pack:
    """Return *pack* with some of what is taken by it taken no more, and what is not asked asked."""
    temporary = replace(pack.temp_auth, enabled=chance.random() < 0.5, max_level=chance.choice(list(Level)))
    return replace(
        pack,
        temp_auth=replace(temporary, max_days=chance.choice((0, 1, 90))),
        grant=replace(pack.grant, from_level=chance.choice(list(Level)), after_post_change=chance.random() < 0.5),
    )


def _worlds() -> list[World]:
    found: list[World] = []

    @settings(max_examples=_WORLDS, derandomize=True, database=None, phases=(Phase.generate,), deadline=None)
    @given(worlds())
    def draw(world: World) -> None:
        found.append(world)

    draw()
    return found


def may(request: Request, facts: Facts, pack: Pack, now: datetime) -> Collection[str]:
    """What a verdict lets through: the open now, and each later moment for which it may be kept."""
    verdict: Verdict = decide(request, facts, pack, now)
    found = {"the right stands"} if stands(verdict) else set()
    if verdict.allow:
        steps = _FAR if verdict.until is None else (verdict.until - now) // _STEP
        found |= {
            "allowed",
            *(f"kept for {number} half days" for number in (0, 1, 2, 5, 20, 60, _FAR) if steps >= number),
        }
    return found


def acts(person: Person) -> Collection[str]:
    """Whether somebody may act for others."""
    return [f"acts at {moment}" for moment in _MOMENTS if why_ineligible(person, NOW + moment) is None]


def one_hand(before: Person, after: Person, place: Resource, later: Resource) -> Collection[str]:
    """What passes as loosening nothing, so that one hand is enough."""
    found = []
    for name, old, new in (("changed", before, after), ("gone", before, None), ("new", None, after)):
        found += [] if person_loosened(old, new) else [f"person {name}"]
    return [*found, *([] if place_loosened(place, later) else ["place"])]


def told(before: frozenset[Right], after: frozenset[Right], accounts: dict[str, list[int]]) -> Collection[str]:
    """Which gains and losses are not told: those pass unseen."""
    rooms = frozenset(("r1", "r2"))
    all_of = {(person, place) for person in ("E1", "E2", "E3") for place in ("a1", "a2", "r1", "r2")}
    found: list[str] = []
    for name, tell in (("gain", gains), ("loss", losses)):
        said = tell(before, after, rooms, accounts)
        shown = {(one.person, place) for one in said for place in (*one.areas, *one.rooms)}
        uids = {(one.person, uid) for one in said for uid in one.uids}
        found += [f"{name} of {person} {place}" for person, place in sorted(all_of - shown)]
        found += [
            f"{name} of {person} {uid}" for person in accounts for uid in accounts[person] if (person, uid) not in uids
        ]
    return found


def _rights(chance: random.Random) -> frozenset[Right]:
    return frozenset(
        Right(person, place)
        for person in ("E1", "E2", "E3")
        for place in ("a1", "a2", "r1", "r2")
        if chance.random() < 0.4
    )

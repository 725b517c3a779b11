"""What may be done in a departure, and how much of somebody's access has ended after it: drawn histories."""

import random
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import product

from hypothesis import Phase, given, settings

from rules.offboarding.case import OffboardingCase
from rules.offboarding.vocabulary import CaseKind
from rules.pack.model import Pack
from tests.mutants.asking import Question
from tests.rules.offboarding.cases import NOW, PACKS, Try, approved, opened, settled, tries

_TRIES = 4_000
_EACH = 60  # tries from each beginning


def questions() -> Iterator[Question]:
    """Yield the questions: each is one try on a case as it has become."""
    drawn = _tries()
    chance = random.Random(2)
    for name, kind, start in product(PACKS, CaseKind, (opened, approved, _settled, _dated)):
        case, now = start(name, kind), NOW
        for number, one in enumerate(chance.sample(drawn, _EACH)):
            now += timedelta(hours=7 * (number % 5))
            yield happens, (case, one, PACKS[name], now)
            if number % 3 == 0:  # else most are tried on a case that has been rescinded
                case = one.on(case, PACKS[name], now)


def _tries() -> list[Try]:
    found: list[Try] = []

    @settings(max_examples=_TRIES, derandomize=True, database=None, phases=(Phase.generate,), deadline=None)
    @given(tries())
    def draw(one: Try) -> None:
        found.append(one)

    draw()
    return found


def _settled(pack: str, kind: CaseKind) -> OffboardingCase:
    return settled(approved(pack, kind))


def _dated(pack: str, kind: CaseKind) -> OffboardingCase:
    return approved(pack, kind, NOW + timedelta(days=50))


def happens(case: OffboardingCase, one: Try, pack: Pack, now: datetime) -> Collection[str]:
    """What is let through: a move that is made, access that has not ended, a duty that is not owed."""
    after = one.on(case, pack, now)
    found = set() if after == case else {"the move is made"}
    if after.ended_at is None or after.ended_at > now:
        found.add("has access")
    if not after.owed:
        found.add("owes nothing")
    if not after.measures_owed:
        found.add("owes no measure")
    if after.next_approver is None:
        found.add("nobody approves any more")
    return found

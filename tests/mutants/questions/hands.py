"""Who is a hand and which two are a pair: everybody with everybody."""

from collections.abc import Collection, Iterator
from itertools import product

from rules.pack.model import TwoHandsRule
from rules.two_hands import Hand, why_no_hand, why_not_together
from tests.mutants.asking import Question

_RULES = (
    TwoHandsRule(),
    TwoHandsRule(any_two=("badge.add",), registered=False),
    TwoHandsRule(any_two=("*",), one_hand=("grant.add",)),
    TwoHandsRule(one_hand=("*",)),
)
_HANDS = [
    Hand(uid, person, role, login, login_person)
    for uid, person, role, (login, login_person) in product(
        (0, 1, 2),
        (None, "E1", "E2"),
        (None, "system", "security", "auditor"),
        ((None, None), (1, "E1"), (2, None), (0, None), (2, "E2")),
    )
]


def questions() -> Iterator[Question]:
    """Yield the questions."""
    for hand in _HANDS:
        yield alone, (hand,)
        for other in _HANDS[::7]:
            yield together, (hand, other)
    yield enough, ()


def alone(hand: Hand) -> Collection[str]:
    """Where this one is a hand."""
    return [
        f"a hand by rule {number} while {sorted(gaining)} gain"
        for number, rule in enumerate(_RULES)
        for gaining in (frozenset[str](), frozenset(("E1",)), frozenset(("E2", "E9")))
        if why_no_hand(hand, gaining, rule) is None
    ]


def together(first: Hand, second: Hand) -> Collection[str]:
    """Where these are a pair."""
    found = [] if first.is_same_human(second) else ["two people"]
    return found + [
        f"a pair for {act} by rule {number}"
        for number, rule in enumerate(_RULES)
        for act in ("grant.add", "badge.add")
        if why_not_together(first, second, act, rule) is None
    ]


def enough() -> Collection[str]:
    """For which acts one hand is enough."""
    acts = ("grant.add", "badge.add")
    return [f"{act} by rule {number}" for number, rule in enumerate(_RULES) for act in acts if rule.takes_one(act)]

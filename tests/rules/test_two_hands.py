"""Who may be a hand, and which two are a pair (contract C12): laws."""

from hypothesis import example, given
from hypothesis import strategies as st

from rules.pack.model import TwoHandsRule
from rules.two_hands import OFFICERS, Hand, why_no_hand, why_not_together

NAMES = st.sampled_from([None, "E1", "E2", "E3"])
UIDS = st.integers(0, 4)
ROLES = st.sampled_from([None, "system", "security", "auditor"])
HANDS = st.builds(Hand, UIDS, NAMES, ROLES, st.none() | UIDS, NAMES, st.booleans(), st.booleans())
ACTS = st.sampled_from(["grant.add", "badge.add"])
RULES = st.builds(
    TwoHandsRule,
    any_two=st.sampled_from([(), ("*",), ("badge.add",)]),
    registered=st.booleans(),
)
GAINING = st.frozensets(st.sampled_from(["E1", "E2", "E3"]))


def test_a_hand_is_called_by_its_person_or_else_by_its_number() -> None:
    names = [Hand(61_001, person, "system", None, None, True, True).name for person in ("E1", None)]
    assert names == ["E1", "uid:61001"]


@given(HANDS, RULES, GAINING)
def test_nobody_is_a_hand_in_what_they_gain_by(hand: Hand, rule: TwoHandsRule, gaining: frozenset[str]) -> None:
    if hand.person in gaining or hand.login_person in gaining:
        assert why_no_hand(hand, gaining, rule)


@given(HANDS, RULES, GAINING)
def test_only_the_two_officers_are_hands(hand: Hand, rule: TwoHandsRule, gaining: frozenset[str]) -> None:
    if hand.role not in OFFICERS:
        assert why_no_hand(hand, gaining, rule)


@given(HANDS, RULES, GAINING)
def test_a_number_that_neither_the_registry_nor_the_host_knows_is_none(
    hand: Hand, rule: TwoHandsRule, gaining: frozenset[str]
) -> None:
    if not hand.known:
        assert why_no_hand(hand, gaining, rule)


@given(HANDS, RULES, GAINING)
def test_one_whose_login_nobody_knows_is_none(hand: Hand, rule: TwoHandsRule, gaining: frozenset[str]) -> None:
    if not hand.login_known:
        assert why_no_hand(hand, gaining, rule)


@given(HANDS, RULES)
@example(Hand(1, None, "system"), TwoHandsRule())
def test_an_account_nobody_knows_is_a_hand_only_where_the_pack_says_so(hand: Hand, rule: TwoHandsRule) -> None:
    if hand.person is None and rule.registered:
        assert why_no_hand(hand, frozenset(), rule)


@given(HANDS, RULES)
def test_whoever_acts_from_the_login_of_somebody_else_is_no_hand(hand: Hand, rule: TwoHandsRule) -> None:
    if hand.login_uid not in (None, hand.uid) and (hand.login_person or "?") != hand.person:
        assert why_no_hand(hand, frozenset(), rule)


@given(HANDS, HANDS, ACTS, RULES)
def test_one_human_is_never_a_pair(first: Hand, second: Hand, act: str, rule: TwoHandsRule) -> None:
    same_person = {first.person, first.login_person} & {second.person, second.login_person} - {None}
    same_account = {first.uid, first.login_uid} & {second.uid, second.login_uid} - {None}
    if same_person or same_account:
        assert why_not_together(first, second, act, rule)


@given(HANDS, HANDS, ACTS, RULES)
def test_order_does_not_matter(first: Hand, second: Hand, act: str, rule: TwoHandsRule) -> None:
    assert bool(why_not_together(first, second, act, rule)) == bool(why_not_together(second, first, act, rule))


@given(HANDS, HANDS, ACTS, RULES)
def test_two_of_one_role_are_a_pair_only_where_any_two_will_do(
    first: Hand, second: Hand, act: str, rule: TwoHandsRule
) -> None:
    if first.role == second.role and not rule.takes_any_two(act):
        assert why_not_together(first, second, act, rule)


def test_a_system_administrator_and_a_security_officer_are_a_pair() -> None:
    first, second = Hand(1, "E1", "system", 1, "E1"), Hand(2, "E2", "security", 2, "E2")
    assert why_no_hand(first, frozenset({"E3"}), TwoHandsRule()) is None
    assert why_not_together(first, second, "grant.add", TwoHandsRule()) is None


def test_a_second_account_of_the_same_person_may_be_where_they_logged_in() -> None:
    assert why_no_hand(Hand(1, "E1", "system", 5, "E1"), frozenset(), TwoHandsRule()) is None
    assert why_no_hand(Hand(1, "E1", "system", 5, None), frozenset(), TwoHandsRule())
    assert why_no_hand(Hand(1, "E1", "system", 0, None), frozenset(), TwoHandsRule())


def test_a_pack_may_let_one_hand_do_single_acts() -> None:
    rule = TwoHandsRule(one_hand=("badge.add",))
    assert (rule.takes_one("badge.add"), rule.takes_one("grant.add"), TwoHandsRule().takes_one("badge.add")) == (
        True,
        False,
        False,
    )


def test_any_two_do_what_the_pack_names_and_nothing_else() -> None:
    named, all_of_them, none = TwoHandsRule(any_two=("badge.add",)), TwoHandsRule(any_two=("*",)), TwoHandsRule()
    assert [rule.takes_any_two("badge.add") for rule in (named, all_of_them, none)] == [True, True, False]
    assert [rule.takes_any_two("grant.add") for rule in (named, all_of_them, none)] == [False, True, False]

"""Two-person rule 双人复核: the pairs of callers who may together give access (contract C12).

Rules of this file: pure. A hand is a caller as the kernel, the registry and the groups of the host identify them now,
never a typed name. A person who gains by an act is no hand in it. Two accounts count as two people only if they share
no person in the registry, no login and no uid.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from rules.pack.model import TwoHandsRule
from rules.text import Message, Sentence

OFFICERS = ("system", "security")
"""Roles whose holders may be a hand; auditors may not."""


@dataclass(frozen=True, slots=True)
class Hand:
    """One caller. ``person`` and ``login_person`` are the people of the two accounts.

    ``login_uid`` is ``None`` if it is unset; without ``login_known`` its owner is unknown. ``known``: the registry or
    the host has such an account; else its owner is unknown, as for uids of a user namespace (user_namespaces(7)).
    """

    uid: int
    person: str | None
    role: str | None
    login_uid: int | None = None
    login_person: str | None = None
    known: bool = True
    login_known: bool = True

    @property
    def name(self) -> str:
        """The person, or the uid of an account without a registered person."""
        return self.person or f"uid:{self.uid}"

    @property
    def acts_from_another_login(self) -> bool:
        """Whether the login belongs to another account, not known to be of the same person."""
        if self.login_uid in (None, self.uid):
            return False
        return self.login_person is None or self.login_person != self.person

    def is_same_human(self, second: "Hand") -> bool:
        """Whether both are, or may be, one human being."""
        people, second_people = ({hand.person, hand.login_person} - {None} for hand in (self, second))
        accounts, second_accounts = ({hand.uid, hand.login_uid} - {None} for hand in (self, second))
        return bool(people & second_people or accounts & second_accounts)


def why_no_hand(hand: Hand, gaining: AbstractSet[str], rule: TwoHandsRule) -> Sentence | None:
    """Return why *hand* cannot be one of the two in an act by which *gaining* (people) gain; ``None`` if it can."""
    if hand.role not in OFFICERS:
        return Message("rules.not-an-officer")
    if not hand.login_known:
        return Message("rules.caller-process-ended", caller=_label(hand.person, hand.uid))
    if hand.acts_from_another_login:
        owner = _label(hand.login_person, hand.login_uid)
        return Message("rules.caller-in-foreign-login", caller=_label(hand.person, hand.uid), owner=owner)
    if not hand.known:
        return Message("rules.account-unknown", uid=hand.uid)
    if rule.registered and hand.person is None:
        return Message("rules.account-without-person", uid=hand.uid)
    if {hand.person, hand.login_person} & gaining:
        return Message("rules.caller-gains", caller=_label(hand.person, hand.uid))
    return None


def why_not_together(first: Hand, second: Hand, act: str, rule: TwoHandsRule) -> Sentence | None:
    """Return why the two are no pair for *act*, as each alone may be a hand in it; ``None`` if they are one."""
    if first.is_same_human(second):
        return Message("rules.same-person-proposed", caller=_label(second.person, second.uid))
    if rule.takes_any_two(act) or {first.role, second.role} == set(OFFICERS):
        return None
    return Message("rules.roles-of-two-officers")


def _label(person: str | None, uid: int | None) -> str | Message:
    """Return the person, or the uid of an account that the registry does not know."""
    return person or Message("rules.uid", uid=uid)

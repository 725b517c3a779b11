"""Two hands: whether two callers may together do what gives access (contract C12).

Rules of this file: pure. A hand is a caller as the kernel, the registry and the groups of the host have them at this
moment; a name that somebody typed is none. Whoever gains by an act is no hand in it. Two accounts are two people only
where nothing says that they are one: the same person in the registry, the same login, the same number.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from rules.pack.model import TwoHandsRule
from rules.text import Text
from rules.visible import visible

OFFICERS = ("system", "security")
"""Roles whose holders may be a hand. Auditors look on."""


@dataclass(frozen=True, slots=True)
class Hand:
    """One caller. ``person`` and ``login_person`` are whose the two accounts are.

    ``login_uid`` is ``None`` if it is unset; not ``login_known``, it may be anybody's. ``known``: the registry or the
    host has such an account; else it may be anybody's, as the numbers of a user namespace are (user_namespaces(7)).
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
        """The person, or the bare account of nobody the registry knows."""
        return self.person or f"uid:{self.uid}"

    @property
    def acts_from_another_login(self) -> bool:
        """Whether the login is of another account that is not known to be the same person's."""
        if self.login_uid in (None, self.uid):
            return False
        return self.login_person is None or self.login_person != self.person

    def is_same_human(self, other: "Hand") -> bool:
        """Whether anything says that both are one human being."""
        mine, theirs = ({one.person, one.login_person} - {None} for one in (self, other))
        accounts, others = ({one.uid, one.login_uid} - {None} for one in (self, other))
        return bool(mine & theirs or accounts & others)


def why_no_hand(hand: Hand, gaining: AbstractSet[str], rule: TwoHandsRule) -> Text | None:
    """Return why *hand* cannot be one of the two in an act by which *gaining* (people) gain; ``None`` if it can."""
    if hand.role not in OFFICERS:
        return Text("only a system administrator or a security officer is a hand", "仅系统管理员或安全保密管理员可办理")
    if not hand.login_known:
        said = visible(hand.name)
        return Text(
            f"the process by which `{said}` asks has ended, so nobody knows from whose login it was",
            f"`{said}` 的请求进程已结束，无法得知其登录会话属于谁",
        )
    if hand.acts_from_another_login:
        owner = visible(hand.login_person or f"uid:{hand.login_uid}")
        said = visible(hand.name)
        return Text(f"`{said}` acts from a login of `{owner}`", f"`{said}` 是从 `{owner}` 的登录会话中操作的")
    if not hand.known:
        return Text(f"nobody knows an account of uid {hand.uid}", f"没有任何记录表明 uid {hand.uid} 是谁的账号")
    if rule.registered and hand.person is None:
        return Text(
            f"the registry does not know whose account uid {hand.uid} is", f"登记库中没有 uid {hand.uid} 所属的人员"
        )
    if {hand.person, hand.login_person} & gaining:
        said = visible(hand.name)
        return Text(f"`{said}` gains by it", f"`{said}` 本人是受益人")
    return None


def why_not_together(first: Hand, second: Hand, act: str, rule: TwoHandsRule) -> Text | None:
    """Return why the two are no pair for *act*, as each alone may be a hand in it; ``None`` if they are one."""
    if first.is_same_human(second):
        said = visible(second.name)
        return Text(f"`{said}` has proposed it, and a second person confirms", f"由 `{said}` 提议，须由另一人确认")
    if rule.takes_any_two(act) or {first.role, second.role} == set(OFFICERS):
        return None
    return Text(
        "one of the two must be a system administrator and the other a security officer",
        "须由一名系统管理员和一名安全保密管理员共同办理",
    )

"""三员: one hand, one role."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.api.peers import Peer
from agent.api.roles import THREE, Role, missing, standing
from agent.runtime.config import RoleGroups
from rules.text import Message
from tests.sentences import en

GROUPS = RoleGroups(system="sys", security=2002, auditor="aud")
GIDS = {"sys": 2001, "aud": 2003}
TWO_ROLES = Message("api.caller-with-two-roles", roles=[Role.SYSTEM.text, Role.SECURITY.text])
OF = {2001: Role.SYSTEM, 2002: Role.SECURITY, 2003: Role.AUDITOR}

uids = st.integers(min_value=0, max_value=70_000)
groups = st.frozensets(st.sampled_from([0, 5, 2001, 2002, 2003, 9999]))


def peer(uid: int, *gids: int) -> Peer:
    return Peer(1, uid, gids[0] if gids else 100, frozenset(gids))


@given(uids, groups)
def test_a_role_is_held_exactly_when_one_group_is_and_the_caller_is_not_root(uid: int, gids: frozenset[int]) -> None:
    found = standing(Peer(1, uid, 100, gids), GROUPS, GIDS.get)
    held = [OF[gid] for gid in gids if gid in OF]
    assert found.role == (held[0] if len(held) == 1 and uid != 0 else None)
    assert (found.role is None) == (found.why_none is not None)


@given(uids, groups)
def test_more_groups_never_give_a_second_role(uid: int, gids: frozenset[int]) -> None:
    found = standing(Peer(1, uid, 100, gids), GROUPS, GIDS.get)
    assert sum(found.may(frozenset({role})) for role in THREE) <= 1


def test_root_has_all_three_only_until_a_group_is_named() -> None:
    assert standing(peer(0), RoleGroups(), GIDS.get).role is Role.BOOTSTRAP
    assert all(standing(peer(0), RoleGroups(), GIDS.get).may(frozenset({role})) for role in THREE)
    assert standing(peer(0, 0), RoleGroups(auditor="aud"), GIDS.get).role is None
    assert standing(peer(0, 2003), RoleGroups(auditor="aud"), GIDS.get).role is None


def test_nobody_but_root_acts_while_no_group_is_named() -> None:
    assert standing(peer(1000, 0), RoleGroups(), GIDS.get).role is None


def test_a_named_group_that_does_not_exist_gives_nobody_its_role_and_ends_the_bootstrap() -> None:
    gone = RoleGroups(system="nowhere")
    assert standing(peer(0), gone, GIDS.get).role is None
    assert standing(peer(1000, 2001), gone, GIDS.get).role is None
    assert missing(gone, GIDS.get) == THREE


def test_a_group_named_for_two_roles_by_name_and_number_gives_none() -> None:
    same = RoleGroups(system="sys", security=2001)
    assert standing(peer(1000, 2001), same, GIDS.get).role is None


@pytest.mark.parametrize("role", THREE)
def test_each_role_may_only_what_it_may(role: Role) -> None:
    gid = {held: gid for gid, held in OF.items()}[role]
    found = standing(peer(1000, gid), GROUPS, GIDS.get)
    assert found.may(frozenset({role}))
    assert not found.may(frozenset(THREE) - {role})


@given(groups, groups)
def test_a_role_is_held_only_by_process_and_account_together_and_one_that_either_has_more_of_is_none(
    held: frozenset[int], present: frozenset[int]
) -> None:
    found = standing(Peer(1, 1000, 100, held), GROUPS, GIDS.get, present)
    both = [OF[gid] for gid in held & present if gid in OF]
    either = [OF[gid] for gid in held | present if gid in OF]
    assert found.role == (both[0] if len(both) == len(either) == 1 else None)
    assert (found.role is None) == (found.why_none is not None)


@pytest.mark.parametrize(
    ("held", "present", "reason"),
    [
        ({2001}, {5}, Message("api.account-left-role-group")),  # a process that outlives the role
        ({5}, {2001}, Message("api.session-before-role")),  # a role that the session does not have yet
        ({2001}, {2001, 2002}, TWO_ROLES),  # a group that the process has shed
        ({2001, 2002}, {2001}, TWO_ROLES),
        ({5}, {5}, Message("api.caller-without-role")),
    ],
)
def test_why_somebody_has_no_role(held: set[int], present: set[int], reason: Message) -> None:
    found = standing(Peer(1, 1000, 5, frozenset(held)), GROUPS, GIDS.get, frozenset(present))
    assert found.role is None
    assert found.why_none == reason


def test_root_is_told_that_it_has_none_also_where_it_is_in_a_group() -> None:
    found = standing(peer(0, 2001), GROUPS, GIDS.get, frozenset({2001}))
    assert (found.role, found.why_none is not None and en(found.why_none)) == (None, "root has no role")


def test_only_a_role_that_somebody_can_hold_is_not_missing() -> None:
    assert missing(GROUPS, GIDS.get) == ()
    assert missing(RoleGroups(security=2002), GIDS.get) == (Role.SYSTEM, Role.AUDITOR)


@given(uids, groups)
def test_the_broken_glass_is_roots_alone_and_gives_nobody_else_more(uid: int, gids: frozenset[int]) -> None:
    caller = Peer(1, uid, 100, gids)
    broken, whole = (standing(caller, GROUPS, GIDS.get, broken=state) for state in (True, False))
    assert broken == whole if uid else broken.role is Role.BREAK_GLASS


@given(uids.filter(bool), groups)
def test_an_account_that_the_host_has_no_more_has_no_role_and_is_told_so(uid: int, gids: frozenset[int]) -> None:
    found = standing(Peer(1, uid, 100, gids), GROUPS, GIDS.get, gone=True)
    assert found.role is None
    assert found.why_none == Message("api.account-removed-from-host")


def test_without_a_broken_glass_root_has_no_role_once_groups_are_named() -> None:
    assert standing(peer(0), GROUPS, GIDS.get, broken=True).role is Role.BREAK_GLASS
    assert standing(peer(0), GROUPS, GIDS.get).role is None
    assert standing(peer(1000, 2001), GROUPS, GIDS.get, broken=True).role is not Role.BREAK_GLASS

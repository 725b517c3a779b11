"""Who may act in which role: every set of groups, of the process and of the account."""

from collections.abc import Collection, Iterator
from itertools import combinations, product

from agent.api.peers import Peer
from agent.api.roles import THREE, missing, standing
from agent.runtime.config import RoleGroups
from tests.mutants.asking import Question

_SITES = (
    RoleGroups(),
    RoleGroups(system="sys", security=2002, auditor="aud"),
    RoleGroups(system="sys"),
    RoleGroups(auditor=2003),
    RoleGroups(system="nowhere", security=2001),
    RoleGroups(system="sys", security=2001),
)
_GIDS = {"sys": 2001, "aud": 2003}
_SETS = [frozenset(some) for size in range(4) for some in combinations((0, 2001, 2002, 2003), size)]


def questions() -> Iterator[Question]:
    """Yield the questions."""
    for uid, site, held, present in product((0, 1000), range(len(_SITES)), _SETS, (None, *_SETS)):
        yield acts, (uid, site, held, present)
    for site in range(len(_SITES)):
        yield held_by_nobody, (site,)


def acts(uid: int, site: int, held: frozenset[int], present: frozenset[int] | None) -> Collection[str]:
    """What a caller may do."""
    found = standing(Peer(1, uid, 100, held), _SITES[site], _GIDS.get, present)
    may = [f"may what {role} may" for role in THREE if found.may(frozenset((role,)))]
    return [*may, *([f"is {found.role}"] if found.role else [])]


def held_by_nobody(site: int) -> Collection[str]:
    """Which roles are said to be held, though nobody can."""
    return [f"somebody is {role}" for role in THREE if role not in missing(_SITES[site], _GIDS.get)]

"""A name service that hangs for one uid costs that uid its answer, and nobody else anything."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.api.peers import Peer
from agent.api.roles import Role
from agent.control.reception import budgets, standings
from agent.control.reception.budgets import CallerKind
from agent.control.reception.lookups import Lookups
from agent.control.reception.standings import NameService, RoleSource, SeenGroups, Standings
from agent.errors import RefusedError
from agent.runtime.config import RoleGroups
from tests.sentences import en

GROUPS = RoleGroups(security="officers", auditor=2003)
NUMBERS = {"officers": 2002}


def peer(uid: int, *groups: int) -> Peer:
    return Peer(1, uid, 0, frozenset(groups))


class Names:
    """A name service of the test: it hangs for uid 666 until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.asked: list[int] = []

    def present(self, uid: int) -> frozenset[int]:
        self.asked.append(uid)
        if uid == 666:
            assert self.let_go.wait(30)
        return frozenset({2002})

    def standings(self, reader: ThreadPoolExecutor, groups: RoleGroups = GROUPS) -> Standings:
        roles = RoleSource(lambda: groups, lambda: False, lambda _uid: False)
        return Standings(roles, NameService(NUMBERS.get, self.present), reader)


def test_who_is_looked_up_slowly_is_unknown_and_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standings, "LOOKUP", 1.0)
    names = Names()

    async def main() -> None:
        with ThreadPoolExecutor(1) as reader:
            seen = names.standings(reader)
            slow = [asyncio.create_task(seen.see(peer(666, 2002), CallerKind.ROLE)) for _ in range(50)]
            others = [await seen.see(peer(uid, 2002), CallerKind.ROLE) for uid in range(1, 200)]
            assert all(one.standing(peer(1, 2002)).role is Role.SECURITY for one in others)
            for task in slow:
                with pytest.raises(RefusedError) as caught:
                    await task
                assert "uid 666" in en(caught.value.text)
            assert names.asked.count(666) == 1  # one thread hangs, and not fifty
            names.let_go.set()
            monkeypatch.setattr(standings, "LOOKUP", 30.0)
            assert (await seen.see(peer(666, 2002), CallerKind.ROLE)).present == {2002}

    asyncio.run(main())


def test_no_more_lookups_are_under_way_than_may_be() -> None:
    under_way, most, turn, gate = 0, 0, threading.Lock(), threading.Event()

    def look() -> int:
        nonlocal under_way, most
        with turn:
            under_way += 1
            most = max(most, under_way)
            if under_way == 3:
                gate.set()
        assert gate.wait(30)
        with turn:
            under_way -= 1
        return 1

    async def main() -> None:
        lookups = Lookups(3)
        assert sum(await asyncio.gather(*(lookups.run(uid, look) for uid in range(40)))) == 40

    asyncio.run(main())
    assert most == 3


def test_what_fails_is_raised_and_the_next_is_looked_up() -> None:
    def fail() -> int:
        raise OSError("no directory")

    async def main() -> None:
        lookups = Lookups(1)
        with pytest.raises(OSError, match="no directory"):
            await lookups.run(1, fail)
        assert await lookups.run(1, lambda: 5) == 5

    asyncio.run(main())


def test_nothing_is_asked_for_root_and_in_a_trial() -> None:
    names = Names()

    async def main() -> None:
        with ThreadPoolExecutor(1) as reader:
            root = await names.standings(reader).see(peer(0), CallerKind.ROOT)
            trial = await names.standings(reader, RoleGroups()).see(peer(5), CallerKind.STRANGER)
            assert root.standing(peer(0)).role is None
            assert trial.standing(peer(5)).role is None
            assert trial.standing(peer(0)).role is Role.BOOTSTRAP

    asyncio.run(main())
    assert not names.asked


def test_a_role_hangs_on_both_the_process_and_the_account() -> None:
    seen = SeenGroups(0.0, GROUPS, NUMBERS, frozenset({2002}))
    assert seen.standing(peer(5, 2002)).role is Role.SECURITY
    assert seen.standing(peer(5, 9)).role is None
    assert seen._replace(present=frozenset()).standing(peer(5, 2002)).role is None
    assert seen._replace(present=frozenset({2002, 2003})).standing(peer(5, 2002)).role is None
    assert budgets.FRESH < budgets.LOOKUP

"""Subordinate uids: what runs under one ends with its owner, and nobody is ever taken for somebody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.kernel.open_files import HeldFile
from agent.offboard import proof
from agent.offboard.context import Account, RevocationContext, RevocationSubject
from agent.offboard.steps import holders, processes, tasks
from agent.offboard.steps.places import Login, accounts
from agent.offboard.steps.step import StepState
from agent.offboard.steps.subids import SubidLine, attributed, lines
from tests import needs
from tests.examples import examples
from tests.offboard.host import chain, child, context, unused_uid

UNSET = 0xFFFFFFFF  # the login uid of who never logged in

# --- whose they are -------------------------------------------------------------------------------

ZHANG = Account(61_001, ("zhang",))
LOGINS = (Login("root", 0, "/root"), Login("zhang", 61_001, "/home/zhang"), Login("li", 61_002, "/home/li"))

# Few borders, so that everything meets everything.
BORDERS = st.sampled_from([0, 999, 1000, 60_999, 61_001, 61_002, 65_534, 65_535, 100_000, 100_010, 165_536, 2**31])
OWNERS = st.sampled_from(["zhang", "61001", "li", "61002", "root", "nobody-here"])
LINES = st.lists(st.builds(lambda who, a, b: SubidLine(who, range(min(a, b), max(a, b) + 1)), OWNERS, BORDERS, BORDERS))
TAKEN = st.frozensets(BORDERS, max_size=2)
laws = examples(500)


@laws
@given(LINES, TAKEN)
def test_a_range_is_somebody_s_only_as_long_as_it_can_be_nobody_else_s(
    given: list[SubidLine], taken: frozenset[int]
) -> None:
    for mine in attributed(given, [ZHANG], LOGINS, taken):
        assert any(line.owner in ("zhang", "61001") and line.uids == mine for line in given)
        for other in (line.uids for line in given if line.owner not in ("zhang", "61001")):
            assert not range(max(mine.start, other.start), min(mine.stop, other.stop))
        assert not taken & set(mine)
        assert not {0, 61_001, 61_002, 65_534} & set(mine)
        assert min(mine) >= 1000
        assert max(mine) < 2**31


@laws
@given(LINES, TAKEN, LINES, TAKEN)
def test_what_is_given_to_others_or_taken_by_them_only_takes_away(
    given: list[SubidLine], taken: frozenset[int], more: list[SubidLine], others: frozenset[int]
) -> None:
    added = [line for line in more if line.owner not in ("zhang", "61001")]
    before, after = (
        attributed(given, [ZHANG], LOGINS, taken),
        attributed([*given, *added], [ZHANG], LOGINS, taken | others),
    )
    assert set(after) <= set(before)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("zhang:100000:65536\nli:165536:65536\n", [range(100_000, 165_536)]),
        ("61001:100000:65536\nzhang:300000:10\n", [range(100_000, 165_536), range(300_000, 300_010)]),
        ("zhang:100000:65536\nzhang:100100:10\n", [range(100_000, 165_536), range(100_100, 100_110)]),
        ("zhang:100000:65536\nli:165535:10\n", []),
        ("zhang:100000:65536\nzhang:500:10\n", [range(100_000, 165_536)]),
        ("zhang:61000:10\nzhang:65000:1000\nzhang:2147483640:100\n", []),
        ("zhang:100000:0\nzhang:x:1\nzhang:1\n# zhang:100000:1\nzhang:99999999999:1\n\xff:1:1\n\n", []),
    ],
)
def test_lines_of_the_file(text: str, found: list[range]) -> None:
    assert list(attributed(lines(text), [ZHANG], LOGINS, ())) == found


def test_a_name_that_two_accounts_have_gives_nobody_anything_and_a_system_account_has_none() -> None:
    given = lines("zhang:100000:10\nroot:200000:10\n0:300000:10\n")
    assert attributed(given, [ZHANG], [*LOGINS, Login("zhang", 61_003, "/")], ()) == ()
    assert attributed(given, [Account(0, ("root",))], LOGINS, ()) == ()


# --- real processes -------------------------------------------------------------------------------


@pytest.fixture
def below() -> Iterator[int]:
    with unused_uid() as found:
        yield found


def host(home: Path, text: str, **more: object) -> RevocationContext:
    (home / "host/etc").mkdir(parents=True, exist_ok=True)
    (home / "host/etc/subuid").write_text(text)
    return context(home, **more)


def person(uid: int, root: Path) -> RevocationSubject:
    return RevocationSubject("E1001", accounts([uid], root))


@needs.root
def test_what_runs_under_a_subordinate_uid_without_a_login_ends_and_is_in_the_plan(
    tmp_path: Path, uid: int, below: int
) -> None:
    here = host(tmp_path, f"{uid}:{below}:1\n")
    who = person(uid, here.root)
    with child(below, UNSET) as container, child(below, below) as logged_in:
        assert [target.affected for target in processes.find_targets(who, here)] == [None]
        assert [one.pid for one in proof.scan(who, here).remaining] == [container.pid]
        result = processes.run(who, here, "C1")
        assert (result.state, result.facts["killed"]) == (StepState.CONFIRMED, 1)
        assert (container.alive, logged_in.alive) == (False, True)  # somebody else logged in: it is theirs to end
        assert proof.scan(who, here).clean


@needs.root
@pytest.mark.parametrize(
    "given", ["{uid}:{below}:1\nli:{below}:1\n", "{uid}:{below}:1\n61999:1:99999\n", "", "li:{below}:1\n"]
)
def test_what_may_be_somebody_else_s_goes_on(tmp_path: Path, uid: int, below: int, given: str) -> None:
    here = host(tmp_path, given.format(uid=uid, below=below))
    with child(below, UNSET) as container:
        assert processes.run(person(uid, here.root), here, "C1").state is StepState.CONFIRMED
        assert container.alive


@needs.root
def test_a_registered_account_in_the_range_is_a_bystander_with_all_of_the_range(
    tmp_path: Path, uid: int, below: int
) -> None:
    here = host(tmp_path, f"{uid}:{below}:10\n", taken=lambda: [uid, below + 5])
    with child(below, UNSET) as container:
        processes.run(person(uid, here.root), here, "C1")
        assert container.alive


@needs.root
def test_a_chain_that_forks_every_half_millisecond_under_a_subordinate_uid_does_not_survive(
    tmp_path: Path, uid: int, below: int
) -> None:
    here = host(tmp_path, f"{uid}:{below}:1\n")
    with child(below, UNSET, chain):
        assert processes.run(person(uid, here.root), here, "C1").state is StepState.CONFIRMED
        assert not tasks.scan([below])


@needs.root
def test_of_who_stays_only_what_holds_classified_files_ends(tmp_path: Path, uid: int, below: int) -> None:
    with child(below, UNSET) as holder, child(below, UNSET) as free:
        here = host(
            tmp_path,
            f"{uid}:{below}:1\n",
            held=lambda _devices, **_of: [HeldFile(holder.pid, 1, 1, "fd", "")],
            devices=lambda: frozenset({1}),
        )
        assert not proof.staying(person(uid, here.root), here).holds
        assert holders.run(person(uid, here.root), here, "C1").state is StepState.CONFIRMED
        assert (holder.alive, free.alive) == (False, True)
        assert proof.staying(person(uid, here.root), here).holds

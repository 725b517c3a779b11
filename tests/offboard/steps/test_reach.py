"""How a process is a person's, case by case: each border of the rails, from both sides."""

import pytest

from agent.kernel.task_identity import TaskIdentity
from agent.offboard.guardrails import Process, Rails, Reach, ends, lends, mixed, reach

THEIRS, ELSE, BELOW = 62_001, 62_002, 165_536
RANGES = (range(BELOW, BELOW + 65_536),)


def process(ruid: int, euid: int, suid: int, fsuid: int, login: int | None, **more: object) -> Process:
    return Process(300, ruid, euid, suid, fsuid, login, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("uids", "login", "how", "ended"),
    [
        ((THEIRS,) * 4, None, Reach.ACCOUNT, True),
        ((ELSE, ELSE, THEIRS, ELSE), ELSE, Reach.ACCOUNT, True),
        ((0, 0, 0, 0), THEIRS, Reach.LOGIN, True),
        ((1, 1, 1, 1), THEIRS, Reach.SERVICE, False),
        ((999,) * 4, THEIRS, Reach.SERVICE, False),
        ((1000,) * 4, THEIRS, Reach.LOGIN, True),
        ((BELOW,) * 4, None, Reach.SUBORDINATE, True),
        ((BELOW + 65_535, 0, 0, 0), None, Reach.SUBORDINATE, True),
        ((0, 0, BELOW, 0), None, Reach.SUBORDINATE, True),
        ((BELOW - 1,) * 4, None, Reach.BYSTANDER, False),
        ((BELOW + 65_536,) * 4, None, Reach.BYSTANDER, False),
        ((0, BELOW, 0, BELOW), None, Reach.BYSTANDER, False),
        ((BELOW,) * 4, ELSE, Reach.BYSTANDER, False),  # who logged in says more than who may take a uid
        ((0, THEIRS, 0, 0), None, Reach.ACTING, False),
        ((0, 0, 0, THEIRS), None, Reach.ACTING, False),
        ((0, THEIRS, 0, THEIRS), None, Reach.ACTING, False),
        ((THEIRS, THEIRS, 0, THEIRS), None, Reach.ACTING, False),  # smbd
        ((ELSE,) * 4, ELSE, Reach.BYSTANDER, False),
        ((ELSE,) * 4, None, Reach.BYSTANDER, False),
    ],
)
def test_how_it_is_theirs(uids: tuple[int, int, int, int], login: int | None, how: Reach, ended: bool) -> None:
    one = process(*uids, login)
    assert reach(one, {THEIRS}, Rails(), RANGES) is how
    assert ends(one, {THEIRS}, Rails(), holds=False, below=RANGES) is ended
    assert ends(one, {THEIRS}, Rails(), holds=True, below=RANGES) is (ended or how is Reach.SERVICE)


@pytest.mark.parametrize(
    ("uids", "both"),
    [((0, 0, 0), False), ((0, THEIRS, 0), True), ((THEIRS, 0, THEIRS), True), ((THEIRS, ELSE, THEIRS), False)],
)
def test_root_and_somebody_else_at_once(uids: tuple[int, int, int], both: bool) -> None:
    assert mixed(TaskIdentity(*uids, 0, None)) is both


@pytest.mark.parametrize(
    ("state", "threads", "over", "stuck"),
    [
        ("S", 1, False, False), ("D", 1, False, True), ("Z", 1, True, False), ("Z", 0, True, False),
        ("Z", 2, False, True), ("X", 1, True, False), ("X", 2, False, True), ("D", 2, False, True),
        ("S", 2, False, False),
    ],
)  # fmt: skip
def test_what_has_ended_and_what_waits_in_the_kernel(state: str, threads: int, over: bool, stuck: bool) -> None:
    one = process(THEIRS, THEIRS, THEIRS, THEIRS, None, state=state, threads=threads)
    assert (one.ended, one.uninterruptible) == (over, stuck)


@pytest.mark.parametrize(
    ("uids", "more", "does"),
    [
        ((0, 0, 0), {"name": "smbd"}, True),
        ((0, 0, 0), {"name": "sshd"}, False),
        ((THEIRS, THEIRS, THEIRS), {"name": "smbd"}, False),
        ((THEIRS, THEIRS, 0), {"name": "x"}, True),
        ((0, 0, THEIRS), {"name": "x"}, True),
        ((0, THEIRS, 0), {"name": "x"}, False),
        ((0, 0, 0), {"name": "smbd", "raised": True}, False),
        ((0, 0, 0), {"name": "smbd", "state": "Z"}, False),
    ],
)
def test_who_lends_itself_to_uids(uids: tuple[int, int, int], more: dict[str, object], does: bool) -> None:
    assert lends(process(*uids, 0, None, **more)) is does


def test_one_thread_is_enough_to_lend() -> None:
    plain = frozenset((TaskIdentity(THEIRS, THEIRS, THEIRS, THEIRS, None),))
    assert lends(process(0, 0, 0, 0, None, name="smbd", other_threads=plain))
    assert lends(process(THEIRS, THEIRS, 0, THEIRS, None, name="x", other_threads=plain))
    assert not lends(process(0, 0, 0, 0, None, name="x", other_threads=plain))


@pytest.mark.parametrize(("raised", "how"), [(True, Reach.ACCOUNT), (False, Reach.SERVICE)])
def test_what_somebody_got_root_s_rights_by_serves_nobody(raised: bool, how: Reach) -> None:
    theirs = frozenset((TaskIdentity(THEIRS, THEIRS, THEIRS, THEIRS, None),))
    assert reach(process(ELSE, 0, ELSE, ELSE, ELSE, raised=raised, other_threads=theirs), {THEIRS}, Rails()) is how

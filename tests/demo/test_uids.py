"""The demo's people are nobody's: no account's, no running process's, and no other demo's at the same time."""

import pwd
import signal
from contextlib import ExitStack

import pytest

from agent.demo.actors import UNSET, ActorIdentity, acting
from agent.demo.uids import unused_uids
from agent.errors import RefusedError
from tests import needs

PEOPLE = 7


def test_demos_that_run_side_by_side_share_nobody() -> None:
    with ExitStack() as stack:
        blocks = [range(uid, uid + PEOPLE) for uid in (stack.enter_context(unused_uids(PEOPLE)) for _ in range(5))]
    assert len({uid for block in blocks for uid in block}) == 5 * PEOPLE
    assert {entry.pw_uid for entry in pwd.getpwall()}.isdisjoint(uid for block in blocks for uid in block)


@needs.root
@pytest.mark.parametrize("login", [False, True], ids=["by uid", "by login"])
def test_a_uid_that_a_process_runs_under_is_left_alone(login: bool) -> None:
    with unused_uids(PEOPLE) as uid:
        theirs = uid + PEOPLE - 1
    who = ActorIdentity(0, theirs) if login else ActorIdentity(theirs, UNSET)
    with acting(who, lambda say: (say("here"), signal.pause())) as actor:
        assert actor.next().allowed
        with unused_uids(PEOPLE) as uid:
            assert theirs not in range(uid, uid + PEOPLE)


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(RefusedError), unused_uids(10_000):
        pass

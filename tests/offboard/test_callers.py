"""A caller is one process for all time: neither its end nor a number that is given again protects anybody."""

import os
import subprocess
import sys

from agent.offboard.callers import Caller, caller, living


def test_a_caller_counts_as_long_as_it_lives_and_under_its_own_start() -> None:
    me = caller(os.getpid())
    assert me
    assert living([me]) == {os.getpid()}
    assert living([me._replace(started=me.started + 1)]) == frozenset()
    assert living([Caller(os.getpid(), 0)]) == frozenset()


def test_who_has_ended_is_nobody() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        known = caller(child.pid)
        assert known
        assert living([known]) == {child.pid}
        child.communicate(b"\n")
    assert caller(child.pid) is None
    assert living([known]) == frozenset()

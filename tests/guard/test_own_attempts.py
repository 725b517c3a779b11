"""What the agent announced of its own attempts: one process, for a while, and it changes no verdict."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from agent.guard.objects import Object
from agent.guard.own_attempts import CANARY, DEPARTURE, LASTS, MOST, OwnAttempts, SeenAttempt
from agent.guard.verdicts import NEVER, CachedVerdict
from agent.kernel.subject import Subject

UID = 2_146_000_000
DENIED = CachedVerdict(passes=False, until=NEVER, fields=b"", allow=False, rule="nobody", owed=True)
ALLOWED = replace(DENIED, passes=True, allow=True, rule="allow")
OBSERVED = replace(DENIED, passes=True, owed=False)
WHO = Subject(UID, None, UID, 1, b"", b"", None, b"")
THING = Object(("plans",), directory=False, path=b"/a", device=7, inode=2, fields=b"")


@pytest.fixture
def child() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


@pytest.fixture
def own() -> Iterator[OwnAttempts]:
    made = OwnAttempts()
    yield made
    for one in made.announced.values():
        os.close(one.process)


def test_a_canary_is_seen_and_leaves_no_entry_and_what_was_let_in_leaves_one(own: OwnAttempts, child: int) -> None:
    made = own.announce(child, CANARY, 0, uid=UID, inodes={(7, 2)})
    assert made is not None
    assert own.watched((7, 2))
    event = child, WHO, THING
    assert own.answer(event, "open", DENIED, b"x", 1) == (False, b"", False, True)
    assert own.answer(event, "access", OBSERVED, b"x", 1) == (True, b"", False, False)
    assert own.answer(event, "open", ALLOWED, b"x", 1) == (True, b'x,"own":"canary"', False, True)
    own.unseen(child)
    ended = own.end(made.number)
    assert ended is made
    assert made.attempts == [
        SeenAttempt("open", 7, 2, False, "nobody"),
        SeenAttempt("access", 7, 2, True, "nobody"),
        SeenAttempt("open", 7, 2, True, "allow"),
        SeenAttempt("unseen", 0, 0, False, ""),
    ]
    assert own.end(made.number) is None
    assert not own.watched((7, 2))
    assert own.denied == 1


@pytest.mark.parametrize(
    ("who", "thing", "moment"),
    [
        (replace(WHO, fsuid=61001), THING, 1),
        (None, THING, 1),
        (WHO, replace(THING, inode=3), 1),
        (WHO, replace(THING, device=8), 1),
        (WHO, THING, LASTS),
    ],
)
def test_anything_else_of_that_thread_is_nobodys(own: OwnAttempts, child: int, who, thing, moment: int) -> None:
    own.announce(child, CANARY, 0, uid=UID, inodes={(7, 2)})
    assert own.answer((child, who, thing), "open", DENIED, b"x", moment) is None


def test_an_attempt_of_a_departure_is_marked_whatever_it_meets_and_for_as_long_as_it_lives(
    own: OwnAttempts, child: int
) -> None:
    own.announce(child, DEPARTURE, 0)
    event = child, replace(WHO, fsuid=61001), THING
    assert own.answer(event, "open", DENIED, b"x", 1000 * LASTS) == (False, b'x,"own":"departure"', False, True)
    os.kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert own.answer(event, "open", DENIED, b"x", 1) is None, "another process may have this number now"
    own.forget_ended(1)
    assert not own.announced


def test_a_process_that_is_gone_is_not_announced_and_no_more_than_so_many_are(own: OwnAttempts, child: int) -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
        assert own.announce(gone.pid, CANARY, 0) is None
    for number in range(MOST):
        own.announced[-number] = own.announce(child, CANARY, 0)  # type: ignore[assignment]
        own.announced.pop(child)
    with pytest.raises(ValueError, match="too many"):
        own.announce(child, CANARY, 0)

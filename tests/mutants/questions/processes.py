"""Which processes are ended: both ways count, because what is spared goes on reading and what is hit was somebody's."""

import random
from collections.abc import Collection, Iterator

from agent.kernel.task_identity import TaskIdentity
from agent.offboard.guardrails import Process, Rails, ends, lends, mixed, ordinary, reach, sweepable
from tests.mutants.asking import Question

_THEIRS = 62_001
_UIDS = (*[_THEIRS] * 6, 0, 1, 33, 999, 1000, 1001, 65534, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 165_536)
_BELOW = ((), (range(165_536, 231_072),))
_PROGRAMS = ("/usr/sbin/backup", "/bin/sh", "")
_MANY = 6_000


def questions() -> Iterator[Question]:
    """Yield the questions."""
    chance = random.Random(4)
    for _ in range(_MANY):
        process, rails = _process(chance), _rails(chance)
        uids = frozenset(chance.choice(_UIDS) for _ in range(chance.randrange(1, 4)))
        yield judged, (process, uids, rails, chance.choice(_BELOW))
        yield swept, (chance.choice(_UIDS), [_process(chance) for _ in range(2)])


def judged(process: Process, uids: frozenset[int], rails: Rails, below: tuple[range, ...]) -> Collection[str]:
    """What becomes of a process, holding classified data or not."""
    found = [
        f"holding {holds}: ended {ends(process, uids, rails, holds=holds, below=below)}" for holds in (False, True)
    ]
    found.append(f"reached as {reach(process, uids, rails, below)}")
    found.append(f"lends {lends(process)}, over {process.ended}, stuck {process.uninterruptible}")
    return [*found, f"mixed {sum(map(mixed, process.identities))}"]


def swept(uid: int, protected: list[Process]) -> Collection[str]:
    """Whether everything of a uid may be ended with one call."""
    return [f"swept {sweepable(uid, protected)}", f"swept alone {sweepable(uid, ())}", f"ordinary {ordinary(uid)}"]


def _process(chance: random.Random) -> Process:
    def uid() -> int:
        return chance.choice(_UIDS)

    others = frozenset(
        TaskIdentity(uid(), uid(), uid(), uid(), chance.choice((None, uid())))
        for _ in range(chance.choice((0, 0, 0, 1, 2)))
    )
    return Process(
        pid=chance.choice((-1, 0, 1, 2, 300, 301)),
        ruid=uid(),
        euid=uid(),
        suid=uid(),
        fsuid=uid(),
        login=chance.choice((None, uid())),
        state=chance.choice("SSSSDZX"),
        threads=chance.choice((0, 1, 1, 2)),
        name=chance.choice(("smbd", "smbd[10.0.0.1]", "sshd", "")),
        executable=chance.choice(_PROGRAMS),
        other_threads=others,
        raised=chance.random() < 0.3,
    )


def _rails(chance: random.Random) -> Rails:
    pids = frozenset(chance.choice((2, 300, 301)) for _ in range(chance.randrange(3)))
    services = frozenset((chance.choice(_UIDS), chance.choice(_PROGRAMS)) for _ in range(chance.randrange(3)))
    return Rails(pids, services)

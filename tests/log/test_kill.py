"""SIGKILL under load: no entry that was acknowledged is lost, in either mode, and the log goes on without a gap."""

import random

import pytest

from agent.log.append import Appender
from agent.log.verify import verify
from tests.log.disk import acknowledged, killed, writer

ROUNDS = 15


@pytest.mark.parametrize("durability", ["power", "process"])
def test_no_acknowledged_entry_is_lost_when_the_appender_is_killed(folder, durability):
    chance = random.Random(durability)
    last = 0
    for _ in range(ROUNDS):
        with writer(folder, durability, segment_bytes=20_000) as process:
            last = acknowledged(process, chance.randrange(1, 200))
            last = max(last, killed(process))
        with Appender(folder, "process") as log:
            assert log.next_seq > last
            begun_anew = log.next_seq
        report = verify(folder)
        assert report.ok, report.problems
        assert (report.first, report.last) == (1, begun_anew - 1)
    assert len(list(folder.glob("*.jsonl"))) > 1

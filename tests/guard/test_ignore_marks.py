"""When data may pass unasked: only on a look that nothing has overtaken. A real loop, without a kernel's groups."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.control.decider_client import DeciderConnection
from agent.guard.ignore_marks import IgnoreMarks
from tests.guard.running import deciding

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")  # Python 3.12 on


@pytest.fixture
def decider(tmp_path: Path) -> Iterator[DeciderConnection]:
    opens, opening = os.pipe()
    os.set_blocking(opens, False)
    with deciding(tmp_path, opens) as (connection, _):
        yield connection
    os.close(opens)
    os.close(opening)


def test_a_look_counts_only_if_nothing_had_to_be_asked_about_again_since_it_began(decider: DeciderConnection) -> None:
    epoch, before = decider.stats()["epoch"], decider.silences()
    assert decider.silences() == before
    decider.epoch(epoch)  # somebody left a room: verdicts are others, and the epoch is the same
    assert not decider.quiet(epoch, before, (), ())
    assert decider.quiet(epoch, decider.silences(), (), ())


def test_whoever_may_look_is_told_when_everything_is_asked_about_again(decider: DeciderConnection) -> None:
    decider.unasked()
    decider.epoch(decider.stats()["epoch"])
    assert "flushed" in decider.unasked()


def test_silence_ends_with_the_first_verdict_that_anything_is_held_by() -> None:
    silence = IgnoreMarks(-1)
    silence.grant(())
    assert silence.remaining(0) > 10**18
    silence.opened(5 * 10**9)
    silence.opened(9 * 10**9)
    assert 0 < 5 * 10**9 - silence.remaining(0) < 10**8
    silence.end()
    assert silence.remaining(0) > 10**18


def test_an_epoch_that_the_registry_has_not_reached_is_no_reason_to_believe_the_registry(
    decider: DeciderConnection,
) -> None:
    before = decider.stats()
    assert not before["registry_older"]
    decider.epoch(before["epoch"] + 1)
    assert decider.stats()["registry_older"]
    assert decider.stats()["epoch"] == before["epoch"] + 1


def test_so_many_that_were_forgotten_make_everything_loud_and_are_not_kept() -> None:
    silence = IgnoreMarks(-1)
    silence.grant(())
    before = silence.ended
    for number in range(100_000):
        silence.doubt([(1, number)])
    assert not silence.granted
    assert silence.ended > before, "a look that began earlier does not count"
    assert silence.wants_look(10**12)
    assert len(silence._recent) <= 65_536  # noqa: SLF001 - what it keeps is what is tested

"""What an attempt proves: only EPERM with the guard's own record of that very attempt."""

import errno
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.volumes.canary.verdict import REASONS, CanaryTry, WitnessedEvent, judge

TOP, FILE, OTHER = (7, 1), (7, 2), (7, 3)
DENIED = (WitnessedEvent("open", TOP, passed=False), WitnessedEvent("open", FILE, passed=False),
          WitnessedEvent("access", FILE, passed=False))  # fmt: skip


def tries(*errors: int | None) -> list[CanaryTry]:
    return [CanaryTry(what, inode, error) for (what, inode), error in
            zip((("list", TOP), ("open", FILE), ("read", FILE)), errors, strict=False)]  # type: ignore[arg-type]  # fmt: skip


def test_every_attempt_refused_and_recorded_is_a_proof() -> None:
    judged = judge(tries(*[errno.EPERM] * 3), DENIED, over=False, enforced=True)
    assert (judged.outcome, judged.proven, judged.reason) == ("seen", ("list", "open", "read"), "")


@given(
    st.lists(st.sampled_from([None, 0, errno.EPERM, errno.EACCES, errno.EIO, errno.ENOENT]), min_size=1, max_size=3),
    st.one_of(st.none(), st.sets(st.sampled_from(DENIED))),
    st.booleans(),
)
def test_seen_is_said_only_of_eperm_with_its_own_record(
    errors: list[int | None], seen: set[WitnessedEvent] | None, over: bool
) -> None:
    judged = judge(tries(*errors), seen, over=over, enforced=True)
    proof = all(error == errno.EPERM for error in errors) and set(DENIED[: len(errors)]) <= (seen or set())
    assert (judged.outcome == "seen") == proof
    assert bool(judged.reason) != proof
    assert judged.reason in {"", *REASONS}
    if 0 in errors:
        assert judged.outcome == "missing"


@pytest.mark.parametrize("foreign", [(), DENIED[1:], [WitnessedEvent("open", OTHER, passed=False)]])
def test_somebody_elses_eperm_is_none(foreign: tuple[WitnessedEvent, ...]) -> None:
    judged = judge(tries(errno.EPERM), foreign, over=False, enforced=True)
    assert (judged.outcome, judged.reason, judged.proven) == ("missing", "unrecorded", ())


def test_eacces_is_none_and_says_which_error_it_was() -> None:
    judged = judge(tries(errno.EACCES), DENIED, over=False, enforced=True)
    assert (judged.outcome, judged.reason, judged.error) == ("unknown", "refused", "EACCES")


@pytest.mark.parametrize(
    ("error", "seen", "over", "why"),
    [
        (errno.EPERM, None, True, "decider"),
        (errno.EPERM, (), True, "late"),
        (errno.EPERM, [WitnessedEvent("late", TOP, passed=False)], False, "late"),
        (errno.EPERM, [WitnessedEvent("unseen", (0, 0), passed=False)], False, "late"),
        (None, (), False, "silent"),
    ],
)
def test_what_the_guard_could_not_be_asked_about_in_time_is_unknown(error, seen, over, why) -> None:
    judged = judge(tries(error), seen, over=over, enforced=True)
    assert (judged.outcome, judged.reason) == ("unknown", why)


@pytest.mark.parametrize(("error", "recorded"), list(itertools.product((0, errno.EPERM), (True, False))))
def test_where_nothing_is_refused_the_record_is_the_proof(error: int, recorded: bool) -> None:
    seen = [WitnessedEvent("open", TOP, passed=error == 0)] if recorded else []
    judged = judge(tries(error), seen, over=False, enforced=False)
    assert judged.outcome == ("seen" if recorded else "missing")

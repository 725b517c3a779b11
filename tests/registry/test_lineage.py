"""Registry against log, as pure data: every order of crash and restore."""

import pytest

from agent.registry.lineage import LogEvidence, LoggedAct, RecordedChange, StoreRelation, compare

_AT = RecordedChange(10, 7, "g")  # the registry's last change, which the log has


def done(seq: int, epoch: int) -> LoggedAct:
    return LoggedAct(seq, epoch, f"c{epoch}", completed=True)


def undone(seq: int, epoch: int) -> LoggedAct:
    return LoggedAct(seq, epoch, f"c{epoch}", completed=False)


def noted(epoch: int) -> dict[str, object]:
    return {"epoch": epoch, "change": f"c{epoch}", "act": "hold.add"}


def held(
    *acts: LoggedAct, in_force: int = 7, intent: dict[str, object] | None = None, epoch: int = 7, last: int = 30
) -> StoreRelation:
    return compare(epoch, _AT, LogEvidence(last, _AT, acts, in_force), intent)


def test_nothing_behind_the_last_change_is_good_order() -> None:
    assert held() == StoreRelation(proven=7, highest=7, since=10)
    assert held(intent=noted(7)) == held()  # killed after the commit, before the intent was cleared
    assert held(intent=noted(8)) == held()  # killed before the append


def test_killed_between_append_and_commit_is_an_act_that_was_not_completed() -> None:
    found = held(done(11, 8), intent=noted(8))
    assert (found.older, found.unfinished, found.proven) == (False, noted(8), 7)
    after = held(done(11, 8), undone(12, 8))
    assert (after.older, after.unfinished, after.highest) == (False, None, 8)
    again = held(done(11, 8), undone(12, 8), done(13, 8), intent=noted(8))
    assert (again.older, again.unfinished) == (False, noted(8))


@pytest.mark.parametrize(
    ("acts", "in_force", "intent"),
    [
        ((done(11, 8),), 7, None),  # one act earlier: its intent is cleared once it is committed
        ((done(11, 8),), 8, noted(8)),  # something was decided under it
        ((done(11, 8), done(12, 9)), 7, noted(8)),  # another act followed
        ((done(11, 8), done(12, 9), done(13, 10)), 7, noted(7)),
        ((), 8, None),  # the act itself is not seen, and its epoch is
        ((done(11, 8),), 7, {"epoch": 8, "change": "another"}),
    ],
)
def test_what_the_log_proves_beyond_the_registry_makes_it_older(
    acts: tuple[LoggedAct, ...], in_force: int, intent: dict[str, object] | None
) -> None:
    found = held(*acts, in_force=in_force, intent=intent)
    assert found.older
    assert found.unfinished is None
    assert found.proven == max(7, in_force, *(act.epoch for act in acts), 0)


def test_an_older_registry_and_an_act_cut_short_are_two_things() -> None:
    found = held(done(11, 8), done(12, 9), in_force=8, intent=noted(9))
    assert (found.older, found.unfinished, found.proven, found.highest) == (True, noted(9), 8, 9)


def test_a_registry_that_remembers_nothing_is_held_by_its_epoch() -> None:
    seen = LogEvidence(30, None, (LoggedAct(5, 6, "", completed=True), LoggedAct(6, 7, "", completed=True)), 7)
    assert not compare(7, None, seen, {"epoch": 7}).older
    assert compare(6, None, seen, None).older
    killed = compare(6, None, seen._replace(in_force=6), {"epoch": 7})
    assert (killed.older, killed.unfinished) == (False, {"epoch": 7})


def test_a_log_without_the_registrys_changes_is_shorter_and_closes_nothing() -> None:
    earlier = RecordedChange(8, 6, "f")
    found = compare(7, _AT, LogEvidence(8, earlier, (), 6), None)
    assert (found.older, found.log_short, found.since) == (False, True, 8)
    gone = compare(7, _AT, LogEvidence(0, None, (), 0), None)
    assert (gone.older, gone.log_short, gone.since) == (False, True, 0)


def test_two_that_went_different_ways_are_apart_whichever_has_the_higher_epoch() -> None:
    earlier = RecordedChange(8, 6, "f")
    for epoch in (7, 70):
        found = compare(epoch, _AT, LogEvidence(20, earlier, (LoggedAct(12, 7, "other", completed=True),), 7), None)
        assert (found.older, found.log_short, found.since) == (True, False, 8)
    assert compare(7, _AT, LogEvidence(20, earlier, (), 6, whole=False), None).older

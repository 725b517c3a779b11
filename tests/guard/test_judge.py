"""One event, several areas, several people: what comes of it, whoever is asked first (contracts C4, C5)."""

import json
from collections.abc import Iterator
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import pytest

from agent.guard.verdicts import Answer
from tests.guard.judging import AREAS, CLEARED, STRANGER, UNCLEARED, Judging, passes, thing, thread

SEVERAL = [areas for size in (1, 2, 3) for areas in permutations(AREAS, size)]
PEOPLE = (CLEARED, UNCLEARED, STRANGER)


@pytest.fixture
def judging(tmp_path: Path) -> Iterator[Judging]:
    with Judging(tmp_path) as made:
        yield made


def entries(answer: Answer) -> list[dict[str, Any]]:
    return [json.loads(b"{%b}" % text) for text in answer[1].split(b"\n") if text]


@pytest.mark.parametrize("uid", PEOPLE)
def test_an_open_passes_only_where_every_enforced_area_allows(judging: Judging, uid: int) -> None:
    for number, areas in enumerate(SEVERAL):
        passed, _, silent, owed = judging.opens(thread(uid), thing(*areas, inode=number))
        assert (passed, silent) == (passes([uid], areas), False), areas
        assert owed or areas == ("watch",)


def test_beside_an_observed_denial_an_enforced_allow_is_no_reason_to_say_allowed(judging: Judging) -> None:
    """The entry says what would have been denied; the open passes, and only with its entry."""
    for areas in (("notes", "watch"), ("watch", "notes")):
        answer = judging.opens(thread(UNCLEARED), thing(*areas))
        [entry] = entries(answer)
        told = (entry["verdict"], entry["area"], entry["mode"], entry["enforced"])
        assert (answer[0], answer[3], *told) == (True, True, "deny", "watch", "observe", False)


def test_beside_an_observed_denial_an_enforced_denial_denies_and_is_the_one_that_is_told(judging: Judging) -> None:
    for areas in (("plans", "watch"), ("watch", "plans"), ("notes", "watch", "plans")):
        answer = judging.opens(thread(UNCLEARED), thing(*areas))
        [entry] = entries(answer)
        assert (answer[0], entry["verdict"], entry["area"], entry["enforced"]) == (False, "deny", "plans", True)


@pytest.mark.parametrize("by", [some for size in (1, 2, 3) for some in permutations(PEOPLE, size)])
def test_what_several_people_opened_in_a_server_is_used_only_if_all_of_them_may(
    judging: Judging, by: tuple[int, ...]
) -> None:
    for number, areas in enumerate(SEVERAL):
        what = thing(*areas, inode=number)
        judging.opened(by, what)
        for tid, uid in enumerate((0, *PEOPLE), 5_000):  # a worker thread has the identity of anybody
            answer = judging.uses(thread(uid, tid, server=True), what)
            assert answer[0] == passes(by, areas), (areas, uid)
            assert answer[0] or {one["verdict"] for one in entries(answer)} == {"deny"}


@pytest.mark.parametrize("by", [some for size in (0, 1, 2) for some in combinations(PEOPLE, size)])
def test_a_thread_that_acts_for_nobody_counts_beside_who_opened_the_file(judging: Judging, by: tuple[int, ...]) -> None:
    for number, areas in enumerate(SEVERAL):
        what = thing(*areas, inode=number)
        judging.opened(by, what)
        for uid in PEOPLE:
            assert judging.uses(thread(uid), what)[0] == passes([uid], areas)  # another process: nobody opened it there


def test_what_nobody_is_known_to_have_opened_in_a_server_passes_only_where_it_is_observed(judging: Judging) -> None:
    judging.opened([CLEARED], thing("plans", inode=99))
    for number, areas in enumerate(SEVERAL):
        answer = judging.uses(thread(CLEARED, 5_000, server=True), thing(*areas, inode=number))
        assert answer[0] == (areas == ("watch",)), areas


def test_nobody_to_be_found_opens_or_uses_nothing_that_is_enforced(judging: Judging) -> None:
    for areas in SEVERAL:
        for ask in (judging.judge.open, lambda what, fd, *rest: judging.judge.access(what, *rest)):
            answer = ask(thing(*areas), -1, 9_999, 0)
            assert answer is not None
            assert answer[0] == (areas == ("watch",)), areas


def test_a_worker_of_an_io_uring_in_a_server_opens_nothing_that_is_enforced(judging: Judging) -> None:
    worker = thread(CLEARED, 5_000, server=True)
    worker.worker = True
    for areas in SEVERAL:
        assert judging.opens(worker, thing(*areas))[0] == (areas == ("watch",)), areas


def test_where_everything_is_only_observed_nothing_is_denied_and_denials_are_told(judging: Judging) -> None:
    judging.policy.only_observes = True
    for number, areas in enumerate(SEVERAL):
        what = thing(*areas, inode=number)
        judging.opened([CLEARED, STRANGER], what)
        answers = judging.opens(thread(STRANGER), what), judging.uses(thread(0, 5_000, server=True), what)
        assert [(answer[0], answer[3]) for answer in answers] == [(True, False)] * 2
        assert {one["verdict"] for one in entries(answers[0])} == {"deny"}  # of the use nobody's is told again


def test_silence_needs_everybody_who_has_the_file_open_to_be_allowed(judging: Judging) -> None:
    judging.silence.grant(())
    both, own = thing("plans", inode=1), thing("plans", inode=2)
    judging.opened([CLEARED, UNCLEARED], both)
    judging.opened([CLEARED], own)
    assert not judging.uses(thread(CLEARED), both)[2]
    assert judging.uses(thread(CLEARED), own)[2]
    assert not judging.uses(thread(CLEARED), thing("plans", "notes", inode=3))[2]


@pytest.mark.parametrize("uid", PEOPLE)
def test_a_server_of_which_nothing_is_known_uses_nothing_that_is_enforced(judging: Judging, uid: int) -> None:
    for number, areas in enumerate(SEVERAL):
        answer = judging.uses(thread(uid, 5_000, server=True), thing(*areas, inode=number))
        assert (answer[0], answer[2]) == (areas == ("watch",), False), areas


@pytest.mark.parametrize("by", [some for size in (1, 2) for some in combinations(PEOPLE, size)])
def test_a_denied_use_is_never_silent_and_an_enforced_one_passes_only_with_its_entry(
    judging: Judging, by: tuple[int, ...]
) -> None:
    judging.silence.grant(())
    for number, areas in enumerate(SEVERAL):
        what = thing(*areas, inode=number)
        judging.opened(by, what)
        passed, _, silent, owed = judging.uses(thread(0, 5_000, server=True), what)
        assert passed == passes(by, areas)
        assert passed or (silent, owed) == (False, True)
        assert owed or areas == ("watch",)

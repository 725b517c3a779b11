"""Being somebody else: rows 15 to 18 of the list in ``docs/limits.md`` (contract C4).

The persons behind an open are the one of the thread's file-system uid and the one of its login uid; both must be
allowed. An unset login uid is nobody's, and root is nobody.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.demo.actors import ActorIdentity, attempt, reading
from tests.enforcement import syscalls
from tests.enforcement.scene import BYSTANDER, CLEARED, NO_LOGIN, TOO_LOW, UNKNOWN, Scene, error_of, scene

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-subjects")]

NOBODYS = 61998  # a uid of no person


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene() as made:
        yield made


WHO = [
    # file-system uid, login uid, who that is, allowed
    (CLEARED.uid, NO_LOGIN, "a cleared person's own service", True),
    (CLEARED.uid, CLEARED.uid, "a cleared person logged in", True),
    (0, CLEARED.uid, "a cleared person through sudo", True),
    (BYSTANDER.uid, CLEARED.uid, "su between two cleared persons", True),
    (0, TOO_LOW.uid, "sudo by somebody without clearance", False),
    (CLEARED.uid, TOO_LOW.uid, "su into a cleared account by somebody without clearance", False),
    (TOO_LOW.uid, CLEARED.uid, "su into an account without clearance", False),
    (0, NOBODYS, "sudo by nobody known", False),
    (CLEARED.uid, NOBODYS, "su into a cleared account by nobody known", False),
    (CLEARED.uid, 0, "su into a cleared account by root logged in", False),
    (0, 0, "root logged in", False),
    (0, NO_LOGIN, "root without a login: a service or nobody", False),
    (NOBODYS, CLEARED.uid, "su into an account of nobody known", False),
    (NOBODYS, NO_LOGIN, "nobody known", False),
]


@pytest.mark.parametrize(
    ("uid", "login", "allowed"), [(u, n, ok) for u, n, _, ok in WHO], ids=[w for _, _, w, _ in WHO]
)
def test_row_16_both_uids_behind_an_open_must_be_allowed(site: Scene, uid: int, login: int, *, allowed: bool) -> None:
    site.mark()
    outcome = attempt(ActorIdentity(uid, login), reading(site.plans / "doc.txt"))
    assert outcome.error == ("" if allowed else "EPERM")
    entry = next(entry for entry in site.accesses() if entry["action"] == "open")
    assert (entry["fsuid"], entry["loginuid"]) == (uid, None if login == NO_LOGIN else login)
    assert entry["verdict"] == ("allow" if allowed else "deny")
    persons = {CLEARED.uid: "E1", TOO_LOW.uid: "E2", BYSTANDER.uid: "E3"}
    assert (entry["person"], entry["login_person"]) == (persons.get(uid), persons.get(login))


def serving(site: Scene, uids: list[int], rounds: int) -> Callable[[], list[list[object]]]:
    """A file server: a process of root whose threads take a person's file-system uid and open files for him."""

    def serve(uid: int) -> list[object]:
        syscalls.set_fs_ids(uid)
        tries = [error_of(lambda: os.close(os.open(site.plans / "doc.txt", os.O_RDONLY))) for _ in range(rounds)]
        return [uid, threading.get_native_id(), sorted(set(tries))]

    def act() -> list[list[object]]:
        with ThreadPoolExecutor(len(uids)) as pool:
            ready = threading.Barrier(len(uids))  # every person has a thread of his own, and all are at it at once
            return list(pool.map(lambda uid: (ready.wait(30), serve(uid))[1], uids))

    return act


def test_row_15_every_thread_of_a_file_server_is_the_person_it_serves(site: Scene) -> None:
    uids = [CLEARED.uid, TOO_LOW.uid, BYSTANDER.uid, UNKNOWN.uid, 0, CLEARED.uid, TOO_LOW.uid, 0]
    site.mark()
    served = attempt(ActorIdentity(0, NO_LOGIN), serving(site, uids, 100), 30).value
    fates = {CLEARED.uid: [""], BYSTANDER.uid: [""], TOO_LOW.uid: ["EPERM"], UNKNOWN.uid: ["EPERM"], 0: ["EPERM"]}
    assert [(uid, said) for uid, _, said in served] == [(uid, fates[uid]) for uid in uids]
    recorded = {(entry["fsuid"], entry["tid"]) for entry in site.accesses()}
    assert recorded == {(uid, tid) for uid, tid, _ in served}
    assert len({entry["pid"] for entry in site.accesses()}) == 1


def test_row_15_a_thread_that_serves_one_person_after_the_other_is_each_in_turn(site: Scene) -> None:
    turns = [CLEARED.uid, TOO_LOW.uid, BYSTANDER.uid, TOO_LOW.uid, 0, CLEARED.uid] * 20

    def act() -> list[str]:
        fates = []
        for uid in turns:
            syscalls.set_fs_ids(uid)
            fates.append(error_of(lambda: os.close(os.open(site.plans / "doc.txt", os.O_RDONLY))))
            syscalls.set_fs_ids(0)
        return fates

    allowed = (CLEARED.uid, BYSTANDER.uid)
    assert attempt(ActorIdentity(0, NO_LOGIN), act, 30).value == ["" if uid in allowed else "EPERM" for uid in turns]


def two_threads(site: Scene, main: int, other: int) -> Callable[[], list[str]]:
    def act() -> list[str]:
        said: list[str] = []

        def opening(uid: int) -> None:
            syscalls.set_fs_ids(uid)
            said.append(error_of(lambda: os.close(os.open(site.plans / "doc.txt", os.O_RDONLY))))

        opening(main)
        thread = threading.Thread(target=opening, args=(other,))
        thread.start()
        thread.join()
        opening(main)
        return said

    return act


def test_row_17_a_thread_is_not_taken_for_its_process(site: Scene) -> None:
    """Whichever of the two is cleared, the main thread or the other one, only that one gets through."""
    for main, other in ((CLEARED.uid, TOO_LOW.uid), (TOO_LOW.uid, CLEARED.uid), (0, CLEARED.uid), (CLEARED.uid, 0)):
        fate = ["" if uid == CLEARED.uid else "EPERM" for uid in (main, other, main)]
        assert attempt(ActorIdentity(0, NO_LOGIN), two_threads(site, main, other)).value == fate


def test_row_18_a_forged_name_is_recorded_as_claimed_and_the_program_as_it_is(site: Scene) -> None:
    def act() -> int:
        syscalls.set_name(b"shoumi-decider")
        return reading(site.plans / "doc.txt")()

    site.mark()
    assert attempt(TOO_LOW, act).error == "EPERM"
    [entry] = site.denials(TOO_LOW)
    assert (entry["comm"], entry["exe"]) == ("shoumi-decider", os.path.realpath(sys.executable))


def test_row_18_a_name_that_carries_control_bytes_is_shown_and_does_no_harm(site: Scene) -> None:
    def act() -> int:
        syscalls.set_name(b'\x1b[2J"\n\xff')
        return reading(site.plans / "doc.txt")()

    site.mark()
    assert attempt(TOO_LOW, act).error == "EPERM"
    assert site.denials(TOO_LOW)[0]["comm"] == '\\x1b[2J"\\x0a\\xff'

"""The table of openers against a model of a server process: nobody is forgotten who still has the file open."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.guard import openers, worker_packets
from agent.guard.kept_openers import KeptOpeners, parse, record
from agent.guard.openers import Openers, ServerLook, identity, judged_by
from agent.guard.openers_page import OpenersPage, create
from agent.kernel.subject import Subject

PID, STARTED = 4711, 99
FILE = (65024, 12)
THREADS = range(PID, PID + 3)
PEOPLE = (61011, 61013, 61014)


def subject(uid: int, tid: int = PID, *, pid: int = PID, started: int = STARTED) -> Subject:
    return Subject(uid, None, uid, pid, tid, b"/usr/sbin/smbd", b"smbd", impersonates=True, started=started)


def table() -> Openers:
    return Openers({PID: STARTED}.get)


class Model:
    """A process with one file: opens that are on their way, by thread, and descriptors with their owners."""

    def __init__(self) -> None:
        self.table = table()
        self.moment = 0
        self.on_the_way: dict[int, int] = {}
        self.open: dict[int, int] = {}

    def look(self, tid: int) -> None:
        seen = ServerLook(frozenset(self.open), frozenset(self.on_the_way) - {tid}, complete=True)
        self.table.take_look(subject(1, tid), FILE, seen, self.moment)

    def allow(self, tid: int, uid: int) -> None:
        """The decider allows an open; its descriptor comes later."""
        self.arrive(tid)  # a thread is inside one call at a time
        who = subject(uid, tid)
        if self.table.wants_look(who, FILE):
            self.look(tid)
        assert self.table.add(who, FILE, self.moment)
        self.on_the_way[tid] = uid

    def arrive(self, tid: int) -> None:
        if (uid := self.on_the_way.pop(tid, None)) is not None:
            self.open[next(number for number in range(99) if number not in self.open)] = uid

    def close(self, number: int) -> None:
        self.open.pop(number, None)

    def owners(self) -> set[int]:
        return {*self.open.values(), *self.on_the_way.values()}

    def counted(self) -> set[int]:
        return {one.fsuid for one in self.table.of(subject(1), FILE)}


STEPS = st.one_of(
    st.tuples(st.just("allow"), st.sampled_from(THREADS), st.sampled_from(PEOPLE)),
    st.tuples(st.just("arrive"), st.sampled_from(THREADS)),
    st.tuples(st.just("close"), st.integers(0, 4)),
    st.tuples(st.just("look"), st.sampled_from((*THREADS, 9999))),
)


@given(st.lists(STEPS, max_size=40))
def test_whoever_has_it_open_counts(steps: list[tuple]) -> None:
    model = Model()
    for name, *words in steps:
        model.moment += 1
        if name == "look" and words[0] in model.on_the_way:
            continue  # it is inside an open, and asks nothing else
        getattr(model, name)(*words)
        assert model.owners() <= model.counted()


@given(st.lists(STEPS, max_size=40), st.sampled_from(PEOPLE))
def test_when_all_others_have_let_go_nobody_else_counts(steps: list[tuple], left: int) -> None:
    model = Model()
    for name, *words in steps:
        getattr(model, name)(*words) if not (name == "look" and words[0] in model.on_the_way) else None
    for tid in THREADS:
        model.arrive(tid)
    for number in list(model.open):
        model.close(number)
    model.allow(PID, left)  # others are on their way out, or gone
    model.arrive(PID)
    model.look(9999)
    assert model.counted() == {left}


def test_a_process_that_has_the_number_of_another_one_knows_nothing_of_it() -> None:
    started = {PID: STARTED}
    made = Openers(started.get)
    made.add(subject(PEOPLE[0]), FILE, 1)
    started[PID] = 100
    assert made.of(subject(PEOPLE[1], started=100), FILE) == ()
    assert not made.knows(PID, FILE)
    made.add(subject(PEOPLE[1], started=100), FILE, 2)
    assert [one.fsuid for one in made.of(subject(PEOPLE[1], started=100), FILE)] == [PEOPLE[1]]
    assert [one.fsuid for one in made.of_inode(FILE)] == [PEOPLE[1]]


def test_a_copied_descriptor_may_pass_for_a_later_ones_as_the_limits_say() -> None:
    model = Model()
    model.allow(PID, PEOPLE[0])
    model.arrive(PID)
    model.allow(PID, PEOPLE[1])
    model.arrive(PID)
    model.open[7] = model.open.pop(0)  # dup, and close of the first one
    model.look(9999)
    assert model.counted() == {PEOPLE[1]}


def test_a_look_that_tells_nothing_changes_nothing() -> None:
    made = table()
    for uid in PEOPLE[:2]:
        made.add(subject(uid), FILE, 1)
    made.take_look(subject(PEOPLE[0]), FILE, ServerLook(), 2)
    assert {one.fsuid for one in made.of(subject(1), FILE)} == set(PEOPLE[:2])
    assert made.wants_another(subject(1), FILE, openers.LOOK_AGAIN)


def test_a_server_that_makes_a_thread_for_each_request_is_bounded() -> None:
    made = table()
    made.add(subject(PEOPLE[1], 5), FILE, 0)
    for tid in range(1000, 3000):
        made.add(subject(PEOPLE[0], tid), FILE, tid)
    assert {one.fsuid for one in made.of(subject(1), FILE)} == set(PEOPLE[:2])
    [(_, file)] = [*made._servers[PID].files.items()]  # noqa: SLF001 - what it keeps is what is tested
    assert len(file.recent) <= 66


def test_what_a_process_has_closed_is_forgotten_and_what_it_opened_meanwhile_is_not() -> None:
    made = table()
    files = [(1, number) for number in range(600)]
    for number, file in enumerate(files):
        made.add(subject(PEOPLE[0]), file, number)
    [(pid, asked)] = made.sweepable()
    assert (pid, set(asked)) == (PID, set(files))
    made.swept(pid, files[:500], 400)
    assert (made.count, made.of(subject(1), files[0])) == (200, ())
    assert made.of(subject(1), files[450])
    assert not list(made.sweepable())


def test_whatever_a_server_has_closed_it_is_swept_before_it_is_full() -> None:
    """The table as the loop uses it: an answer tells so many, and is followed by another question."""
    made, moment, opened = table(), 0, 0
    for second in range(300):
        for _ in range(2000 if second < 20 else 20):
            moment += 1
            opened += 1
            assert made.add(subject(PEOPLE[0]), (1, opened), moment), (second, opened)
        while (grown := next(made.sweepable(), None)) is not None:
            pid, files = grown
            told, more = files[: worker_packets.MOST_CLOSED], len(files) > worker_packets.MOST_CLOSED
            if not made.swept(pid, told, moment - 2000, more=more) or not more:
                break
    assert made.count < 4000


def test_one_account_does_not_take_the_room_of_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openers, "MOST_OF_ONE", 3)
    made = Openers(dict.fromkeys(range(1, 9), STARTED).get)
    greedy = [made.add(subject(PEOPLE[0], pid=pid), (1, pid), 0) for pid in range(1, 6)]
    assert greedy == [True, True, True, False, False]
    assert made.add(subject(PEOPLE[1], pid=7), FILE, 0)
    made.forget(1)
    assert made.add(subject(PEOPLE[0], pid=8), FILE, 0)


def test_accounts_that_take_all_they_can_leave_room_for_everybody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openers, "MOST", 512)
    made = Openers(dict.fromkeys(range(1, 9), STARTED).get)
    hostile, numbers = range(70_001, 70_004), iter(range(10**6))
    taken = [0] * len(hostile)
    for _ in range(512):  # in turn, as fast as they can
        for place, uid in enumerate(hostile):
            taken[place] += made.add(subject(uid, pid=1 + place), (1, next(numbers)), 0)
    assert not any(made.add(subject(uid, pid=1 + place), (1, next(numbers)), 0) for place, uid in enumerate(hostile))
    assert sum(taken) < 512
    others = range(70_100, 70_110)
    assert all(made.add(subject(uid, pid=7), (1, next(numbers)), 0) for uid in others)
    assert made.of(subject(hostile[0], pid=1), (1, 0)) == (subject(hostile[0], pid=1),)  # nobody was forgotten for it


def test_processes_that_are_no_more_are_forgotten_in_turn() -> None:
    alive = dict.fromkeys(range(1, 200), STARTED)
    made = Openers(alive.get)
    for pid in alive:
        made.add(subject(PEOPLE[0], pid=pid), FILE, 0)
    alive.clear()
    for _ in range(4):
        made.forget_ended()
    assert (made.count, bool(made), made.of_inode(FILE)) == (0, False, ())


def test_there_is_room_for_so_many_files_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openers, "MOST_OF_ONE", 3)
    made = table()
    assert [made.add(subject(PEOPLE[0]), (1, number), 0) for number in range(4)] == [True, True, True, False]
    assert made.add(subject(PEOPLE[0]), (1, 0), 0)


A, B, ROOT = subject(PEOPLE[0]), subject(PEOPLE[1], PID + 1), Subject(0, None, 0, PID, PID, b"", b"")
OWN = Subject(PEOPLE[2], None, PEOPLE[2], PID, PID + 2, b"", b"")
USES = {
    "somebody's own process": (OWN, (), (OWN,)),
    "a server, of a file that nobody known has opened": (B, (), None),
    "root, of a file that nobody known has opened": (ROOT, (), (ROOT,)),
    "a thread that has another one's identity": (B, (A,), (A,)),
    "a thread that is root's": (ROOT, (A,), (A,)),
    "a file of two": (B, (A, B), (A, B)),
    "a thread that cannot become anybody else": (OWN, (A,), (A, OWN)),
}


@pytest.mark.parametrize(("thread", "known", "expected"), USES.values(), ids=USES)
def test_by_whose_rights_a_use_is_judged(
    thread: Subject, known: tuple[Subject, ...], expected: tuple[Subject, ...] | None
) -> None:
    assert judged_by(thread, known) == expected


# The memory.

PROGRAMS = st.binary(min_size=1, max_size=40)


@given(uid=st.integers(1, 2**32 - 2), login=st.none() | st.integers(0, 2**32 - 2), program=PROGRAMS, comm=PROGRAMS)
def test_a_record_says_what_was_written(uid: int, login: int | None, program: bytes, comm: bytes) -> None:
    who = Subject(uid, login, uid, PID, PID + 1, program, comm, impersonates=True, started=STARTED)
    assert parse(record(FILE, who)) == (FILE, who)


@pytest.fixture
def page() -> Iterator[int]:
    fd = create()
    yield fd
    os.close(fd)


def test_a_successor_knows_what_was_known(page: int) -> None:
    first = KeptOpeners(OpenersPage(page))
    for number in range(100):
        assert first.add(subject(PEOPLE[number % 3]), (1, number % 7), number)
    second = KeptOpeners(OpenersPage(page))
    assert {(inode, identity(who)) for inode, who in second.everything()} == {
        (inode, identity(who)) for inode, who in first.everything()
    }


def test_a_full_half_keeps_what_still_counts(page: int) -> None:
    made = KeptOpeners(OpenersPage(page, 4096))
    for number in range(2000):
        assert made.add(subject(PEOPLE[0]), (1, number), number)
        if number >= 10:
            made.swept(PID, [(1, number - 10)], 10**9)
    again = KeptOpeners(OpenersPage(page, 4096))
    left = {inode for inode, _ in made.everything()}
    assert left <= {inode for inode, _ in again.everything()}
    assert len(left) == 10


def test_without_room_on_the_page_an_open_does_not_count(page: int) -> None:
    made = KeptOpeners(OpenersPage(page, 1000))
    assert not all(made.add(subject(PEOPLE[0]), (1, number), 0) for number in range(100))


@pytest.mark.parametrize("damage", [b"[1e999" + b",1" * 9 + b"]", b"[" * 50_000, b"[]", b"\xff"])
def test_a_damaged_record_is_nobodys(page: int, damage: bytes) -> None:
    made = OpenersPage(page)
    made.add(record(FILE, A))
    made.add(damage)
    made.add(record((1, 2), B))
    assert {inode for inode, _ in KeptOpeners(OpenersPage(page)).everything()} == {FILE, (1, 2)}


@given(st.binary(max_size=200))
def test_a_damaged_page_is_read_without_an_error(noise: bytes) -> None:
    fd = create()
    try:
        made = OpenersPage(fd)
        made.add(record(FILE, A))
        os.pwrite(fd, noise, 4096)
        os.pwrite(fd, noise[:8], 0)
        KeptOpeners(OpenersPage(fd))
    finally:
        os.close(fd)

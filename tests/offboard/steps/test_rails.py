"""The guard rails as laws: whatever a process looks like, these are never ended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.offboard.guardrails import Process, Rails, Reach, ends, lends, ordinary, reach, sweepable
from tests.examples import examples

# few enough values that everything meets everything, THEIRS most often; every border is among them
THEIRS = 62001
UIDS = st.sampled_from(
    [THEIRS] * 6 + [0, 1, 33, 999, 1000, 1001, 65534, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]
)
PIDS = st.sampled_from([-1, 0, 1, 2, 300, 301])
PROGRAMS = st.sampled_from(["/usr/sbin/backup", "/bin/sh", ""])
laws = examples(500)


@st.composite
def processes(draw: st.DrawFn) -> Process:
    return Process(
        pid=draw(PIDS),
        ruid=draw(UIDS),
        euid=draw(UIDS),
        suid=draw(UIDS),
        fsuid=draw(UIDS),
        login=draw(st.none() | UIDS),
        executable=draw(PROGRAMS),
        raised=draw(st.booleans()),
    )


RAILS = st.builds(Rails, st.frozensets(PIDS, max_size=2), st.frozensets(st.tuples(UIDS, PROGRAMS), max_size=3))
PERSONS = st.frozensets(UIDS, min_size=1, max_size=3)


@laws
@given(processes(), PERSONS, RAILS, st.booleans())
def test_init_and_the_agent_and_whoever_asked_are_never_ended(
    process: Process, uids: frozenset[int], rails: Rails, holds: bool
) -> None:
    if process.pid <= 1 or process.pid in rails.pids:
        assert not ends(process, uids, rails, holds=holds)


@laws
@given(processes(), PERSONS, RAILS, st.booleans())
def test_only_what_has_an_ordinary_uid_of_the_person_is_ended(
    process: Process, uids: frozenset[int], rails: Rails, holds: bool
) -> None:
    if ends(process, uids, rails, holds=holds):
        marks = {process.ruid, process.suid, process.login} & uids
        assert any(uid is not None and 1000 <= uid < 2**31 and uid != 65534 for uid in marks)


@laws
@given(processes(), PERSONS, RAILS)
def test_a_service_that_borrows_the_uid_is_not_ended(process: Process, uids: frozenset[int], rails: Rails) -> None:
    if not {process.ruid, process.suid, process.login} & uids:
        assert not ends(process, uids, rails, holds=True)


@laws
@given(processes(), PERSONS, RAILS)
def test_a_system_account_or_registered_service_without_classified_data_is_left(
    process: Process, uids: frozenset[int], rails: Rails
) -> None:
    system = 0 < process.ruid < 1000 or (process.ruid, process.executable) in rails.services
    if system and not {process.ruid, process.suid} & uids:
        assert not ends(process, uids, rails, holds=False)


@laws
@given(processes(), RAILS, st.booleans(), st.booleans())
def test_whatever_a_sweep_would_reach_is_theirs_or_keeps_it_from_ending_anything(
    process: Process, rails: Rails, saved: bool, holds: bool
) -> None:
    theirs = process._replace(suid=THEIRS) if saved else process._replace(ruid=THEIRS)
    if not rails.protects(process.pid):
        assert ends(theirs, {THEIRS}, rails, holds=holds) or lends(theirs)


@laws
@given(processes(), PERSONS, RAILS)
def test_root_reached_from_their_login_is_ended_unless_it_is_protected(
    process: Process, uids: frozenset[int], rails: Rails
) -> None:
    shell = process._replace(ruid=0, euid=0, suid=0, fsuid=0, login=THEIRS, executable="/bin/sh", pid=300)
    free = Rails(rails.pids - {300}, frozenset())
    assert ends(shell, uids | {THEIRS}, free, holds=False)


@laws
@given(st.lists(processes(), max_size=4), UIDS)
def test_a_sweep_hits_no_protected_process_and_is_never_root_s_or_a_system_account_s(
    protected: list[Process], uid: int
) -> None:
    if sweepable(uid, protected):
        assert uid >= 1000
        assert uid < 2**31
        assert uid != 65534
        assert all(uid not in (process.ruid, process.suid) for process in protected)


@laws
@given(processes(), PERSONS, RAILS)
def test_a_stranger_is_a_bystander_whatever_they_hold(process: Process, uids: frozenset[int], rails: Rails) -> None:
    stranger = process._replace(ruid=5000, euid=5000, suid=5000, fsuid=5000, login=5000, pid=303)
    assert reach(stranger, uids, rails) is Reach.BYSTANDER
    assert not ends(stranger, uids, rails, holds=True)


def test_a_leader_that_left_its_threads_behind_is_alive() -> None:
    one = Process(300, 1, 1, 1, 1, None, state="Z")
    assert one.ended
    assert not one._replace(threads=2).ended
    assert not one._replace(state="S").ended


def test_ordinary_uids() -> None:
    assert [uid for uid in (0, 999, 1000, 65533, 65534, 65535, 2**31 - 1, 2**31) if ordinary(uid)] == [
        1000,
        65533,
        65535,
        2**31 - 1,
    ]


def test_a_registered_service_is_its_uid_and_its_program() -> None:
    backup = Process(300, 0, 0, 0, 0, THEIRS, executable="/usr/sbin/backup")
    rails = Rails(services=frozenset({(0, "/usr/sbin/backup")}))
    assert reach(backup, {THEIRS}, rails) is Reach.SERVICE
    assert reach(backup._replace(executable="/bin/sh"), {THEIRS}, rails) is Reach.LOGIN
    assert reach(backup._replace(ruid=5000), {THEIRS}, rails) is Reach.LOGIN


@pytest.mark.parametrize(
    ("uid", "whose"),
    [
        (-1, False), (0, False), (1, False), (999, False), (1000, True), (1001, True), (65533, True), (65534, False),
        (65535, True), (0x7FFFFFFF, True), (0x80000000, False), (0xFFFFFFFE, False), (0xFFFFFFFF, False),
    ],
)  # fmt: skip
def test_which_uids_are_one_person_s(uid: int, whose: bool) -> None:
    """Not root's, the system's, nobody's, nor a number that means something else to kill(2) and setresuid(2)."""
    assert ordinary(uid) is whose
    assert sweepable(uid, ()) is whose
    theirs = Process(300, uid, uid, uid, uid, uid)
    assert ends(theirs, {uid}, Rails(), holds=True) is whose


@pytest.mark.parametrize(
    ("pid", "spared"), [(-62001, True), (-1, True), (0, True), (1, True), (2, False), (300, False)]
)
def test_no_signal_goes_to_groups_and_to_init_and_none_is_lost_beside_them(pid: int, spared: bool) -> None:
    theirs = Process(pid, THEIRS, THEIRS, THEIRS, THEIRS, THEIRS)
    assert Rails().protects(pid) is spared
    assert ends(theirs, {THEIRS}, Rails(), holds=True) is not spared
    assert not ends(theirs, {THEIRS}, Rails(pids=frozenset({pid})), holds=True)
    assert (reach(theirs, {THEIRS}, Rails()) is Reach.PROTECTED) is spared

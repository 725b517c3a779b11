"""Deny entries as state: remembered before they are set, taken away when they are stale, and what a full ACL means."""

import errno
import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.demo.actors import ActorIdentity, attempt, reading
from agent.errors import RefusedError
from agent.offboard import deny_entries
from agent.offboard.context import Account, AreaPath, RevocationContext, RevocationSubject
from agent.offboard.deny_entries import DeniedAccount, DenyLedger, stale
from agent.offboard.journal import RevocationJournal
from agent.offboard.schema import SCHEMA
from agent.offboard.steps import acl, acl_bytes
from agent.offboard.steps.acl_bytes import ACCESS, AclEntry
from agent.offboard.steps.step import StepState
from agent.runtime.migrations import upgrade
from agent.simulator import volume_image
from rules.text import Text
from tests import needs
from tests.offboard.host import area, context, now, owners
from tests.sentences import en

PLANS, PAPERS = AreaPath("plans", "/srv/plans"), AreaPath("papers", "/srv/papers")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[DenyLedger]:
    with closing(DenyLedger(tmp_path / "offboard.db", now)) as found:
        yield found


def test_what_is_set_stands_until_it_is_removed_area_by_area(ledger: DenyLedger, tmp_path: Path) -> None:
    ledger.set("C1", "E1", (62001, 62002), (PLANS, PAPERS))
    ledger.set("C1", "E1", (62001, 62002), (PLANS, PAPERS))  # a run that is resumed
    ledger.set("C2", "E2", (62002,), (PLANS,))
    assert [(row.uid, row.case, sorted(row.areas or ())) for row in ledger.standing(())] == [
        (62001, "C1", ["papers", "plans"]),
        (62002, "C1", ["papers", "plans"]),
        (62002, "C2", ["plans"]),
    ]
    assert deny_entries.standing(tmp_path / "offboard.db") == ledger.standing(())
    ledger.removed((62002,), ("plans",))
    assert [(row.uid, row.case, sorted(row.areas or ())) for row in ledger.standing(())] == [
        (62001, "C1", ["papers", "plans"]),
        (62002, "C1", ["papers"]),
    ]
    ledger.set("C2", "E2", (62002,), (PLANS,))  # denied anew
    assert (62002, "C2") in {(row.uid, row.case) for row in ledger.standing(())}


def test_nothing_remembered_is_an_answer_and_a_missing_file_too(tmp_path: Path) -> None:
    assert deny_entries.standing(tmp_path / "absent.db") == []
    RevocationJournal(tmp_path / "offboard.db").close()
    assert deny_entries.standing(tmp_path / "offboard.db") == []


def test_what_an_earlier_version_set_is_remembered_without_its_areas_and_given_all_there_are(tmp_path: Path) -> None:
    file = tmp_path / "offboard.db"
    first = SCHEMA._replace(migrations=SCHEMA.migrations[:1])
    leaver = RevocationSubject("E1001", (Account(62001, ("zhang",)), Account(62002)))
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        upgrade(db, first)
        for number, state in ((1, "done"), (2, "planned")):
            db.execute(
                "INSERT INTO runs VALUES (?, ?, 'E1001', 'departure', ?, '[]', '2026-01-01T00:00:00+00:00')",
                (number, f"C{number}", json.dumps(leaver.to_json())),
            )
            db.execute(
                "INSERT INTO steps (run, position, step, state, tries) VALUES (?, 0, 'acl', ?, ?)",
                (number, state, int(state == "done")),
            )
    with closing(DenyLedger(file, now)) as ledger:
        assert [(row.uid, row.case, row.areas) for row in deny_entries.standing(file)] == [
            (62001, "C1", None),
            (62002, "C1", None),
        ]
        assert [row.areas for row in ledger.standing((PLANS,))] == [{"plans": "/srv/plans"}] * 2
        assert [row.areas for row in deny_entries.standing(file)] == [{"plans": "/srv/plans"}] * 2


PEOPLE = st.sampled_from(["E1", "E2", "E3"])
AREAS = st.sampled_from(["plans", "papers", "gone"])
ROWS = st.lists(
    st.builds(
        DeniedAccount,
        st.integers(62001, 62003),
        st.sampled_from(["C1", "C2"]),
        PEOPLE,
        st.none() | st.dictionaries(AREAS, st.just("/srv"), max_size=3),
        st.just(""),
    ),
    max_size=4,
)


@given(
    ROWS,
    st.dictionaries(st.integers(62001, 62003), PEOPLE),
    st.frozensets(st.integers(62001, 62003)),
    st.frozensets(st.tuples(PEOPLE, AREAS)),
)
def test_only_what_refuses_somebody_with_rights_or_nobody_is_stale(
    rows: list[DeniedAccount], owners: dict[int, str], free: frozenset[int], rights: frozenset[tuple[str, str]]
) -> None:
    found = stale(rows, owners.get, free.__contains__, lambda person, name: (person, name) in rights)
    got = {(uid, place.name) for place, uids in found.items() for uid in uids}
    wanted = {
        (row.uid, name)
        for row in rows
        for name in row.areas or ()
        if ((owners[row.uid], name) in rights if row.uid in owners else row.uid in free)
    }
    assert got == wanted


# --- the step -------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for path in (tmp_path, *tmp_path.parents[:3]):
        if path != Path("/tmp") and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o711)
    return tmp_path


@needs.root
def test_the_step_remembers_before_it_sets_and_giving_back_forgets(home: Path, uid: int, ledger: DenyLedger) -> None:
    place = area(home, uid)
    who = RevocationSubject("E1001", (Account(uid),))
    known: list[int] = []

    def walked(path: str) -> Iterator[object]:
        known.append(len(ledger.standing(())))
        yield from context(home).walk(path)

    here = context(home, areas=lambda: [place], denials=ledger, walk=walked)
    assert acl.run(who, here, "C1").state is StepState.DONE
    assert known == [1]
    assert [(row.uid, row.case, row.person, row.areas) for row in ledger.standing(())] == [
        (uid, "C1", "E1001", {"plans": place.path})
    ]
    file = Path(place.path) / "a.txt"
    assert acl.denied_here(str(file), (uid, uid + 1), place.path) == {uid}
    assert attempt(ActorIdentity(uid), reading(file)).error == "EACCES"
    acl.BACK.run(who, here, "C1.G1")
    assert ledger.standing(()) == []
    assert acl.denied_here(str(file), (uid,), place.path) == frozenset()
    assert attempt(ActorIdentity(uid), reading(file)).allowed
    assert (Path(place.path) / "deep" / "mine.txt").stat().st_uid == 0  # what was the leaver's own stays root's
    assert [line["uid"] for line in owners(home, "C1")] == [uid]


@needs.root
def test_an_entry_on_a_directory_above_refuses_as_well_and_none_above_the_area_is_asked(home: Path, uid: int) -> None:
    place = area(home, uid)
    deep = Path(place.path) / "deep" / "mine.txt"
    os.chown(deep, 0, 0)
    denied = acl_bytes.render(acl_bytes.deny(acl_bytes.of_mode(0o755), {uid}))
    os.setxattr(deep.parent, ACCESS, denied)
    assert acl.denied_here(str(deep), (uid,), place.path) == {uid}
    os.removexattr(deep.parent, ACCESS)
    os.setxattr(home, ACCESS, denied)
    assert acl.denied_here(str(deep), (uid,), place.path) == frozenset()
    os.removexattr(home, ACCESS)


@needs.root
def test_what_could_not_be_remembered_is_not_set(home: Path, uid: int) -> None:
    class Full:
        def set(self, *_: object) -> None:
            raise RefusedError(Text("full", "满"))

        def removed(self, *_: object) -> None:
            raise AssertionError

    place = area(home, uid)
    here: RevocationContext = context(home, areas=lambda: [place], denials=Full())
    with pytest.raises(RefusedError):
        acl.run(RevocationSubject("E1001", (Account(uid),)), here, "C1")
    assert acl.denied_here(place.path, (uid,), place.path) == frozenset()


@needs.small_disk
@pytest.mark.parametrize("fstype", ["ext4", "xfs"])
def test_a_full_acl_is_said_and_leaves_the_rest_denied(home: Path, uid: int, fstype: str) -> None:
    with volume_image.volume(fstype, size=320 << 20) as volume:
        top = volume.point / "plans"
        top.mkdir()
        full, free = top / "full", top / "free"
        for path in (full, free):
            path.write_text("x")
        filled = 0
        for count in (10_000, 5_000, 2_000, 1_000, 500, 400, 250, 200, 120, 100, 60, 50, 25, 20):
            given_ = tuple(AclEntry(acl_bytes.USER, 4, 100_000 + number) for number in range(filled, filled + count))
            with suppress(OSError):
                os.setxattr(full, ACCESS, acl_bytes.render(_with(_acl(full), given_)))
                filled += count
        with suppress(OSError):
            for number in range(30):
                more = (AclEntry(acl_bytes.USER, 4, 200_000 + number),)
                os.setxattr(full, ACCESS, acl_bytes.render(_with(_acl(full), more)))
        assert filled > 20
        place = AreaPath("plans", str(top))
        result = acl.run(RevocationSubject("E1", (Account(uid),)), context(home, areas=lambda: [place]), "C1")
        assert result.state is StepState.DONE
        assert result.facts["full"] == [str(full)]
        assert (result.facts["full_count"], result.facts["trouble_count"]) == (1, 0)
        assert f"full ACLs: 1, first `{full}`; there, only the agent denies access" in en(result.detail)
        assert acl.denied_here(str(free), (uid,), str(free)) == {uid}
        assert acl.denied_here(str(full), (uid,), str(full)) == frozenset()
        volume.folder.chmod(0o755)
        volume.point.chmod(0o755)
        for path in (full, free):  # past the directory, which takes an entry as well
            os.link(path, volume.point / path.name)
        assert attempt(ActorIdentity(uid), reading(volume.point / "full")).allowed  # no agent runs: nothing refuses
        assert attempt(ActorIdentity(uid), reading(volume.point / "free")).error == "EACCES"


@needs.small_disk
@pytest.mark.parametrize(("block", "most"), [(4096, 503), (1024, 119)])
def test_ext4_keeps_as_many_entries_on_a_file_as_the_limits_say(tmp_path: Path, block: int, most: int) -> None:
    image, point = tmp_path / "image", tmp_path / "point"
    point.mkdir()
    with image.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-b", str(block), str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(point)], check=True)
    try:
        file_ = point / "full"
        file_.write_text("x")
        base = acl_bytes.of_mode(0o644)
        count = 0
        with suppress(OSError):
            while True:
                people = tuple(AclEntry(acl_bytes.USER, 4, 100_000 + number) for number in range(count + 1))
                os.setxattr(file_, ACCESS, acl_bytes.render(_with(base, people)))
                count += 1
        assert count == most
    finally:
        subprocess.run(["umount", str(point)], check=True)


@needs.small_disk
def test_a_full_disk_is_trouble_and_no_full_acl(home: Path, uid: int) -> None:
    with volume_image.volume(size=8 << 20, options="") as volume:
        place = AreaPath("plans", str(volume.point / "plans"))
        Path(place.path).mkdir()
        for number in range(200):  # more attributes than the inodes have room for themselves
            at = Path(place.path) / str(number)
            at.touch()
            os.setxattr(at, "user.filler", b"x" * 32)
            at.chmod(number)  # ext4 shares a block among inodes with the same attributes
        with suppress(OSError), (volume.point / "fill").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        result = acl.run(RevocationSubject("E1", (Account(uid),)), context(home, areas=lambda: [place]), "C1")
        assert result.facts["full_count"] == 0
        assert result.facts["trouble_count"] > 0
        assert os.strerror(errno.ENOSPC) in result.facts["troubles"][0]
        assert result.state is StepState.PENDING


@needs.small_disk
def test_an_inode_that_its_owner_filled_with_attributes_is_full_and_the_disk_is_not(home: Path, uid: int) -> None:
    with volume_image.volume(size=8 << 20, options="") as volume:
        place = AreaPath("plans", str(volume.point / "plans"))
        Path(place.path).mkdir()
        filled, free = Path(place.path) / "filled", Path(place.path) / "free"
        for path in (filled, free):
            path.write_text("x")
        for length in (1024, 128, 16, 4):
            with suppress(OSError):
                for number in range(4096):
                    os.setxattr(filled, f"user.{length}.{number}", b"x" * length)
        result = acl.run(RevocationSubject("E1", (Account(uid),)), context(home, areas=lambda: [place]), "C1")
        assert result.state is StepState.DONE, en(result.detail)
        assert (result.facts["full"], result.facts["trouble_count"]) == ([str(filled)], 0)
        assert acl.denied_here(str(free), (uid,), str(free)) == {uid}


def test_no_group_entry_is_ever_made_or_changed() -> None:
    """Another group's entry that allows would outweigh one that denies (acl(5))."""
    before = (*acl_bytes.of_mode(0o750), AclEntry(acl_bytes.GROUP, 5, 1000), AclEntry(acl_bytes.MASK, 5))
    groups = (acl_bytes.GROUP, acl_bytes.GROUP_OBJ)
    after = acl_bytes.deny(before, {1000})
    assert [one for one in after if one.tag in groups] == [one for one in sorted(before) if one.tag in groups]


def _acl(path: Path) -> acl_bytes.Acl:
    try:
        return acl_bytes.parse(os.getxattr(path, ACCESS))
    except OSError:
        return acl_bytes.of_mode(path.stat().st_mode)


def _with(before: acl_bytes.Acl, more: tuple[AclEntry, ...]) -> acl_bytes.Acl:
    mask = () if any(one.tag == acl_bytes.MASK for one in before) else (AclEntry(acl_bytes.MASK, 7),)
    return (*before, *mask, *more)

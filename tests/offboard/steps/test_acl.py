"""Deny entries: the attribute's bytes as laws, and the kernel's own opinion on real files."""

import contextlib
import errno
import os
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.confinement import capabilities, process_rights
from agent.demo.actors import ActorIdentity, attempt, reading
from agent.kernel.walk import WalkEntry, WalkFailure, walk
from agent.offboard.context import Account, RevocationSubject
from agent.offboard.steps import acl, acl_bytes
from agent.offboard.steps.acl_bytes import GROUP, GROUP_OBJ, MASK, OTHER, USER, USER_OBJ, Acl, AclEntry
from agent.offboard.steps.step import StepState
from tests import needs
from tests.offboard.host import area, context, owners, picture
from tests.sentences import en

PERMS = st.integers(0, 7)
IDS = st.integers(1000, 1004)
GIDS = st.sets(st.integers(999, 1005) | st.just(1))


@st.composite
def acls(draw: st.DrawFn) -> Acl:
    named = [AclEntry(USER, draw(PERMS), uid) for uid in draw(st.sets(IDS, max_size=3))]
    named += [AclEntry(GROUP, draw(PERMS), gid) for gid in draw(st.sets(IDS, max_size=3))]
    bare = not named and draw(st.booleans())
    mask = [] if bare else [AclEntry(MASK, draw(PERMS))]
    whole = [
        AclEntry(USER_OBJ, draw(PERMS)),
        AclEntry(GROUP_OBJ, draw(PERMS)),
        AclEntry(OTHER, draw(PERMS)),
        *named,
        *mask,
    ]
    return tuple(sorted(whole, key=lambda entry: (entry.tag, entry.id)))


def allowed(acl: Acl, uid: int, gids: set[int], want: int, owner: int = 1, group: int = 1) -> bool:
    """The algorithm of acl(5), written down once more, for a file of *owner* and *group*."""
    by_tag = {entry.tag: entry.perm for entry in acl if entry.tag in (USER_OBJ, GROUP_OBJ, MASK, OTHER)}
    mask = by_tag.get(MASK, 7)
    if uid == owner:
        return by_tag[USER_OBJ] & want == want
    for entry in acl:
        if entry.tag == USER and entry.id == uid:
            return entry.perm & mask & want == want
    matched = [by_tag[GROUP_OBJ]] if group in gids else []
    matched += [entry.perm for entry in acl if entry.tag == GROUP and entry.id in gids]
    if matched:
        return any(perm & mask & want == want for perm in matched)
    return by_tag[OTHER] & want == want


@given(acls())
def test_every_attribute_survives_reading_and_writing(found: Acl) -> None:
    raw = acl_bytes.render(found)
    assert acl_bytes.parse(raw) == found
    assert acl_bytes.render(acl_bytes.parse(raw)) == raw


def test_an_entry_of_the_account_s_own_is_not_given_back() -> None:
    for perm in (0, 6):
        before = tuple(sorted([*acl_bytes.of_mode(0o640), AclEntry(USER, perm, 1000), AclEntry(MASK, 6)]))
        after = acl_bytes.undo(acl_bytes.deny(before, [1000]), [1000])
        assert AclEntry(USER, perm, 1000) in before
        assert not [entry for entry in after if entry.tag == USER]


@given(st.binary(max_size=60))
def test_bytes_are_an_acl_or_an_error(raw: bytes) -> None:
    with contextlib.suppress(ValueError):
        acl_bytes.render(acl_bytes.parse(raw))


@pytest.mark.parametrize(
    "raw", [b"", b"\x02\0\0", b"\x01\0\0\0", acl_bytes.render(()), acl_bytes.render(acl_bytes.of_mode(0))[:-1]]
)
def test_what_is_no_acl_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"ACL|entry"):
        acl_bytes.parse(raw)


@given(acls(), st.frozensets(IDS, min_size=1, max_size=2))
def test_denying_is_denied_by_every_way_and_twice_is_once(before: Acl, uids: frozenset[int]) -> None:
    after = acl_bytes.deny(before, uids)
    for uid in uids:
        for want in (1, 2, 4):
            assert not allowed(after, uid, {1, 1000, 1001, 1002, 1003, 1004}, want)
    assert acl_bytes.deny(after, uids) == after
    assert acl_bytes.denies(after, uids)
    assert acl_bytes.parse(acl_bytes.render(after)) == after


@given(acls(), st.frozensets(IDS, min_size=1, max_size=2), st.integers(999, 1005), GIDS)
def test_denying_and_undoing_change_nothing_for_anybody_else(
    before: Acl, uids: frozenset[int], somebody: int, gids: set[int]
) -> None:
    denied = acl_bytes.deny(before, uids)
    undone = acl_bytes.undo(denied, uids)
    if somebody not in uids:
        for want in (1, 2, 4):
            as_before = allowed(before, somebody, gids, want)
            assert allowed(denied, somebody, gids, want) == as_before
            assert allowed(undone, somebody, gids, want) == as_before


@given(st.integers(0, 0o777), st.frozensets(IDS, min_size=1))
def test_undoing_on_a_file_without_an_acl_leaves_its_mode(mode: int, uids: frozenset[int]) -> None:
    plain = acl_bytes.of_mode(mode)
    assert acl_bytes.undo(acl_bytes.deny(plain, uids), uids) == plain


def test_an_entry_that_gives_something_is_not_undone() -> None:
    given_back = (*acl_bytes.of_mode(0o640), AclEntry(USER, 4, 1000), AclEntry(MASK, 4))
    assert AclEntry(USER, 4, 1000) in acl_bytes.undo(given_back, {1000})


# --- on real files --------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for path in (tmp_path, *tmp_path.parents[:3]):
        if path != Path("/tmp") and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o711)
    return tmp_path


@needs.root
def test_the_kernel_denies_the_leaver_everywhere_and_nobody_else(home: Path, uid: int, other: int) -> None:
    place = area(home, uid)
    here = context(home, areas=lambda: [place])
    who = RevocationSubject("E1001", (Account(uid),))
    top = Path(place.path)
    os.chown(top / "a.txt", 0, uid)  # the leaver's own group may read and write it
    files = [top / "a.txt", home / "outside.txt", top / "deep" / "mine.txt", home / "outside-mine.txt"]
    for path in files:
        assert attempt(ActorIdentity(uid), reading(path)).allowed
    before = {path: attempt(ActorIdentity(other), reading(path)) for path in files}
    assert acl.probe(who, here) is None
    assert len(acl.find_targets(who, here)) == 1
    result = acl.run(who, here, "C1")
    assert result.state is StepState.DONE
    for path in files:
        assert attempt(ActorIdentity(uid), reading(path)).error == "EACCES"
        assert attempt(ActorIdentity(uid), partial(os.chmod, path, 0o777)).error in ("EPERM", "EACCES")
        assert attempt(ActorIdentity(other), reading(path)) == before[path]
    assert attempt(ActorIdentity(uid), lambda: len(os.listdir(top))).error == "EACCES"
    assert [(line["uid"], line["path"]) for line in owners(home, "C1")] == [(uid, str(top / "deep" / "mine.txt"))]


@needs.root
def test_another_group_s_entry_that_allows_outweighs_one_that_denies(home: Path, uid: int, other: int) -> None:
    """Which is why no entry is ever made for a group."""
    file = home / "a.txt"
    file.write_text("secret")
    groups = AclEntry(GROUP, 0, uid), AclEntry(GROUP, 4, other), AclEntry(MASK, 7)
    os.setxattr(file, acl_bytes.ACCESS, acl_bytes.render((*acl_bytes.of_mode(0o640), *groups)))

    def reads(*more: int) -> bool:
        words = ("cat", str(file))
        return not subprocess.run(words, user=uid, group=uid, extra_groups=more, capture_output=True).returncode

    assert not reads()
    assert reads(other)


@needs.root
def test_a_second_run_changes_nothing_and_undoing_gives_the_modes_back(home: Path, uid: int) -> None:
    place = area(home, uid)
    os.chown(Path(place.path) / "deep" / "mine.txt", 0, 0)  # an owner does not come back by itself
    here = context(home, areas=lambda: [place])
    who = RevocationSubject("E1001", (Account(uid), Account(uid + 50)))
    before = picture(Path(place.path))
    assert acl.run(who, here, "C1").facts["changed"] > 0
    once = picture(home)
    again = acl.run(who, here, "C1")
    assert again.facts["changed"] == 0
    assert picture(home) == once
    elsewhere = replace(who, areas=frozenset({"elsewhere"}))
    assert acl.BACK.find_targets(elsewhere, here) == ()
    assert acl.BACK.run(elsewhere, here, "C1.G1").facts["changed"] == 0
    assert picture(home) == once
    back = acl.BACK.run(replace(who, areas=frozenset({place.name})), here, "C1.G1")
    assert (back.state, back.facts["changed"] > 0) == (StepState.DONE, True)
    assert picture(Path(place.path)) == before


@needs.root
def test_a_default_acl_is_changed_where_there_is_one_and_made_nowhere(home: Path, uid: int) -> None:
    place = area(home, uid)
    deep = Path(place.path) / "deep"
    default = (
        AclEntry(USER_OBJ, 7),
        AclEntry(USER, 6, uid),
        AclEntry(GROUP_OBJ, 5),
        AclEntry(MASK, 7),
        AclEntry(OTHER, 0),
    )
    os.setxattr(deep, acl_bytes.DEFAULT, acl_bytes.render(default))
    acl.run(RevocationSubject("E1001", (Account(uid),)), context(home, areas=lambda: [place]), "C1")
    found = acl_bytes.parse(os.getxattr(deep, acl_bytes.DEFAULT))
    assert acl_bytes.denies(found, {uid})
    assert set(default) - {AclEntry(USER, 6, uid)} <= set(found)
    with pytest.raises(OSError, match=os.strerror(errno.ENODATA)):
        os.getxattr(place.path, acl_bytes.DEFAULT)


@needs.root
def test_what_could_not_be_reached_is_counted_and_leaves_the_step_pending(home: Path, uid: int) -> None:
    place = area(home, uid)

    def partly(path: str) -> Iterator[WalkEntry | WalkFailure]:
        yield from walk(path)
        yield WalkFailure(f"{path}/gone\x1b", errno.ESTALE)

    here = context(home, areas=lambda: [place], walk=partly)
    result = acl.run(RevocationSubject("E1001", (Account(uid),)), here, "C1")
    assert result.state is StepState.PENDING
    assert result.facts["trouble_count"] == 1
    assert "\x1b" not in en(result.detail)
    missing = context(home, areas=lambda: [place._replace(path=str(home / "absent"))])
    assert acl.run(RevocationSubject("E1001", (Account(uid),)), missing, "C2").state is StepState.PENDING


@needs.root
def test_a_filesystem_without_acls_is_said_to_be_one(home: Path, uid: int) -> None:
    place = area(home, uid)

    def on_proc(_path: str) -> Iterator[WalkEntry | WalkFailure]:
        yield WalkEntry("/proc/self/status", "/proc/self/status", os.stat("/proc/self/status"))

    here = context(home, areas=lambda: [place], walk=on_proc)
    result = acl.run(RevocationSubject("E1001", (Account(uid),)), here, "C1")
    assert result.state is StepState.SKIPPED
    assert "plans" in en(result.detail)


@needs.root
def test_a_file_deleted_meanwhile_is_no_trouble(home: Path, uid: int) -> None:
    place = area(home, uid)

    def vanishing(path: str) -> Iterator[WalkEntry | WalkFailure]:
        for item in walk(path):
            if isinstance(item, WalkEntry) and stat.S_ISREG(item.found.st_mode):
                Path(item.path).unlink()
            yield item

    here = context(home, areas=lambda: [place], walk=vanishing)
    assert acl.run(RevocationSubject("E1001", (Account(uid),)), here, "C1").state is StepState.DONE


def test_a_host_without_areas_skips_the_step(tmp_path: Path) -> None:
    assert acl.probe(RevocationSubject("E1001"), context(tmp_path)) is not None


@needs.root
def test_with_the_rights_that_are_left_shared_directories_stay_shared(tmp_path: Path, uid: int) -> None:
    """Without one of them the kernel takes the setgid bit of a directory away whose group is not ours, silently."""
    place = area(tmp_path, uid)
    os.chown(place.path, 0, uid)
    os.chmod(place.path, 0o2770)
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            capabilities.keep_only(process_rights.CONTROL.capabilities)
            done = acl.run(RevocationSubject("E1", (Account(uid),)), context(tmp_path, areas=lambda: [place]), "C1")
            os._exit(0 if done.state is StepState.DONE else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert stat.S_IMODE(os.stat(place.path).st_mode) & stat.S_ISGID
    assert uid in {one.id for one in acl_bytes.parse(os.getxattr(place.path, acl_bytes.ACCESS)) if one.tag == USER}

"""Control groups: one that is wholly theirs ends as one, any other is left as it was."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.kernel import mountinfo
from agent.offboard.steps import cgroups
from tests import needs
from tests.offboard.host import chain, child, end

pytestmark = needs.root


@pytest.fixture
def group() -> Iterator[Path]:
    root = cgroups.root()
    if root is None or not (root / "cgroup.procs").exists():
        needs.skip_or_fail("no cgroup v2 tree is mounted")
    made = root / f"shoumi-test-{os.getpid()}"
    try:
        (made / "inner").mkdir(parents=True)
    except OSError:
        needs.skip_or_fail("control groups cannot be made here")
    yield made
    for path in (made / "inner", made):
        path.rmdir()


def assert_not_frozen(uid: int, group: Path) -> None:
    """Whoever comes to the group goes on. The kernel's own word, cgroup.events, can stay behind for an empty one."""
    here, there = socket.socketpair()
    here.settimeout(10)
    with here, there, child(uid, act=lambda: there.send(there.recv(1))) as comer:
        (group / "cgroup.procs").write_text(str(comer.pid))
        here.send(b"!")
        assert here.recv(1) == b"!"


def test_a_group_that_is_wholly_theirs_ends_as_one(uid: int, group: Path) -> None:
    with child(uid, uid) as one, child(0, uid, chain) as two:
        (group / "cgroup.procs").write_text(str(one.pid))
        (group / "inner" / "cgroup.procs").write_text(str(one.pid))
        with child(0, uid) as three:
            (group / "cgroup.procs").write_text(str(three.pid))
            ended = end(uid)
            assert ended.sure
            assert ended.groups >= 1
            assert not one.alive
            assert not three.alive
        two.end()
    assert_not_frozen(uid, group)


def test_a_group_with_a_bystander_is_neither_killed_nor_left_frozen(uid: int, other: int, group: Path) -> None:
    with child(uid, uid) as one, child(other, other) as bystander:
        for process in (one, bystander):
            (group / "cgroup.procs").write_text(str(process.pid))
        ended = end(uid)
        assert ended.sure
        assert ended.groups == 0
        assert not one.alive
        assert bystander.alive
        assert_not_frozen(other, group)


def test_a_stranger_who_came_while_it_was_frozen_is_not_killed(uid: int, other: int, group: Path) -> None:
    with child(uid, uid) as one, child(other, other) as late:
        (group / "cgroup.procs").write_text(str(one.pid))
        tree = cgroups.root()
        assert tree
        looks = 0

        def theirs(pid: int) -> bool:
            nonlocal looks
            looks += 1
            if looks == 1:  # between the first look and the freeze
                (group / "cgroup.procs").write_text(str(late.pid))
            return pid == one.pid

        assert not cgroups.Group(tree, group).end(theirs)
        assert late.alive
        assert one.alive
        assert_not_frozen(other, group)


HYBRID = rb"""25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 25 0:26 / /sys/fs/cgroup/systemd rw,nosuid - cgroup cgroup rw,xattr,name=systemd
31 25 0:27 / /sys/fs/cgroup/all\040of\040it rw,nosuid - cgroup2 cgroup2 rw
"""


@pytest.mark.parametrize(
    ("rows", "found"), [(HYBRID, Path("/sys/fs/cgroup/all of it")), (HYBRID.splitlines()[0], None)]
)
def test_the_tree_is_found_where_the_host_has_it(
    rows: bytes, found: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mountinfo, "table", lambda: mountinfo.parse(rows))
    assert cgroups.root() == found


def test_the_root_group_is_never_killed() -> None:
    tree = cgroups.root()
    if tree is None:
        needs.skip_or_fail("no cgroup v2 tree is mounted")
    assert not cgroups.Group(tree, tree).wholly(lambda _pid: True)

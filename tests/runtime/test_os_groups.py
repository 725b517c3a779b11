"""Who is an administrator: the same answer for local accounts and for those of a directory that lists nobody."""

import grp
import json
import os
import pwd
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.runtime import os_groups
from agent.runtime.config import RoleGroups
from tests import needs
from tests.offboard.host import Child, unused_uid

ZHAO, QIAN, OFFICERS = 62501, 62502, 62590

_ASK = """
import json, os, pwd, sys
sys.path.insert(0, sys.argv[1])
from agent.runtime.config import RoleGroups
from agent.runtime.os_groups import roles_of
listed = [one.pw_uid for one in pwd.getpwall()]
asked = {
    "directory": roles_of([62501], RoleGroups(security="officers")),
    "by number": roles_of([62501], RoleGroups(auditor=62590)),
    "another": roles_of([62502], RoleGroups(security="officers")),
    "two of one person": roles_of([62501, 62502], RoleGroups(security="officers")),
    "successor": roles_of([62503], RoleGroups(security="officers")),
    "successor registered": roles_of([62503], RoleGroups(security="officers"), lambda: [62501, 62503]),
}
said = {name: [sorted(held), sorted(sole)] for name, (held, sole) in asked.items()}
print(json.dumps([[62501 in listed, 62503 in listed], said]))
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A name service without enumeration, and the files of a host that asks it."""
    folder = tmp_path_factory.mktemp("nss")
    source, library = Path(__file__).with_name("nss_directory.c"), folder / "libnss_shoumi.so.2"
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", str(library), str(source)], check=True)
    (folder / "nsswitch.conf").write_text("passwd: files shoumi\ngroup: files shoumi\n")
    (folder / "passwd").write_text("root:x:0:0::/root:/bin/sh\nsun:x:62503:62503::/:/bin/sh\n")
    (folder / "group").write_text(f"root:x:0:\nsun:x:62503:\nofficers:x:{OFFICERS}:sun\n")
    return folder


@needs.needs(needs.is_root, needs.tools("gcc", "unshare", "mount"))
def test_an_administrator_of_a_directory_that_lists_nobody_is_one(directory: Path) -> None:
    mounts = " && ".join(
        f"mount --bind {directory}/{name} /etc/{name}" for name in ("nsswitch.conf", "passwd", "group")
    )
    done = subprocess.run(
        [
            *("unshare", "--mount", "--propagation", "private", "sh", "-c", f'{mounts} && exec "$@"', "sh"),
            *(sys.executable, "-c", _ASK, str(Path(__file__).parents[2])),
        ],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LD_LIBRARY_PATH": str(directory)},
    )
    listed, asked = json.loads(done.stdout)
    assert listed == [False, True]  # else enumeration is on, and this shows nothing
    assert asked["directory"] == [["security"], []]  # sun is listed as a member, and has the role too
    assert asked["by number"] == [["auditor"], []]
    assert asked["another"] == [[], []]
    assert asked["two of one person"] == [["security"], []]
    assert asked["successor"] == [["security"], ["security"]]  # nobody knows of zhao …
    assert asked["successor registered"] == [["security"], []]  # … but the registry


def test_a_local_account_has_the_roles_of_its_first_group_and_of_those_that_list_it() -> None:
    root = pwd.getpwnam("root")
    first = grp.getgrgid(root.pw_gid).gr_name
    held, _ = os_groups.roles_of([root.pw_uid], RoleGroups(system=first, auditor="no-such-group"))
    assert held == {"system"}
    assert os_groups.roles_of([], RoleGroups(system=first)) == (frozenset(), frozenset())


@needs.root
def test_a_process_that_could_act_as_an_officer_makes_its_account_one() -> None:
    """The control socket asks the process for its groups, whatever the name service says by now."""
    with unused_uid() as uid:
        assert os_groups.roles_of([uid], RoleGroups(security=OFFICERS))[0] == frozenset()
        child = Child(uid, None, groups=[OFFICERS])
        try:
            assert os_groups.roles_of([uid], RoleGroups(security=OFFICERS)) == ({"security"}, {"security"})
        finally:
            child.end()


@needs.root
def test_of_a_pile_of_notices_all_are_asked_with_what_ran_within_the_last_second() -> None:
    with unused_uid() as uid:
        theirs, before = frozenset((uid,)), time.monotonic()
        assert not os_groups.lately_running(theirs)
        child = Child(uid, None, groups=[OFFICERS])
        try:
            while OFFICERS not in os_groups.lately_running(theirs):
                assert time.monotonic() < before + 60
                os.sched_yield()
            assert os_groups.lately_running(theirs) == os_groups.running(theirs)
        finally:
            child.end()

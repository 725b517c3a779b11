"""The same place by another mount: rows 1, 3 and 20 of the list in ``docs/limits.md``, and the border of a bound area.

What decides is the label of the inode, so it does not matter through which mount, in whose namespace, or below which
overlay a file is reached.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.demo.actors import ActorIdentity, attempt, become, reading
from agent.simulator import volume_image
from tests import needs
from tests.enforcement import syscalls
from tests.enforcement.scene import (
    CLEARED,
    ROOT,
    SECRET,
    SIZE,
    TOO_LOW,
    UNKNOWN,
    Area,
    Scene,
    refused,
    scene,
    write,
    writing,
)

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-mounts")]


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene() as made:
        yield made


@pytest.fixture(scope="module")
def shared(site: Scene) -> Iterator[Path]:
    """An area on a filesystem that is not its own (tier B): the directory ``area`` of a second volume."""
    with volume_image.volume() as volume:
        for folder in (volume.folder, volume.point):
            folder.chmod(0o755)
        for name in ("area", "beside"):
            folder = volume.point / name
            folder.mkdir()
            folder.chmod(0o777)
            write(folder / "doc.txt")
        site.area(Area("shared", options=("--sharing", "shared")), volume.point / "area")
        try:
            yield volume.point
        finally:
            site.site.shoumi("area", "remove", "shared")


@contextmanager
def mounted(source: str, target: Path, fstype: str = "", flags: int = 0, options: str = "") -> Iterator[Path]:
    target.mkdir()
    target.chmod(0o755)
    syscalls.mount(source, str(target), fstype, flags, options)
    try:
        yield target
    finally:
        syscalls.unmount(str(target))


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A directory outside of every volume that everybody can reach."""
    with tempfile.TemporaryDirectory(prefix="shoumi-elsewhere-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_row_1_a_hard_link_out_of_an_area_on_a_shared_filesystem_cannot_be_made(site: Scene, shared: Path) -> None:
    inside, outside = shared / "area" / "doc.txt", shared / "beside" / "doc.txt"
    for make in (os.link, os.rename):
        assert attempt(ROOT, lambda make=make: make(inside, outside.with_name("out.txt"))).error == "EXDEV"
        assert attempt(ROOT, lambda make=make: make(outside, inside.with_name("in.txt"))).error == "EXDEV"
    assert attempt(ROOT, lambda: os.rename(shared / "area", shared / "elsewhere")).error == "EBUSY"
    refused(site, inside, area="shared")


def test_row_3_a_bind_mount_is_refused(site: Scene, elsewhere: Path) -> None:
    with mounted(str(site.plans), elsewhere / "bind", flags=syscalls.MS_BIND) as bind:
        refused(site, bind / "doc.txt")


def test_row_3_the_volume_mounted_a_second_time_is_refused(site: Scene, elsewhere: Path) -> None:
    device = subprocess.run(
        ["findmnt", "-no", "SOURCE", str(site.site.root)], capture_output=True, text=True, check=True, timeout=30
    ).stdout.strip()
    with mounted(device, elsewhere / "again", fstype="ext4") as again:
        refused(site, again / "plans" / "doc.txt")
        assert attempt(UNKNOWN, reading(again / "public" / "doc.txt")).allowed


def test_row_3_a_user_and_mount_namespace_of_ones_own_is_refused(site: Scene) -> None:
    def inside() -> list[object]:
        done = subprocess.run(
            ["unshare", "-Urm", "cat", str(site.plans / "doc.txt")],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return [len(done.stdout), done.stderr]

    site.mark()
    read, said = attempt(TOO_LOW, inside, 40).value
    if "unshare failed" in said:
        needs.skip_or_fail(f"no user namespaces here: {said.strip()}")
    assert (read, "Operation not permitted" in said) == (0, True)
    [entry] = site.denials(TOO_LOW)
    assert (entry["fsuid"], entry["exe"], entry["rule"]) == (TOO_LOW.uid, os.path.realpath("/bin/cat"), "level")
    assert attempt(CLEARED, inside, 40).value == [len(SECRET), ""]


def test_row_3_a_private_mount_that_nobody_else_sees_is_refused(site: Scene, elsewhere: Path) -> None:
    def through(who: ActorIdentity, name: str) -> Callable[[], int]:
        def act() -> int:
            syscalls.private_mounts()
            syscalls.mount(str(site.plans), str(elsewhere), flags=syscalls.MS_BIND)
            become(who)
            return reading(elsewhere / name)()

        return act

    assert attempt(ROOT, through(TOO_LOW, "doc.txt")).error == "EPERM"
    assert attempt(ROOT, through(CLEARED, "doc.txt")).value == SIZE
    os.mknod(site.plans / "fresh.txt", 0o666)  # made without an open: it has no label yet
    assert attempt(ROOT, through(TOO_LOW, "fresh.txt")).error == "EPERM"


def in_a_namespace(who: ActorIdentity, source: Path, target: Path, act: Callable[[], object]) -> Callable[[], object]:
    """Do *act* as *who* where *source* stands at *target*, as in a container."""

    def there() -> object:
        syscalls.private_mounts()
        syscalls.mount(str(source), str(target), flags=syscalls.MS_BIND)
        become(who)
        return act()

    return there


def test_in_a_container_the_cleared_create_and_read_and_the_others_do_not(site: Scene, elsewhere: Path) -> None:
    new = elsewhere / "made-inside.txt"
    assert attempt(ROOT, in_a_namespace(CLEARED, site.plans, elsewhere, lambda: writing(new))).value == SIZE
    assert attempt(ROOT, in_a_namespace(CLEARED, site.plans, elsewhere, reading(new))).value == SIZE
    refused(site, site.plans / new.name)
    os.mknod(site.plans / "unseen.txt", 0o666)
    site.mark()
    unseen = reading(elsewhere / "unseen.txt")
    assert attempt(ROOT, in_a_namespace(TOO_LOW, site.plans, elsewhere, unseen)).error == "EPERM"
    assert [entry["area"] for entry in site.denials(TOO_LOW)] == ["plans"]


def test_in_a_container_what_is_public_on_the_volume_is_public(site: Scene, elsewhere: Path) -> None:
    for act in (reading(elsewhere / "doc.txt"), lambda: writing(elsewhere / "new.txt")):
        assert attempt(ROOT, in_a_namespace(UNKNOWN, site.public, elsewhere, act)).value == SIZE


def test_a_public_file_is_not_labelled_by_a_name_that_only_its_opener_gave_it(site: Scene) -> None:
    """Whoever binds a folder of their own over an area, in a namespace of their own, labels nothing."""
    write(site.public / "mine.txt")
    act = in_a_namespace(UNKNOWN, site.public, site.plans, reading(site.plans / "mine.txt"))
    attempt(ROOT, act)
    assert attempt(UNKNOWN, reading(site.public / "mine.txt")).value == SIZE


def test_row_20_an_overlay_over_the_area_is_refused(site: Scene, elsewhere: Path) -> None:
    for name in ("upper", "work"):
        (elsewhere / name).mkdir()
        (elsewhere / name).chmod(0o777)
    options = f"lowerdir={site.plans},upperdir={elsewhere}/upper,workdir={elsewhere}/work"
    with mounted("overlay", elsewhere / "over", "overlay", options=options) as over:
        site.mark()
        assert attempt(TOO_LOW, reading(over / "doc.txt")).error == "EPERM"
        assert {entry["area"] for entry in site.denials()} == {"plans"}
        assert attempt(UNKNOWN, lambda: os.close(os.open(over / "doc.txt", os.O_RDWR))).error == "EPERM"  # copies up
        assert not list((elsewhere / "upper").iterdir())


def test_row_20_an_overlay_in_a_user_namespace_is_refused(site: Scene, elsewhere: Path) -> None:
    script = (
        "cd $1 && mkdir upper work over && "
        "mount -t overlay overlay -o lowerdir=$0,upperdir=upper,workdir=work over || exit 9; cat over/doc.txt"
    )
    elsewhere.chmod(0o777)

    def act() -> list[object]:
        folder = elsewhere / str(os.getuid())
        folder.mkdir()
        done = subprocess.run(
            ["unshare", "-Urm", "sh", "-c", script, str(site.plans), str(folder)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return [done.returncode, len(done.stdout), done.stderr]

    site.mark()
    code, read, said = attempt(TOO_LOW, act, 40).value
    if code == 9 or "unshare failed" in said:
        needs.skip_or_fail(f"no overlay in a user namespace here: {said.strip()}")
    assert (code, read, "Operation not permitted" in said) == (1, 0, True)
    assert {entry["area"] for entry in site.denials()} == {"plans"}

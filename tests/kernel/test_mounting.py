"""The mount table is read exactly, and a directory is bound, hidden and shown without touching anybody else's mount."""

import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.kernel import mountinfo, mounting
from agent.kernel.mountinfo import Mount
from agent.simulator import volume_image

pytest_plugins = ("tests.volumes.fixture",)

ROOT = Mount(1, 0, (8, 1), "/", "/", frozenset({"rw"}), (), "ext4", "/dev/sda1", frozenset({"rw"}))


def row(number: int, parent: int, point: str, root: str = "/", device: tuple[int, int] = (8, 2)) -> Mount:
    return replace(ROOT, id=number, parent=parent, point=point, root=root, device=device)


def test_a_row_with_optional_fields_and_escapes_is_read_exactly() -> None:
    line = rb"36 35 98:0 /mnt1 /a\040b\134c\011d rw,noatime shared:1 master:2 - ext3 /dev/\303\251 rw,errors=continue"
    assert mountinfo.parse(line + b"\n") == (
        Mount(
            36,
            35,
            (98, 0),
            "/mnt1",
            "/a b\\c\td",
            frozenset({"rw", "noatime"}),
            ("shared:1", "master:2"),
            "ext3",
            "/dev/é",
            frozenset({"rw", "errors=continue"}),
        ),
    )


def test_a_name_that_is_not_utf8_survives() -> None:
    (only,) = mountinfo.parse(rb"1 0 8:1 / /\377 rw - ext4 x rw")
    assert os.fsencode(only.point) == b"/\xff"


@pytest.mark.parametrize("line", [b"x", b"1 0 8:1 / / rw", b"1 0 8 / / rw - ext4 x rw", b"1 0 8:1 / / rw - ext4"])
def test_a_line_of_another_form_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        mountinfo.parse(line)


@given(st.binary())
def test_any_bytes_give_rows_or_a_value_error(text: bytes) -> None:
    try:
        rows = mountinfo.parse(text)
    except ValueError:
        return
    assert all(isinstance(row, Mount) for row in rows)


NAMES = st.lists(st.sampled_from(["a", "b", "c"]), max_size=4).map(lambda parts: "/" + "/".join(parts))


@given(NAMES, NAMES, NAMES)
def test_inner_and_outer_are_inverse(root: str, point: str, below: str) -> None:
    mount = row(2, 1, point, root)
    path = mountinfo.join(point, below.lstrip("/"))
    inner = mount.inner(path)
    assert inner is not None
    assert mountinfo.within(inner, root)
    assert mount.outer(inner) == path


def test_within_compares_whole_components() -> None:
    assert mountinfo.within("/a/b", "/a")
    assert mountinfo.within("/a", "/")
    assert not mountinfo.within("/ab", "/a")
    assert not mountinfo.within("/a", "/a/b")


def test_a_mount_over_a_directory_shadows_the_older_mounts_below_it() -> None:
    older, over = row(2, 1, "/a/b"), row(3, 1, "/a", device=(8, 3))
    assert mountinfo.resolve("/a/b/c", (ROOT, older)) == older
    assert mountinfo.resolve("/a/b/c", (ROOT, older, over)) == over


def test_the_newest_of_stacked_mounts_is_met() -> None:
    first, second = row(2, 1, "/a"), row(3, 2, "/a", device=(8, 3))
    assert mountinfo.resolve("/a/x", (ROOT, first, second)) == second


def test_a_self_bind_is_told_from_a_volume_mounted_there() -> None:
    volume = row(2, 1, "/a")
    bound = row(3, 2, "/a/plans", root="/plans")
    stranger = row(4, 2, "/a/plans", root="/other")
    assert mountinfo.self_bind("/a", (ROOT, volume)) is None
    assert mountinfo.self_bind("/a/plans", (ROOT, volume, bound)) == bound
    assert mountinfo.self_bind("/a/plans", (ROOT, volume, stranger)) is None


def test_the_table_alone_finds_the_mount_the_kernel_finds() -> None:
    compared = 0
    for found in mountinfo.table():
        rows = mountinfo.table()
        try:
            reached = mountinfo.mount_of(found.point)
        except OSError:  # covered by a later mount, or not ours to look into
            continue
        if rows == mountinfo.table():  # else somebody beside us has mounted or unmounted meanwhile
            compared += 1
            resolved = mountinfo.resolve(found.point, rows)
            assert resolved is not None
            assert resolved.id == reached.id
    assert compared


@pytest.mark.kernel
def test_links_and_renames_stop_at_a_self_bind(volume: volume_image.Volume) -> None:
    area, beside = volume.point / "area", volume.point / "beside"
    area.mkdir()
    beside.mkdir()
    (area / "file").touch()
    mount = mounting.bind_to_itself(str(area))
    assert mounting.bind_to_itself(str(area)) == mount
    for move in (os.link, os.rename):
        with pytest.raises(OSError) as refused:
            move(area / "file", beside / "file")
        assert refused.value.errno == errno.EXDEV
    with pytest.raises(OSError) as busy:
        area.rename(volume.point / "renamed")
    assert busy.value.errno == errno.EBUSY
    assert mounting.unbind(str(area))
    assert not mounting.unbind(str(area))
    os.link(area / "file", beside / "file")


@pytest.mark.kernel
def test_a_hidden_area_is_empty_and_comes_back(ext4: volume_image.Volume) -> None:
    area = ext4.point / "area"
    area.mkdir()
    (area / "file").write_text("secret")
    for cover in (area, ext4.point):
        mounting.hide(str(cover))
        mounting.hide(str(cover))
        assert not (area / "file").exists()
        assert mounting.hidden(str(area))
        with pytest.raises(OSError):
            (area / "new").touch()
        assert mounting.unhide(str(area))
        assert not mounting.unhide(str(area))
        assert (area / "file").read_text() == "secret"


@pytest.mark.kernel
def test_a_cover_is_never_taken_for_the_directory_below_it(ext4: volume_image.Volume) -> None:
    area = ext4.point / "area"
    area.mkdir()
    mounting.hide(str(area))
    with pytest.raises(OSError) as busy:
        mounting.bind_to_itself(str(area))
    assert busy.value.errno == errno.EBUSY
    mounting.unhide(str(area))
    bound = mounting.bind_to_itself(str(area))
    mounting.hide(str(area))
    assert mounting.bind_to_itself(str(area)) == bound


@pytest.mark.kernel
def test_what_is_missing_stays_missing_with_and_without_a_cover(ext4: volume_image.Volume) -> None:
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            mounting.reach(str(ext4.point / "missing"))
        mounting.hide(str(ext4.point))


@pytest.mark.kernel
@pytest.mark.parametrize("covered", [(".",), ("area",), ("area", "."), ("area/deep",), ("area", "area/deep")])
def test_below_a_cover_the_agent_alone_can_look(ext4: volume_image.Volume, covered: tuple[str, ...]) -> None:
    area = ext4.point / "area" / "deep"
    area.mkdir(parents=True)
    (area / "file").touch()
    expected = area.stat().st_ino
    for place in reversed(covered):
        mounting.hide(str(ext4.point / place))
    descriptor = mounting.reach(str(area))
    try:
        assert os.fstat(descriptor).st_ino == expected
        assert not (area / "file").exists()
        assert mounting.hidden(str(area))
    finally:
        os.close(descriptor)


SHARED = """
import os, sys
from agent.kernel import mounting
mounting.hide(sys.argv[1])
os.close(mounting.reach(sys.argv[1]))
assert mounting.hidden(sys.argv[1]), "looking below the cover took it off for everybody"
"""


@pytest.mark.kernel
def test_looking_below_a_cover_does_not_lift_it_where_mounts_propagate(ext4: volume_image.Volume) -> None:
    namespace = ["unshare", "--mount", "--propagation", "shared"]
    done = subprocess.run(
        [*namespace, sys.executable, "-c", SHARED, ext4.point], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.kernel
def test_unhiding_leaves_a_strangers_mount_alone(tmpfs: Path) -> None:
    assert not mounting.hidden(str(tmpfs))
    assert not mounting.unhide(str(tmpfs))
    assert mountinfo.mount_of(str(tmpfs)).source == "shoumi-test"


DIES = """
import os, signal, sys
from agent.kernel import mounting
from agent.simulator import volume_image as image
with image.volume() as volume:
    area = volume.point / "area"
    area.mkdir()
    mounting.bind_to_itself(str(area))
    mounting.hide(str(area))
    print(volume.folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.kernel
def test_the_volume_of_a_run_that_was_killed_is_removed_by_the_next(ext4: volume_image.Volume) -> None:
    killed = subprocess.run([sys.executable, "-c", DIES], capture_output=True, text=True, check=False)
    left = Path(killed.stdout.strip())
    assert left.name.startswith(volume_image.PREFIX)
    volume_image.reclaim()
    assert not left.exists()
    assert not [mount for mount in mountinfo.table() if mountinfo.within(mount.point, str(left))]
    assert ext4.point.is_mount(), "the volume of a living run stays"

"""A mount is made where nobody sees it, then moved; options are read as mount(8) does; an image has one device."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.demo.shared import wait_until
from agent.kernel import loop_device, mountinfo, mounting, new_mount
from agent.kernel.new_mount import NOATIME, NODEV, NOEXEC, NOSUID, RDONLY, MountOptions
from agent.simulator import volume_image
from tests import needs


@pytest.mark.parametrize(
    ("text", "attributes", "parameters"),
    [
        ("", NOSUID | NODEV, ()),
        ("defaults,nofail,noauto,x-systemd.automount,_netdev,loop", NOSUID | NODEV, ()),
        ("suid,dev,exec", 0, ()),
        ("ro,noatime,noexec", RDONLY | NOSUID | NODEV | NOATIME | NOEXEC, ("ro",)),
        ("noatime,relatime,data=ordered,discard", NOSUID | NODEV, ("data=ordered", "discard")),
    ],
)
def test_options_are_read(text: str, attributes: int, parameters: tuple[str, ...]) -> None:
    assert new_mount.options(text) == MountOptions(attributes, parameters)


@given(st.text(alphabet="abnosuidevxr-=,._ ", max_size=60))
def test_no_word_of_the_filesystem_is_lost_and_set_user_id_needs_its_word(text: str) -> None:
    found = new_mount.options(text)
    words = text.split(",")
    assert set(found.parameters) <= set(words)
    assert found.attributes & NOSUID or "suid" in words


@pytest.fixture
def image(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "image"
    with file.open("wb") as made:
        made.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(file)], check=True)
    yield file
    mounting.unmount_below(str(tmp_path))


def freed(image: Path) -> bool:
    """Wait until no device shows *image*: an agent beside us looks at every device, and copies every mount."""
    return wait_until(lambda: loop_device.of_image(str(image)) is None, 30)


@needs.small_disk
def test_a_mount_is_seen_by_nobody_until_it_is_moved(image: Path, tmp_path: Path) -> None:
    point = tmp_path / "point"
    point.mkdir()
    node, loop = loop_device.open_image(str(image))
    mount = new_mount.make(node, "ext4", new_mount.options("noatime"))
    os.close(loop)
    try:
        number = os.stat(node).st_rdev
        device = os.major(number), os.minor(number)
        assert device not in [row.device for row in mountinfo.table()]
        assert os.listdir(point) == []
        new_mount.move(mount, str(point))
    finally:
        os.close(mount)
    assert os.listdir(point) == ["lost+found"]
    [row] = [row for row in mountinfo.table() if row.device == device]
    assert {"nosuid", "nodev", "noatime"} <= row.options
    with mounting.pinned(device) as mounted:
        assert mounted
        mounting.hide(str(point))
        mounting.unmount_filesystem(device)
    assert os.listdir(point) == []
    assert freed(image)


@needs.small_disk
def test_a_mount_that_is_never_moved_goes_with_its_descriptor(image: Path) -> None:
    node, loop = loop_device.open_image(str(image))
    mount = new_mount.make(node, "ext4", new_mount.options(""))
    os.close(loop)
    assert loop_device.of_image(str(image)) is not None
    os.close(mount)
    assert freed(image)


@needs.small_disk
def test_an_image_has_one_loop_device(image: Path) -> None:
    first, one = loop_device.open_image(str(image))
    second, two = loop_device.open_image(str(image))
    assert first == second
    os.close(one)
    assert loop_device.of_image(str(image)) is not None
    assert loop_device.backing_file(os.fstat(two).st_rdev) == str(image)
    os.close(two)
    assert freed(image)


@needs.small_disk
def test_what_the_kernel_says_is_in_the_error(image: Path) -> None:
    node, loop = loop_device.open_image(str(image))
    try:
        with pytest.raises(OSError, match="nonsense"):
            new_mount.make(node, "ext4", new_mount.options("nonsense=1"))
        with pytest.raises(OSError) as wrong:
            new_mount.make(node, "xfs", new_mount.options(""))
        assert wrong.value.errno
        with pytest.raises(OSError):
            new_mount.make(node, "no-such-type", new_mount.options(""))
    finally:
        os.close(loop)


@needs.small_disk
def test_unmounting_a_filesystem_leaves_every_other_one() -> None:
    with volume_image.volume() as stays, volume_image.volume() as goes:
        (goes.point / "below").mkdir()
        bound = stays.folder / "bound"
        bound.mkdir()
        subprocess.run(["mount", "--bind", str(goes.point), str(bound)], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(goes.point / "below")], check=True)
        number = os.stat(goes.point).st_dev
        device = os.major(number), os.minor(number)
        held = os.open(goes.point, os.O_PATH)  # so that no filesystem of somebody beside us gets its number
        with mounting.pinned(device) as mounted:
            assert mounted
            mounting.unmount_filesystem(device)
        points = [row.point for row in mountinfo.table()]
        assert str(stays.point) in points
        assert not {str(goes.point), str(bound), str(goes.point / "below")} & {*points}
        with mounting.pinned(device) as mounted:
            assert not mounted
        os.close(held)

"""What is on a disk is said, and only what is empty is called that."""

import os
import struct
import subprocess
from pathlib import Path

import pytest

from agent.disks import contents, creation, holders, luks, opening
from agent.errors import RefusedError
from agent.kernel import loop_device
from agent.simulator import volume_image
from tests import needs
from tests.sentences import en

pytestmark = needs.small_disk
MIB = 1 << 20


def disk(path: Path, size: int = 16 * MIB) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    return path


def test_an_image_of_zeros_is_empty_and_one_byte_is_data(tmp_path: Path) -> None:
    image = disk(tmp_path / "image")
    assert contents.why_not_empty(str(image)) is None
    for place in (0, MIB - 1, 15 * MIB, 16 * MIB - 1):
        disk(image)
        with image.open("r+b") as file:
            file.seek(place)
            file.write(b"x")
        why = contents.why_not_empty(str(image))
        assert why is not None, place
        assert "not recognised" in en(why)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (("mkfs.ext4", "-q", "-F"), "ext4"),
        (("mkswap", "-q"), "swap"),
    ],
)
def test_what_is_there_is_named(tmp_path: Path, make: tuple[str, ...], kind: str) -> None:
    image = disk(tmp_path / "image")
    subprocess.run([*make, str(image)], check=True, capture_output=True)
    why = contents.why_not_empty(str(image))
    assert why is not None
    assert kind in en(why)
    with pytest.raises(RefusedError, match=r"disks.device-not-empty"):
        creation.plan(str(image), "ext4", None, encrypted=False, key="")


def test_a_partition_table_is_something(tmp_path: Path) -> None:
    image = disk(tmp_path / "image")
    with image.open("r+b") as file:
        file.seek(446)
        file.write(struct.pack("<B3sB3sII", 0, bytes(3), 0x83, bytes(3), 2048, 2048) + bytes(48) + b"\x55\xaa")
    assert "dos" in en(contents.why_not_empty(str(image)))  # type: ignore[union-attr]


def test_a_disk_in_use_is_not_empty(tmp_path: Path) -> None:
    image = disk(tmp_path / "image")
    node, descriptor = loop_device.open_image(str(image))
    try:
        assert "in use as" in en(contents.why_not_empty(str(image)))  # type: ignore[union-attr]
        assert contents.why_not_empty(node) is None
        claimed = os.open(node, os.O_RDONLY | os.O_EXCL)
        try:
            assert "in use" in en(contents.why_not_empty(node))  # type: ignore[union-attr]
        finally:
            os.close(claimed)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("fstype", ["ext4", "xfs"])
def test_a_new_image_has_its_room_and_a_filesystem_that_can_be_opened(tmp_path: Path, fstype: str) -> None:
    image, size = tmp_path / "image", {"ext4": 16, "xfs": 300}[fstype] * MIB
    made = creation.make(creation.plan(str(image), fstype, size, encrypted=False, key=""))
    assert (image.stat().st_size, image.stat().st_blocks * 512 >= size) == (size, True)
    assert image.stat().st_mode & 0o777 == 0o600
    opened = opening.open_disk(str(image), made.uuid)
    try:
        assert opened.fstype == fstype
        assert opening.numbers(str(image), made.uuid) == {os.stat(opened.node).st_rdev}
    finally:
        opened.close()
    with pytest.raises(RefusedError, match=r"disks.other-volume-found"):
        opening.open_disk(str(image), "0000-0000")


def test_nothing_is_left_of_an_image_that_could_not_be_made(tmp_path: Path) -> None:
    image = tmp_path / "image"
    with pytest.raises(RefusedError, match=r"mkfs\.xfs"):
        creation.make(creation.VolumePlan(str(image), "xfs", 16 * MIB, new=True, key=""))
    assert not image.exists()


def test_what_became_full_after_the_plan_is_not_touched(tmp_path: Path) -> None:
    image = disk(tmp_path / "image")
    wanted = creation.plan(str(image), "ext4", None, encrypted=False, key="")
    image.write_bytes(b"somebody's" + bytes(16 * MIB))
    with pytest.raises(RefusedError, match=r"disks.device-not-empty"):
        creation.make(wanted)
    assert image.read_bytes().startswith(b"somebody's")


@pytest.mark.parametrize(
    ("size", "fstype", "encrypted", "why"),
    [
        (None, "ext4", False, r"common.does-not-exist"),
        (MIB, "ext4", False, r"disks.volume-too-small"),
        (99 * MIB, "xfs", False, r"disks.volume-too-small"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    tmp_path: Path, size: int | None, fstype: str, encrypted: bool, why: str
) -> None:
    with pytest.raises(RefusedError, match=why):
        creation.plan(str(tmp_path / "image"), fstype, size, encrypted=encrypted, key="")


def test_a_key_that_others_can_read_is_none(tmp_path: Path) -> None:
    key = tmp_path / "key"
    for text, mode in (("", 0o400), ("secret", 0o440), ("secret", 0o404)):
        key.unlink(missing_ok=True)
        key.write_text(text)
        key.chmod(mode)
        with pytest.raises(RefusedError, match=r"disks.key-file-unsafe"):
            luks.check_key(str(key))
    key.chmod(0o400)
    luks.check_key(str(key))
    link = tmp_path / "link"
    link.symlink_to(key)
    with pytest.raises(RefusedError):
        luks.check_key(str(link))
    with pytest.raises(RefusedError, match=r"disks.key-file-unreadable"):
        luks.check_key(str(tmp_path / "none"))


def test_who_holds_a_filesystem_is_named(tmp_path: Path) -> None:
    with volume_image.volume() as volume:
        number = os.stat(volume.point).st_dev
        file = volume.point / "file"
        file.write_bytes(bytes(MIB))
        below, kept = loop_device.open_image(str(file))
        with file.open("rb") as given:
            process = subprocess.Popen(["sleep", "60"], cwd=volume.point, stdin=given)
        try:
            while Path(f"/proc/{process.pid}/comm").read_text() != "sleep\n":
                pass  # it has its name a moment after it was started
            found = {(one.how, one.what, one.pid) for one in holders.holders(number)}
            assert ("mount", str(volume.point), 0) in found
            assert ("open", "sleep", process.pid) in found
            assert ("inside", "sleep", process.pid) in found
            assert ("loop", below, 0) in found
        finally:
            process.kill()
            process.wait()
            os.close(kept)
        assert holders.taken(loop_device.of_image(str(volume.folder / "image")).node)  # type: ignore[union-attr]

"""A look-up that stays on its mount, by openat2(2) and without it: both lead to the same, or nowhere."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.kernel import beneath, mounting
from tests import needs

both = pytest.mark.parametrize("look", [beneath.look, beneath.step_by_step], ids=["openat2", "step by step"])
Look = Callable[[int, str], int]


@pytest.fixture
def top(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "a.txt").write_text("x")
    (tmp_path / "link").symlink_to("in")
    fd = os.open(tmp_path / "in", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    yield fd
    os.close(fd)


def _found(look: Look, start: int, name: str) -> os.stat_result:
    fd = look(start, name)
    try:
        return os.fstat(fd)
    finally:
        os.close(fd)


@both
def test_it_finds_what_is_below_and_the_start_itself(top: int, tmp_path: Path, look: Look) -> None:
    assert _found(look, top, "deep/a.txt").st_ino == (tmp_path / "in" / "deep" / "a.txt").stat().st_ino
    assert _found(look, top, ".").st_ino == (tmp_path / "in").stat().st_ino


@both
@pytest.mark.parametrize("name", ["..", "deep/../..", "/etc/passwd", "deep/missing", "deep/a.txt/b", "deep/out/passwd"])
def test_nothing_above_or_elsewhere_is_reached(top: int, tmp_path: Path, look: Look, name: str) -> None:
    (tmp_path / "in" / "deep" / "out").symlink_to("/etc")
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError):
        look(top, name)
    assert len(os.listdir("/proc/self/fd")) == before


@both
def test_the_last_name_may_be_a_link_and_is_the_link(top: int, tmp_path: Path, look: Look) -> None:
    (tmp_path / "in" / "last").symlink_to("deep")
    assert _found(look, top, "last").st_ino == (tmp_path / "in" / "last").lstat().st_ino


@both
@needs.root
def test_what_is_mounted_on_the_way_leads_nowhere(top: int, tmp_path: Path, look: Look) -> None:
    place = str(tmp_path / "in" / "deep")
    mounting.mount("none", place, "tmpfs", 0)
    try:
        with pytest.raises(OSError) as raised:
            look(top, "deep")
        assert raised.value.errno == errno.EXDEV
    finally:
        mounting.unmount_below(place)
    assert _found(look, top, "deep/a.txt").st_size == 1

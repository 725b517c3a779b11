"""An empty file that a refused open has made goes away, and nothing else ever does."""

import fcntl
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.kernel import newborn, rename
from tests import needs

pytestmark = needs.root


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    """Return a descriptor for reading of an empty file, as an event has."""
    path = tmp_path / "new.txt"
    path.touch()
    opened = os.open(path, os.O_RDONLY)
    yield opened
    os.close(opened)


def discarded(fd: int, owner: int) -> bool:
    """Remove it in a thread of its own, which becomes the owner."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(newborn.discard, fd, owner).result(20)


def test_an_empty_file_of_the_refused_goes_away(fd: int, tmp_path: Path) -> None:
    assert newborn.is_newborn(fd, os.fstat(fd))
    assert discarded(fd, os.geteuid())
    assert os.listdir(tmp_path) == []


def test_it_waits_until_the_refused_open_itself_is_gone(fd: int, tmp_path: Path) -> None:
    refused = os.open(tmp_path / "new.txt", os.O_RDWR)
    threading.Timer(0.1, os.close, (refused,)).start()
    assert discarded(fd, os.geteuid())


def test_what_somebody_has_open_for_writing_stays(fd: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newborn, "_PATIENCE", 0.05)
    with (tmp_path / "new.txt").open("r+"):
        assert not discarded(fd, os.geteuid())
    assert os.listdir(tmp_path) == ["new.txt"]


_STAYS = {
    "it has content": lambda path: path.write_text("x"),
    "it has another name": lambda path: os.link(path, path.with_name("other")),
    "it was deleted, and another one has its name": lambda path: (path.unlink(), path.touch()),
}


@pytest.mark.parametrize("change", _STAYS.values(), ids=_STAYS)
def test_what_somebody_could_miss_stays(fd: int, tmp_path: Path, change) -> None:
    change(tmp_path / "new.txt")
    before = {name: os.stat(tmp_path / name).st_ino for name in os.listdir(tmp_path)}
    assert not discarded(fd, os.geteuid())
    assert {name: os.stat(tmp_path / name).st_ino for name in os.listdir(tmp_path)} == before


def test_what_belongs_to_somebody_else_stays(fd: int, tmp_path: Path) -> None:
    assert not discarded(fd, os.geteuid() + 1)
    assert os.listdir(tmp_path) == ["new.txt"]


def test_what_takes_its_name_in_that_moment_stays(fd: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody saves a document over it, between the look and the removal."""
    moved, move = [], rename.move

    def after_a_save(name: str, *words: object) -> None:
        if not moved:
            moved.append(name)
            (tmp_path / "saved").write_text("a day's work")
            (tmp_path / "saved").replace(tmp_path / "new.txt")
        move(name, *words)  # type: ignore[arg-type]

    monkeypatch.setattr(newborn.rename, "move", after_a_save)
    assert not discarded(fd, os.geteuid())
    assert moved
    assert (tmp_path / "new.txt").read_text() == "a day's work"
    assert os.listdir(tmp_path) == ["new.txt"]


def test_who_asks_to_write_meanwhile_gets_the_file(fd: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They wait for the lease, and what they write then must not be lost."""
    move = rename.move
    wrote: list[threading.Thread] = []

    def write() -> None:
        (tmp_path / "new.txt").open("r+").close()

    def after_somebody_asked(name: str, *words: object) -> None:
        if not wrote:
            wrote.append(threading.Thread(target=write))
            wrote[0].start()
            while fcntl.fcntl(fd, fcntl.F_GETLEASE) == fcntl.F_RDLCK:
                time.sleep(0.001)
        move(name, *words)  # type: ignore[arg-type]

    monkeypatch.setattr(newborn.rename, "move", after_somebody_asked)
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    try:
        assert not discarded(fd, os.geteuid())
    finally:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        wrote[0].join(20)
        signal.signal(signal.SIGIO, before)
    assert os.listdir(tmp_path) == ["new.txt"]


def test_what_is_older_than_a_moment_is_not_new(fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(newborn.time, "time", lambda: now + 60)
    assert not newborn.is_newborn(fd, os.fstat(fd))


_REFUSED = 61_777


def _of_the_refused(folder: Path, mode: int, gid: int = _REFUSED) -> int:
    path = folder / "new.txt"
    path.touch()
    os.chown(path, _REFUSED, gid)
    folder.chmod(mode)
    return os.open(path, os.O_RDONLY)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody reaches."""
    with tempfile.TemporaryDirectory(prefix="shoumi-newborn-") as made:
        yield Path(made)


_FOLDERS = {
    "everybody may write there": (0o777, 0, True),
    "everybody may write there, and take away what is theirs": (0o1777, 0, True),
    "the group of the file may": (0o2770, 61_778, True),
    "nobody but root may": (0o755, 0, False),
    "another group may": (0o770, 61_778, False),
}


@pytest.mark.parametrize(("mode", "gid", "gone"), _FOLDERS.values(), ids=_FOLDERS)
def test_it_goes_by_the_rights_of_whoever_was_refused(open_folder: Path, mode: int, gid: int, gone: bool) -> None:
    os.chown(open_folder, 0, gid)
    made = _of_the_refused(open_folder, mode, gid if mode & 0o2000 else _REFUSED)
    try:
        assert discarded(made, _REFUSED) is gone
    finally:
        os.close(made)
    assert os.listdir(open_folder) == ([] if gone else ["new.txt"])


def test_a_path_that_means_another_file_by_then_moves_nothing(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link in the place of a folder, or a mount of another namespace, leads to a file of root's."""
    victims = open_folder / "root"
    victims.mkdir()
    (victims / "new.txt").write_text("root's")
    victims.chmod(0o1777)
    made = _of_the_refused(open_folder, 0o777)
    monkeypatch.setattr(newborn.os, "readlink", lambda _path: str(victims / "new.txt"))
    monkeypatch.setattr(newborn.rename, "move", lambda *_words: pytest.fail("it was moved"))
    try:
        assert not discarded(made, _REFUSED)
    finally:
        os.close(made)
    assert os.listdir(victims) == ["new.txt"]


def test_not_even_an_exchange_in_that_moment_touches_what_is_roots(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (open_folder / "roots").write_text("root's")
    made = _of_the_refused(open_folder, 0o1777)
    move = rename.move

    def after_an_exchange(*words: object) -> None:
        if (open_folder / "roots").exists():
            subprocess.run(["mv", "-f", open_folder / "roots", open_folder / "new.txt"], check=True)
        move(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(newborn.rename, "move", after_an_exchange)
    try:
        assert not discarded(made, _REFUSED)
    finally:
        os.close(made)
    assert (open_folder / "new.txt").read_text() == "root's"
    assert os.listdir(open_folder) == ["new.txt"]

"""SQLite on a disk without room, with blocks smaller than a page of memory: an error, and never SIGBUS.

Every attempt is a process of its own, because what is tried ends processes. Needs root; the image is undone.
"""

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import pytest

from agent.runtime import sqlite_files, wal_index
from tests import ROOT, needs
from tests.log.disk import loop_mounted, make_image

ROOM = (9_216, 8_192, 0)  # bytes free: with the first two, a plain SQLite gives blocks to some of each page and dies
OURS = "from agent.runtime.sqlite_files import connect as c; d = c(p, 'rw')"
PLAIN = "import sqlite3; d = sqlite3.connect(p, isolation_level=None)"
TRIED = """
import sqlite3, sys; from pathlib import Path
p = Path(sys.argv[1])
try:
    {opening}
    d.execute('SELECT count(*) FROM rows').fetchone(); print('read')
    while True: d.execute('INSERT INTO rows VALUES (randomblob(3000))'); print('wrote')
except sqlite3.Error as error: print(error, flush=True)
"""

pytestmark = [pytest.mark.kernel, needs.small_disk]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    make_image(tmp_path / "image", "16M", "-b", "1024")
    with loop_mounted(tmp_path / "image", tmp_path / "disk") as folder:
        with closing(sqlite_files.connect(folder / "some.db", "rwc", wal=True)) as made:
            made.execute("CREATE TABLE rows (row BLOB)")
        yield folder


def filled(folder: Path, room: int) -> None:
    spare = folder / "spare"
    spare.write_bytes(b"x" * room)
    with (folder / "ballast").open("ab", buffering=0) as ballast:
        size = 1 << 20
        while size:
            try:
                ballast.write(b"x" * size)
            except OSError:
                size //= 2
        os.fsync(ballast.fileno())
    spare.unlink()
    os.sync()


def tried(opening: str, file: Path) -> tuple[int, list[str]]:
    program = TRIED.format(opening=opening)
    done = subprocess.run([sys.executable, "-c", program, file], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("room", ROOM)
def test_a_process_that_finds_no_room_gets_an_error(disk: Path, room: int) -> None:
    filled(disk, room)
    ended, said = tried(OURS, disk / "some.db")
    assert (ended, said[-1]) == (0, "database or disk is full")


def test_the_disk_is_one_that_ends_a_plain_sqlite(disk: Path) -> None:
    filled(disk, ROOM[0])
    assert tried(PLAIN, disk / "some.db")[0] == -signal.SIGBUS


def test_who_has_it_open_when_the_disk_fills_up_goes_on_reading_and_so_do_those_who_come(disk: Path) -> None:
    with closing(sqlite_files.connect(disk / "some.db", "rw")) as open_before:
        open_before.execute("INSERT INTO rows VALUES (1)")
        filled(disk, 0)
        ended, said = tried(OURS, disk / "some.db")
        assert (ended, said[0], said[-1]) == (0, "read", "database or disk is full")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            open_before.execute("INSERT INTO rows VALUES (randomblob(2000000))")
        assert open_before.execute("SELECT count(*) FROM rows").fetchone()[0] >= 1
        (disk / "ballast").unlink()
        open_before.execute("INSERT INTO rows VALUES (2)")


def test_a_long_log_gets_its_index_before_it_grows(tmp_path: Path) -> None:
    with closing(sqlite_files.connect(tmp_path / "some.db", "rwc", wal=True)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE rows (row BLOB)")
        index = tmp_path / "some.db-shm"
        before = index.stat()
        assert before.st_blocks * 512 >= before.st_size == 5 * 32_768
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("INSERT INTO rows VALUES (zeroblob(20000000))")
        connection.widen()
        assert index.stat().st_size == 6 * 32_768
        assert index.stat().st_blocks * 512 >= index.stat().st_size


def _holding(file: Path, pipe: Pipe) -> None:
    with closing(sqlite_files.connect(file, "ro")) as held:
        pipe.send(held.execute("SELECT count(*) FROM rows").fetchone())
        pipe.recv()
        pipe.send(held.execute("SELECT count(*) FROM rows").fetchone())
        pipe.recv()


def test_others_keep_their_index_and_the_last_one_takes_it_away(tmp_path: Path) -> None:
    file = tmp_path / "some.db"
    with closing(sqlite_files.connect(file, "rwc", wal=True)) as made:
        made.execute("CREATE TABLE rows (row BLOB)")
    assert not file.with_name("some.db-shm").exists()
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    other = context.Process(target=_holding, args=(file, theirs))
    other.start()
    try:
        assert ours.recv() == (0,)
        for _ in range(3):
            with closing(sqlite_files.connect(file, "rw")) as writer:
                writer.execute("INSERT INTO rows VALUES (1)")
        ours.send("again")
        assert ours.recv() == (3,)
        assert file.with_name("some.db-shm").exists()
        ours.send("end")
    finally:
        other.join(10)
        other.kill()
    with closing(sqlite_files.connect(file, "rw")) as last:
        assert last.execute("SELECT count(*) FROM rows").fetchone() == (3,)
    assert not file.with_name("some.db-shm").exists()


def test_what_is_left_by_somebody_who_was_killed_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "some.db"
    program = TRIED.replace("while True: d", "d").replace("print('wrote')", "__import__('os').kill(0, 9)")
    with closing(sqlite_files.connect(file, "rwc", wal=True)) as made:
        made.execute("CREATE TABLE rows (row BLOB)")
    command = [sys.executable, "-c", program.format(opening=OURS), file]
    subprocess.run(command, cwd=ROOT, start_new_session=True, check=False)
    index = file.with_name("some.db-shm")
    index.write_bytes(b"\xff" * index.stat().st_size)  # as nobody left it, and nobody may believe
    with closing(sqlite_files.connect(file, "rw")) as after:
        assert after.execute("SELECT count(*) FROM rows").fetchone() == (1,)


HAS_IT_FOR_ITSELF = """
import fcntl, sys
file = open(sys.argv[1], "r+b")
fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, (1 << 30) + 2)
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_process_that_ends_the_log_is_waited_for(tmp_path: Path) -> None:
    """SQLite locks the whole database for the last connection that closes, while it removes the log."""
    file = tmp_path / "some.db"
    with closing(sqlite_files.connect(file, "rwc", wal=True)) as made:
        made.execute("CREATE TABLE rows (row BLOB)")
    command = [sys.executable, "-c", HAS_IT_FOR_ITSELF, file]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other,
        ThreadPoolExecutor() as pool,
    ):
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            sqlite_files.connect(file, "rw", timeout=0.01)
        assert not wal_index._databases  # noqa: SLF001 - what no descriptor shows
        waiting = pool.submit(sqlite_files.connect, file, "rw", timeout=60)
        other.stdin.close()
        with closing(waiting.result(60)) as opened:
            assert opened.execute("SELECT count(*) FROM rows").fetchone() == (0,)


def test_descriptors_go_with_the_last_connection(tmp_path: Path) -> None:
    file = tmp_path / "some.db"
    before = len(os.listdir("/proc/self/fd"))
    with (
        closing(sqlite_files.connect(file, "rwc", wal=True)) as one,
        closing(sqlite_files.connect(file, "ro")) as two,
    ):
        one.close()
        assert two.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert len(os.listdir("/proc/self/fd")) == before
    assert not wal_index._databases  # noqa: SLF001 - what no descriptor shows

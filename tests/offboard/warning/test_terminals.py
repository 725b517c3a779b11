"""A warning on real terminals: only those of the account, without waiting, and with nothing that steers a terminal."""

import os
import re
import select
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.offboard.warning import terminals
from tests import needs
from tests.offboard.host import unused_uid

pytestmark = needs.root


@contextmanager
def terminal_of(uid: int) -> Iterator[tuple[int, int]]:
    """A pseudo-terminal whose device *uid* owns: its screen, and the device."""
    screen, own = os.openpty()
    try:
        tty.setraw(own)
        os.fchown(own, uid, -1)
        yield screen, own
    finally:
        os.close(own)
        os.close(screen)


def shown(screen: int) -> bytes:
    return os.read(screen, 4096) if select.select([screen], [], [], 0)[0] else b""


def test_every_terminal_of_the_account_shows_it_and_no_other() -> None:
    with unused_uid() as uid, unused_uid() as other:
        with terminal_of(uid) as (first, _), terminal_of(uid) as (second, _), terminal_of(other) as (third, _):
            assert terminals.write(uid, ["守密: 甲", "Shoumi: a"]) == 2
            assert shown(first) == shown(second) == "\r\n守密: 甲\r\nShoumi: a\r\n".encode()
            assert shown(third) == b""
        assert terminals.write(uid, ["gone"]) == 0


def test_a_terminal_of_another_mount_namespace_is_not_reached() -> None:
    """A container has terminals of its own, under the same names."""
    code = (
        "import os, sys\n"
        "screen, own = os.openpty()\n"
        "os.fchown(own, int(sys.argv[1]), -1)\n"
        "print(os.ttyname(own), flush=True)\n"
        "input()\n"
        "os.set_blocking(screen, False)\n"
        "try:\n    print(len(os.read(screen, 100)), flush=True)\nexcept BlockingIOError:\n    print(0, flush=True)\n"
    )
    mount = "mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts && mount --bind /dev/pts/ptmx /dev/ptmx"
    words = ("unshare", "--mount", "--propagation", "private", "sh", "-c", f'{mount} && exec "$@"', "sh")
    with unused_uid() as uid:
        argv = [*words, sys.executable, "-c", code, str(uid)]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as inside:
            assert inside.stdout
            assert inside.stdin
            try:
                assert inside.stdout.readline().startswith("/dev/pts/")
                assert terminals.write(uid, ["x"]) == 0
                inside.stdin.write("\n")
                inside.stdin.flush()
                assert inside.stdout.readline() == "0\n"
            finally:
                inside.kill()


def test_a_terminal_that_was_stopped_is_left_out_and_nobody_waits() -> None:
    with unused_uid() as uid, terminal_of(uid) as (_, own):
        termios.tcflow(own, termios.TCOOFF)
        begun = time.monotonic()
        assert terminals.write(uid, ["x"]) == 0
        assert time.monotonic() - begun < 1
        termios.tcflow(own, termios.TCOON)
        assert terminals.write(uid, ["x"]) == 1


def test_what_is_written_is_bounded() -> None:
    with unused_uid() as uid, terminal_of(uid) as (screen, _):
        assert terminals.write(uid, ["x" * 100_000]) == 1
        assert len(shown(screen)) <= 2_002


def test_a_link_among_the_terminals_is_no_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with unused_uid() as uid, terminal_of(uid) as (screen, own):
        device = os.ttyname(own)
        (tmp_path / "7").symlink_to(device)
        (tmp_path / "8").write_text("keep")
        os.chown(tmp_path / "8", uid, -1)
        monkeypatch.setattr(terminals, "_PLACES", ((str(tmp_path), re.compile("[0-9]"), range(136, 144)),))
        assert terminals.write(uid, ["x"]) == 0
        assert shown(screen) == b""
        assert (tmp_path / "8").read_text() == "keep"

"""An event that the kernel cannot open for us is denied and in the log, whether or not the kernel says whose it is."""

import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.demo.record import LogPosition
from agent.demo.shared import wait_until
from agent.kernel import fanotify
from agent.simulator import volume_image
from tests.guard.running import deciding

pytest_plugins = ("tests.volumes.fixture",)
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")  # Python 3.12 on

_OPENER = """
import os, sys
for line in sys.stdin:
    try:
        os.close(os.open(sys.argv[1], os.O_RDONLY))
        print("open", flush=True)
    except OSError as error:
        print(error.errno, flush=True)
"""


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Nothing new can be opened in this process."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.kernel
@pytest.mark.parametrize("optional", [fanotify.OPTIONAL_FLAGS, 0], ids=["named", "as before 6.12"])
def test_it_is_denied_and_recorded_and_the_decider_lives_on(
    ext4: volume_image.Volume, tmp_path: Path, optional: int
) -> None:
    file = ext4.point / "a"
    file.write_text("content")
    opens = fanotify.init(optional=optional)
    dead_man = threading.Timer(100, os.close, (opens,))
    dead_man.start()
    command = [sys.executable, "-I", "-S", "-c", _OPENER, file]
    try:
        with (
            deciding(tmp_path, opens) as (_, home),
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as opener,
        ):
            record = LogPosition(home.log)

            def opened() -> str:
                assert opener.stdin
                assert opener.stdout
                opener.stdin.write("\n")
                opener.stdin.flush()
                return opener.stdout.readline().strip()

            assert opened() == "open"
            fanotify.mark(
                opens, fanotify.FAN_MARK_ADD | fanotify.FAN_MARK_FILESYSTEM, fanotify.FAN_OPEN_PERM, str(ext4.point)
            )
            record.fresh()
            with no_descriptor_left():
                assert opened() == "1"
            found: list[dict[str, object]] = []

            def told() -> bool:
                found.extend(entry for entry in record.fresh() if entry["kind"] == "access")
                return bool(found)

            assert wait_until(told, 30)
            assert (found[0]["verdict"], found[0]["errno"], found[0]["path"]) == ("deny", "EMFILE", None)
            assert found[0]["tid"] == (opener.pid if optional else 0)
            assert opened() == "open"  # outside of every area
    finally:
        dead_man.cancel()
        os.close(opens)


@pytest.mark.kernel
def test_whoever_denies_in_place_of_a_decider_lives_on_too(ext4: volume_image.Volume) -> None:
    file = ext4.point / "a"
    file.write_text("content")
    group = fanotify.init(optional=0)
    try:
        fanotify.mark(
            group, fanotify.FAN_MARK_ADD | fanotify.FAN_MARK_FILESYSTEM, fanotify.FAN_OPEN_PERM, str(ext4.point)
        )
        with subprocess.Popen(["cat", file], stderr=subprocess.DEVNULL) as reader:
            denied = 0
            with no_descriptor_left():
                while not denied:
                    denied = fanotify.deny_waiting(group)
            assert reader.wait(30) == 1
        assert denied == 1
    finally:
        os.close(group)

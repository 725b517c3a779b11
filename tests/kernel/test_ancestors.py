"""What a process descends from: itself, its parents, and neither PID 1 nor whoever has ended."""

import os
import subprocess
from collections.abc import Callable

from agent.kernel import ancestors


def seen(pid: int) -> list[str]:
    """Return the processes that are asked about, from *pid* upwards."""
    found: list[str] = []

    def note(folder: int, _: int) -> bool:
        found.append(os.readlink(f"/proc/self/fd/{folder}"))
        return False

    assert not looked(pid, note)
    return found


def looked(pid: int, wanted: Callable[[int, int], bool]) -> bool:
    folder = os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY)
    try:
        return ancestors.any_of(folder, wanted)
    finally:
        os.close(folder)


def test_the_chain_goes_up_to_the_first_process_and_leaves_it_out() -> None:
    with subprocess.Popen(["sh", "-c", "cat; :"], stdin=subprocess.PIPE) as shell:
        assert shell.stdin is not None
        chain = seen(shell.pid)
        assert chain[:2] == [f"/proc/{shell.pid}", f"/proc/{os.getpid()}"]
        assert "/proc/1" not in chain
        shell.stdin.close()


def test_each_is_asked_about_with_its_real_uid_and_the_first_that_fits_ends_it() -> None:
    uids: list[int] = []

    def mine(_: int, ruid: int) -> bool:
        uids.append(ruid)
        return True

    assert looked(os.getpid(), mine)
    assert uids == [os.getuid()]


def test_who_has_ended_is_nobody_s_ancestor_and_descends_from_nobody() -> None:
    gone = subprocess.Popen(["true"])
    folder = os.open(f"/proc/{gone.pid}", os.O_PATH | os.O_DIRECTORY)
    gone.wait()
    try:
        assert not ancestors.any_of(folder, lambda *_: True)
    finally:
        os.close(folder)


def test_a_parent_that_ends_meanwhile_leads_no_further_up() -> None:
    with subprocess.Popen(
        ["sh", "-c", "exec 3<&0; cat <&3 & echo $!; wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as top:
        assert top.stdin is not None
        assert top.stdout is not None
        child = int(top.stdout.readline())
        asked: list[str] = []

        def ending(folder: int, _: int) -> bool:
            asked.append(os.readlink(f"/proc/self/fd/{folder}"))
            top.kill()  # and nobody has buried it yet: its folder is still there
            os.waitid(os.P_PID, top.pid, os.WEXITED | os.WNOWAIT)
            return False

        assert not looked(child, ending)
        assert asked == [f"/proc/{child}"]
        top.stdin.close()

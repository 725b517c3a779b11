"""The end of the demo in a terminal: the screens over its running site, left by key or by signal, and nothing stays."""

import contextlib
import os
import signal
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.demo import looking
from agent.demo.rights import lacking
from tests import needs
from tests.demo.run import Terminal, environment, left_behind, telling, temporary, terminal
from tests.sentences import en

pytestmark = pytest.mark.kernel

WORDS = telling(1, 2, "zh", interactive=True, screens=True)  # two scenes: enough for the log to have something in it
ENTERED, LEFT = "\x1b[?1049h", "\x1b[?1049l"  # the alternate screen


@pytest.fixture(scope="module", autouse=True)
def able() -> None:
    if lacks := lacking():
        needs.skip_or_fail("; ".join(en(lack.text) for lack in lacks))


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary() as made:
        yield made


@pytest.mark.long
def test_the_demo_ends_in_the_screens_over_its_site_where_its_people_go_on(folder: Path) -> None:
    with terminal(_environ(folder), words=WORDS) as screen:
        before = _modes(screen)
        screen.read_until("按回车键打开")
        assert "ctrl+q 退出" in screen.seen
        assert ENTERED not in screen.seen
        screen.write("\n")
        screen.read_until("守密 首页")
        screen.write("2")
        screen.read_until("访问日志")
        screen.read_until("E1005")  # not in the two scenes: he comes while the log is looked at
        screen.write("\x11")  # ctrl+q
        assert screen.read_to_end() == 0
        assert _modes(screen) == before
    assert LEFT in screen.seen.partition("守密 首页")[2]
    assert left_behind(folder) == []


def test_whoever_has_seen_enough_sees_no_screens(folder: Path) -> None:
    with terminal(_environ(folder), words=WORDS) as screen:
        screen.read_until("按回车键打开")
        screen.write("n\n")
        assert screen.read_to_end() == 0
    assert ENTERED not in screen.seen
    assert left_behind(folder) == []


def test_a_demo_ended_by_a_signal_ends_the_screens_first_and_gives_the_terminal_back(folder: Path) -> None:
    with terminal(_environ(folder), words=WORDS) as screen:
        before = _modes(screen)
        _open(screen)
        os.kill(screen.process.pid, signal.SIGTERM)
        assert screen.read_to_end() == 128 + signal.SIGTERM
        assert _modes(screen) == before
    assert LEFT in screen.seen
    assert looking.BACK not in screen.seen  # they left by themselves
    assert left_behind(folder) == []


def test_screens_that_die_leave_a_terminal_in_order_and_the_other_way_of_looking_around(folder: Path) -> None:
    with terminal(_environ(folder), words=WORDS) as screen:
        before = _modes(screen)
        _open(screen)
        [child] = _screens(screen.process.pid)
        os.kill(child, signal.SIGKILL)
        assert looking.BACK in screen.read_until("[y/N]")
        assert _modes(screen) == before
        screen.write("n\n")
        assert screen.read_to_end() == 0
    assert left_behind(folder) == []


def _environ(folder: Path) -> dict[str, str]:
    return environment(folder, "zh", TERM="xterm-256color")


def _open(screen: Terminal) -> None:
    screen.read_until("按回车键打开")
    screen.write("\n")
    screen.read_until("守密 首页")


def _modes(screen: Terminal) -> list[object]:
    """Return how the terminal is set: echo, lines, signals."""
    return termios.tcgetattr(screen.ours)[:4]


def _screens(demo: int) -> list[int]:
    children = Path(f"/proc/{demo}/task/{demo}/children").read_text().split()
    found = []
    for pid in children:
        with contextlib.suppress(OSError):  # one of the people of the demo, who has done what he came for
            if b"\0tui\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(int(pid))
    return found

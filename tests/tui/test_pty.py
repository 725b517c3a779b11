"""What goes over the wire: few bytes a key, colours only where there are colours, nothing left behind."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.control.site import Site
from tests.tui.pty_driver import Pty

_COLOUR = re.compile(rb"\x1b\[[0-9;]*?(?<![0-9])(?:3[0-7]|4[0-7]|9[0-7]|10[0-7]|[34]8)[0-9;]*m")


def test_a_line_down_is_less_than_a_kilobyte_and_a_page_less_than_five(shared: Site) -> None:
    with Pty(shared.home.root, "en", "log") as terminal:
        terminal.until("following")
        terminal.until("log.read")  # the newest entry: the lines are there
        terminal.rest(1.0)
        terminal.press(b"\x1b[A")  # the first key may find the last layout not drawn yet
        terminal.rest(1.0)
        for key, most in ((b"\x1b[A", 1000), (b"\x1b[A", 1000), (b"\x1b[B", 1000), (b"\x1b[5~", 5000)):
            terminal.clear()
            terminal.press(key)
            terminal.until("›")
            assert len(terminal.rest()) < most


def test_without_colours_everything_is_still_said(shared: Site) -> None:
    with Pty(shared.home.root, "en", NO_COLOR="1") as terminal:
        terminal.until("✗ NOT PROTECTED")
        assert not _COLOUR.search(terminal.rest())


def test_a_terminal_of_sixteen_colours_gets_no_others(shared: Site) -> None:
    with Pty(shared.home.root, "zh", "log", TERM="xterm") as terminal:
        terminal.until("跟随最新")
        sent = terminal.rest()
    assert _COLOUR.search(sent)
    assert not re.search(rb"\x1b\[[0-9;]*[34]8;[25]", sent)


_MOUSE = re.compile(rb"\x1b\[\?(?:9|100[0236]|1015)h")  # any way of asking a terminal for the mouse


def test_the_mouse_is_left_alone_where_that_is_asked_for(shared: Site, tmp_path: Path) -> None:
    home = str(shared.home.root)
    (tmp_path / "shoumi").mkdir()
    (tmp_path / "shoumi" / "terminal.toml").write_text("mouse = false\n")
    without: list[tuple[list[str], dict[str, str]]] = [(["--no-mouse"], {}), ([], {"XDG_CONFIG_HOME": str(tmp_path)})]
    for words, environ in without:
        with Pty("--home", home, "tui", *words, module="agent.cli", **environ) as terminal:
            terminal.until("NOT PROTECTED")
            assert not _MOUSE.search(terminal.rest())
    with Pty("--home", home, "tui", module="agent.cli") as terminal:
        terminal.until("NOT PROTECTED")
        assert _MOUSE.search(terminal.rest())


def test_quitting_gives_the_terminal_back(shared: Site) -> None:
    with Pty(shared.home.root, "en") as terminal:
        terminal.until("Home")
        terminal.rest()
        terminal.press(b"\x11")
        assert terminal.process.wait(30) == 0
        assert terminal.rest().rstrip().endswith((b"\x1b[?25h", b"\x1b[?1049l", b"l", b"h"))
        assert b"\x1b[?1049l" in terminal.seen


def test_the_command_line_becomes_the_terminal_and_needs_one(shared: Site) -> None:
    home = str(shared.home.root)
    with Pty("--home", home, "tui", "log", module="agent.cli", SHOUMI_LANG="zh") as terminal:
        terminal.until("跟随最新")
    argv = [sys.executable, "-I", "-m", "agent.cli", "--home", home, "tui"]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    assert ended.returncode == 1
    assert "the screens need a terminal" in ended.stderr


@pytest.mark.parametrize("kind", ["dumb", ""])
def test_a_terminal_that_cannot_show_screens_is_told_so_in_one_sentence(shared: Site, kind: str) -> None:
    with Pty(shared.home.root, "zh", TERM=kind) as terminal:
        terminal.until("提示")
        assert terminal.process.wait(30) == 1
        said = terminal.rest().decode().splitlines()
    assert said[0] == f"shoumi: 终端类型 `{kind}`（TERM）无法显示该界面"
    assert said[1].startswith("提示")
    assert len(said) == 2


def test_a_screen_that_does_not_exist_is_usage(shared: Site) -> None:
    argv = [sys.executable, "-I", "-m", "tui", str(shared.home.root), "en", "frob"]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("shoumi: unknown screen `frob`\nhint: ")


def test_the_first_frame_loads_nothing_it_does_not_need() -> None:
    code = "import sys, tui.__main__, tui.app, tui.screens.home, tui.screens.log; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"textual.widgets._data_table", "textual.widgets._markdown", "sqlite3", "jwt"}
    heavy |= {"sqlite_utils", "cryptography", "tui.forms", "tui.screens.plan", "tui.screens.palette", "agent.cli"}
    assert not heavy & set(said)
    assert not [name for name in said if name.startswith(("agent.guard", "agent.registry", "agent.offboard"))]
    assert not [name for name in said if name == "agent.control"]


def test_the_command_line_loads_no_screen() -> None:
    code = "import sys, agent.cli.__main__; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"textual", "rich", "tui"} & set(said)

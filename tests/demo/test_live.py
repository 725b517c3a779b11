"""The demo on the real kernel: it holds, it notices when something does not, and it leaves nothing behind."""

import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.demo.play import play
from agent.demo.rights import lacking
from agent.demo.scene import ALLOWED
from agent.demo.story import STORY
from tests import needs
from tests.demo.run import environment, left_behind, read_until, start, telling, temporary, terminal, used
from tests.sentences import en

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module", autouse=True)
def able() -> None:
    if lacks := lacking():
        needs.skip_or_fail("; ".join(en(lack.text) for lack in lacks))


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary() as made:
        yield made


@pytest.mark.long
def test_every_line_holds_in_chinese_without_a_terminal(folder: Path) -> None:
    process = start(folder, "zh")
    out, _ = process.communicate()
    assert process.returncode == 0, out
    assert "✗" not in out
    assert "\x1b" not in out
    assert "演练" not in out
    assert re.search(r"请求后( \d+\.\d 毫秒为最后一次读取|再无读取)；请求于 \d+\.\d 毫秒后得到应答", out)
    assert left_behind(folder) == []


@pytest.mark.long
def test_in_a_terminal_one_can_look_around_and_then_it_is_all_removed(folder: Path) -> None:
    with terminal(environment(folder, "en"), words=telling(1, 2, interactive=True)) as screen:
        screen.read_until("[y/N]")
        assert "\x1b[32m✓ held" in screen.seen
        assert "✗" not in screen.seen
        screen.write("y\n")
        said = screen.read_until("press Enter here")
        commands = [line.strip() for line in said.splitlines() if " --home " in line]
        assert len(commands) == 3
        for command in commands:
            _, *words = shlex.split(command)
            done = subprocess.run(
                [sys.executable, "-m", "agent.cli", *words], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            assert done.stdout
        screen.write("\n")
        assert screen.process.wait() == 0
    assert left_behind(folder) == []


def test_colour_is_not_forced_on_anybody(folder: Path) -> None:
    with terminal(environment(folder, "en", NO_COLOR="1"), words=telling(1, 3, interactive=True)) as screen:
        screen.read_until("3. ")
        assert "\x1b[" not in screen.seen
        assert "✓ held" in screen.seen
        screen.write("\x03")  # Ctrl-C
        assert screen.process.wait() == 128 + signal.SIGINT
    assert left_behind(folder) == []


def test_a_scenario_with_a_wrong_expectation_ends_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    scene = replace(STORY[1], steps=(replace(STORY[1].steps[0], expected=ALLOWED),))
    assert play(language="en", interactive=False, story=(STORY[0], scene)) == 1
    out = capsys.readouterr().out
    assert out.count("✓ held") == len(STORY[0].steps)
    assert out.count("✗ FAILED") == 1


@pytest.mark.parametrize(
    ("scene", "number"),
    [(8, signal.SIGINT), (1, signal.SIGTERM), (9, signal.SIGHUP)],
    ids=["in traffic", "at the beginning", "before the hold"],
)
def test_a_signal_in_the_middle_leaves_nothing_behind(folder: Path, scene: int, number: signal.Signals) -> None:
    process = start(folder, words=telling(scene, scene + 1))
    read_until(process, "1.")
    process.send_signal(number)
    process.communicate()
    assert process.returncode == 128 + number
    assert left_behind(folder) == []


def test_a_second_signal_does_not_cut_the_tidying_short(folder: Path) -> None:
    process = start(folder, words=telling(8, 9))
    read_until(process, "1.")
    for _ in range(20):
        if any(folder.iterdir()):  # once all is tidied up the program ends, which is no time for a signal
            process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    process.communicate()
    assert process.returncode == 128 + signal.SIGINT
    assert left_behind(folder) == []


def test_a_demo_that_was_killed_takes_its_agent_along_and_the_next_one_tidies_up(folder: Path) -> None:
    process = start(folder, words=telling(1, 3))
    read_until(process, "3.")
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 60
    while any(found.startswith("process") for found in used(folder)):
        assert time.monotonic() < deadline, used(folder)
        time.sleep(0.05)
    assert list(folder.iterdir()) != []
    tidy = "from agent.simulator import volume_image; volume_image.reclaim()"
    subprocess.run([sys.executable, "-c", tidy], env=environment(folder, "en"), check=True)
    assert left_behind(folder) == []

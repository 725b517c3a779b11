"""Exit codes: 0 done, 1 refused or wrong, 2 usage, 3 not permitted, 4 not reachable. And no traceback, ever."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli.terminal import json_line
from tests.control.site import Site


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("status",), 0),
        (("log", "verify"), 0),
        (("pack", "list"), 0),
        (("pack", "check"), 0),
        (("explain", "E9", "/nowhere"), 1),
        (("person", "show", "E9"), 1),
        (("grant", "end", "G000001"), 1),
        (("hold", "lift", "E9", "--reason", "x"), 1),
        (("area", "show", "x"), 1),
        (("pack", "use", "nothing"), 1),
        (("person", "import", "/nowhere.csv"), 1),
        (("doctor",), 1),
        (("person", "add", "E1", "--level", "secret"), 2),
        (("area", "add", "/tmp", "--name", "x", "--level", "huge", "--domain", "state"), 2),
        (("frob",), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_exit_codes(shared: Site, run, words: tuple[str, ...], code: int) -> None:
    said = run("--home", str(shared.home.root), *words)
    assert said.code == code, said
    if code and words != ("doctor",):
        assert said.err.startswith("shoumi: ")
        assert "Traceback" not in said.err


def test_root_without_a_role_is_forbidden_once_groups_are_named(tmp_path: Path, run) -> None:
    from agent import shipped_packs
    from agent.runtime.home import Home
    from agent.site.init import make
    from tests.control.site import running

    home = Home(tmp_path / "home")
    make(home, shipped_packs.text("minimal"))
    home.config.write_text("[roles]\nsystem = 60001\nsecurity = 60002\nauditor = 60003\n")
    with running(home.root) as site:
        said = run("--home", str(site.home.root), "hold", "add", "E1", "--reason", "x")
        assert said.code == 3
        assert "root has no role" in said.err
        assert site.entries(outcome="forbidden")


def test_without_an_agent_everything_that_needs_one_is_unreachable(tmp_path: Path, run) -> None:
    home = str(tmp_path / "home")
    assert run("--home", home, "init").code == 0
    said = run("--home", home, "person", "list")
    assert said.code == 4
    assert f"shoumi --home {home} run" in said.err
    assert run("--home", home, "log", "verify").code == 0
    doctor = run("--home", home, "doctor", "--json")
    assert doctor.code == 1
    codes = {json.loads(line)["code"] for line in doctor.out.splitlines()}
    assert {"agent", "bootstrap", "pack", "registry", "log"} <= codes


def test_init_makes_a_site_once_and_says_what_is_next(tmp_path: Path, run) -> None:
    home = tmp_path / "home"
    first = run("init", "--home", str(home), "--pack", "state")
    assert first.code == 0
    assert len([line for line in first.err.splitlines() if line.startswith("next: ")]) == 3
    kept = {path: path.read_bytes() for path in home.iterdir() if path.is_file()}
    again = run("init", "--home", str(home))
    assert again.code == 1
    assert {path: path.read_bytes() for path in home.iterdir() if path.is_file()} == kept


def test_init_with_a_bad_pack_leaves_nothing(tmp_path: Path, run) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('name = "x"\n')
    said = run("init", "--home", str(tmp_path / "home"), "--pack", str(bad))
    assert said.code == 1
    assert not (tmp_path / "home").exists()


def test_a_reader_that_goes_away_ends_the_program_quietly(site: Site) -> None:
    shoumi = [sys.executable, "-m", "agent.cli", "--home", str(site.home.root)]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*shoumi, "pack", "show"], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert done.stderr == b""
    assert done.returncode == 141


def test_log_follow_shows_what_happens_and_ctrl_c_ends_it(site: Site, shoumi) -> None:
    words = [sys.executable, "-m", "agent.cli", "--home", str(site.home.root), "log", "follow", "--json"]
    with subprocess.Popen(
        [*words, "--after", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as follower:
        assert follower.stdout
        shown = map(json.loads, follower.stdout)
        assert next(entry for entry in shown if entry["kind"] == "read")["what"] == "log.follow"
        shoumi("person", "add", "E1")
        assert next(entry for entry in shown if entry["kind"] == "act")["act"] == "person.add"
        follower.send_signal(signal.SIGINT)
        try:
            _, err = follower.communicate(timeout=30)
        finally:
            follower.kill()  # else the block would wait for it for ever
    assert (follower.returncode, err) == (130, "")


def test_a_file_name_cannot_speak_to_the_terminal(site: Site, shoumi) -> None:
    said = shoumi("explain", "E1", "/tmp/\x1b]0;owned\x07\udcff")
    assert "\x1b" not in said.err
    assert "\\x1b" in said.err
    assert "\\xff" in said.err


@pytest.mark.parametrize("text", ["a\x1b[2J", "\u202eabc", "\udcff", "张三", "\U000e0041", '"\\'])
def test_json_lines_parse_back_and_hold_nothing_that_moves_the_cursor(text: str) -> None:
    from rules.visible import visible

    line = json_line({"name": text})
    assert json.loads(line) == {"name": text}
    assert visible(line) == line
    line.encode()


def test_the_language_is_the_variable_then_the_site_then_the_locale(tmp_path: Path) -> None:
    from agent.cli.terminal import choose_language
    from agent.runtime.home import Home

    home = Home(tmp_path)
    assert choose_language(home, {"LANG": "zh_CN.UTF-8"}) == "zh"
    assert choose_language(home, {"LANG": "C.UTF-8"}) == "en"
    assert choose_language(home, {"LANG": "zh_CN.UTF-8", "SHOUMI_LANG": "en"}) == "en"
    home.config.write_text('language = "zh"\n')
    assert choose_language(home, {"LANG": "C.UTF-8"}) == "zh"
    assert choose_language(home, {"SHOUMI_LANG": "en"}) == "en"

"""What the agent believes, only root can have written: files, the directories on the way, whatever the umask."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from agent import shipped_packs
from agent.errors import RefusedError
from agent.kernel import cover
from agent.offboard.intake import pinned_keys
from agent.offboard.intake.agent_key import agent_key
from agent.offboard.receipt.signing import Signer, key_path
from agent.runtime import clock_file, config, ours
from agent.runtime.home import Home
from agent.runtime.ours import OthersCanWriteError
from agent.runtime.pack_cache import PackCache
from agent.runtime.timeline import Reading, Timeline
from agent.site import pack_file
from agent.site.init import make
from tests import ROOT, needs
from tests.sentences import en, zh

pytestmark = needs.root
SOMEBODY = 61_019


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "site")
    make(made, shipped_packs.text("minimal"))
    return made


def everybody_writes(path: Path) -> None:
    path.chmod(0o666)


def a_group_writes(path: Path) -> None:
    path.chmod(0o660)


def somebody_owns(path: Path) -> None:
    os.chown(path, SOMEBODY, -1)


def the_folder_is_open(path: Path) -> None:
    path.parent.chmod(0o777)


def the_folder_is_somebodys(path: Path) -> None:
    os.chown(path.parent, SOMEBODY, -1)


def a_folder_above_is_open(path: Path) -> None:
    path.parent.parent.chmod(0o777)


WAYS = (
    everybody_writes,
    a_group_writes,
    somebody_owns,
    the_folder_is_open,
    the_folder_is_somebodys,
    a_folder_above_is_open,
)


def keys(home: Home) -> object:
    file = pinned_keys.path(home.root)
    if not file.exists():
        file.write_text("{}")
        file.chmod(0o644)
    return pinned_keys.load(file)


READ: dict[str, Callable[[Home], object]] = {
    "config.toml": lambda home: config.load(home.config),
    "pack.toml": lambda home: PackCache(home.pack).read(),
    "hr-keys.json": keys,
}


@pytest.mark.parametrize("spoil", WAYS)
@pytest.mark.parametrize("name", READ)
def test_settings_pack_and_keys_that_others_could_write_are_refused(
    home: Home, name: str, spoil: Callable[[Path], None]
) -> None:
    with pytest.raises(RefusedError, match=r"audience|keys") if name == "hr-keys.json" else nullcontext():
        READ[name](home)  # the keys are wrong, but ours
    spoil(home.root / name)
    with pytest.raises(RefusedError, match=r"runtime.file-writable-by-others"):
        READ[name](home)


@pytest.mark.parametrize("spoil", [the_folder_is_open, the_folder_is_somebodys])
def test_private_keys_are_refused_where_others_could_put_another_one(home: Home, spoil: Callable[[Path], None]) -> None:
    signer = Signer.at(key_path(home.root))
    agent_key(home.root)
    spoil(home.config)
    for use in (lambda: Signer.at(key_path(home.root)), lambda: agent_key(home.root)):
        with pytest.raises(RefusedError, match=r"runtime.file-writable-by-others"):
            use()
    assert signer.fingerprint


def test_a_pack_is_refused_from_the_moment_its_mode_changes(home: Home) -> None:
    cache = PackCache(home.pack)
    assert cache.read().id
    everybody_writes(home.pack)
    with pytest.raises(RefusedError, match="others"):
        cache.read()
    assert not pack_file.settle(home, cache._parsed[1].digest)  # type: ignore[index]  # noqa: SLF001
    home.pack.chmod(0o644)
    assert cache.read().id


def test_a_pack_with_a_mistake_is_refused_in_words_with_its_line(home: Home) -> None:
    home.pack.write_text("colour = 1\n" + home.pack.read_text())
    with pytest.raises(RefusedError, match=r"runtime.pack-unreadable") as refused:
        PackCache(home.pack).read()
    assert en(refused.value.text).endswith("line 1: unknown setting `colour`")
    assert zh(refused.value.text).endswith("第 1 行：没有名为 `colour` 的设置")


def test_a_sticky_directory_is_enough_for_what_is_ours_below_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    (tmp_path / "ours").mkdir(mode=0o755)
    file = tmp_path / "ours" / "list"
    file.write_text("a")
    file.chmod(0o644)
    assert ours.read(file) == b"a"
    tmp_path.chmod(0o777)
    with pytest.raises(OthersCanWriteError):
        ours.read(file)


def test_no_link_is_followed_and_no_pipe_waited_for(home: Home) -> None:
    link, pipe = home.root / "link", home.root / "pipe"
    link.symlink_to(home.config)
    os.mkfifo(pipe, 0o600)
    for path in (link, pipe, home.root):
        with pytest.raises(OSError, match=r"symbolic|plain|directory"):
            ours.read(path)


@pytest.mark.parametrize("umask", [0, 0o777])
def test_modes_are_set_and_not_left_to_the_umask(tmp_path: Path, umask: int) -> None:
    root = tmp_path / "above" / "site"
    command = [sys.executable, "-m", "agent.cli", "--home", str(root), "init", "--pack", "minimal"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, umask=umask)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (root.parent, root, *root.iterdir())}
    assert modes == {
        "above": 0o755,
        "site": 0o711,
        "log": 0o700,
        "index": 0o700,
        "run": 0o711,
        "registry.db": 0o600,
        "pack.toml": 0o644,
        "config.toml": 0o644,
    }


@pytest.mark.parametrize("umask", [0, 0o777])
def test_lists_and_clock_are_their_owners_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        cover.write_list(tmp_path / "areas", [])
        clock_file.write(tmp_path / "clock.json", Timeline.begin(Reading(1, 1, "boot")))
    finally:
        os.umask(before)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "areas": 0o600,
        "clock.json": 0o600,
    }

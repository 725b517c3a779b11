"""An area that is the mount point itself: root freezes, trims and syncs the volume, and reads no name and no file."""

import os
import time
from collections.abc import Callable, Iterator

import pytest

from agent.demo.actors import ActorIdentity, acting, attempt, reading
from agent.kernel import fanotify
from agent.volumes import marks
from tests.enforcement.scene import (
    BYSTANDER,
    CLEARED,
    NO_LOGIN,
    ROOT,
    SIZE,
    TOO_LOW,
    Area,
    Scene,
    error_of,
    groups,
    scene,
    until,
)
from tests.enforcement.servers import server

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-volume-root")]

SUDO = ActorIdentity(0, TOO_LOW.uid)
PATIENCE = 60.0
TOOLS = (("fsfreeze", "-f"), ("fsfreeze", "-u"), ("sync", "-f"), ("fstrim",))


@pytest.fixture(scope="module", params=["ext4", "xfs"])
def site(able: None, request: pytest.FixtureRequest) -> Iterator[Scene]:
    size = {"ext4": 64, "xfs": 320}[request.param]
    with scene((), volume=request.param, size=size << 20) as made:
        made.area(Area("whole"), made.site.root)
        yield made


def tool(site: Scene, *words: str) -> Callable[[], int]:
    return lambda: os.spawnvp(os.P_WAIT, words[0], [*words, str(site.site.root)])


@pytest.mark.parametrize("who", [ROOT, SUDO], ids=["no-login", "sudo"])
def test_root_freezes_thaws_syncs_and_trims_and_each_is_recorded(site: Scene, who: ActorIdentity) -> None:
    try:
        for words in TOOLS:
            site.mark()
            assert attempt(who, tool(site, *words), PATIENCE).value == 0, words  # a sync waits for the disk
            [entry] = site.accesses(ROOT)
            assert (entry["verdict"], entry["rule"], entry["area"]) == ("allow", "maintenance", "whole")
            assert (entry["fsuid"], entry["path"]) == (0, str(site.site.root))
            assert entry["login_person"] == ("E2" if who is SUDO else None)
    finally:
        attempt(who, tool(site, *TOOLS[1]))  # when the one that should have thawed it did not


@pytest.mark.parametrize("who", [ROOT, SUDO], ids=["no-login", "sudo"])
def test_through_the_root_directory_root_reads_no_name_and_opens_nothing(site: Scene, who: ActorIdentity) -> None:
    def trying() -> list[str]:
        fd = os.open(site.site.root, os.O_RDONLY)
        again = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
        return [
            error_of(lambda: os.listdir(fd)),
            error_of(lambda: os.listdir(again)),
            error_of(lambda: os.open("public", os.O_RDONLY, dir_fd=fd)),
            error_of(lambda: os.open("public/doc.txt", os.O_RDONLY, dir_fd=fd)),
        ]

    site.mark()
    assert attempt(who, trying).value == ["EPERM"] * 4
    assert [entry["action"] for entry in site.denials(ROOT)] == ["list", "list", "list", "open"]


def test_a_server_lists_the_root_directory_for_whoever_opened_it(site: Scene) -> None:
    """Whoever its pool threads are: bob, who may, or root, who reads no name."""
    with server("smbd") as of_alice, server("smbd") as of_bob:
        hers = of_alice.open(site.site.root, CLEARED.uid, flags=os.O_DIRECTORY)
        his = of_bob.open(site.site.root, BYSTANDER.uid, flags=os.O_DIRECTORY)
        with site.below("E1"):
            for thread, uid in (("of bob", BYSTANDER.uid), ("of alice", CLEARED.uid), ("of root", 0)):
                assert of_alice.ask("list", uid, thread, fd=hers) == "EPERM"
                assert "public" in of_bob.ask("list", uid, thread, fd=his)


def test_a_descriptor_of_root_shows_no_names_after_the_decider_was_replaced(site: Scene) -> None:
    def waiting(say: Callable[[object], None]) -> None:
        fd = os.open(site.site.root, os.O_RDONLY)
        say("opened")
        while True:
            say(error_of(lambda: os.listdir(fd)))

    with acting(ROOT, waiting) as actor:
        assert actor.next().value == "opened"
        assert actor.next().value == "EPERM"
        site.replace_decider()
        until(lambda: attempt(CLEARED, reading(site.site.root / "public" / "doc.txt")).allowed)
        assert {reply.value for reply in (*actor.heard(), *(actor.next() for _ in range(20)))} == {"EPERM"}


def test_everybody_else_is_asked_about_names_too(site: Scene) -> None:
    assert "public" in attempt(CLEARED, lambda: os.listdir(site.site.root)).value
    assert attempt(CLEARED, reading(site.site.root / "public" / "doc.txt")).value == SIZE
    assert attempt(TOO_LOW, lambda: os.listdir(site.site.root)).error == "EPERM"
    assert attempt(ActorIdentity(TOO_LOW.uid, NO_LOGIN), tool(site, "sync", "-f")).value != 0

    def listing(say: Callable[[object], None]) -> None:
        fd = os.open(site.site.root, os.O_RDONLY)
        while True:
            begun = time.monotonic()
            say([begun, error_of(lambda: (os.lseek(fd, 0, os.SEEK_SET), os.listdir(fd)))])

    with acting(CLEARED, listing) as actor:
        assert actor.next().value[1] == ""
        with site.below("E1"):
            changed = time.monotonic()
            told = actor.next().value
            while told[0] < changed:  # what it said before may still wait in the pipe, or it with it
                told = actor.next().value
            assert told[1] == "EPERM"


def test_a_frozen_volume_is_thawed_by_root_after_the_decider_was_replaced(site: Scene) -> None:
    assert attempt(ROOT, tool(site, "fsfreeze", "-f")).value == 0
    try:
        site.replace_decider()
    finally:
        # While a decider starts, the holder may say no in its place.
        until(lambda: attempt(ROOT, tool(site, "fsfreeze", "-u")).value == 0)
    assert attempt(CLEARED, reading(site.site.root / "public" / "doc.txt")).value == SIZE


def test_without_the_mark_that_asks_about_names_root_is_not_let_in(site: Scene) -> None:
    holder = site.site.agent.pid  # type: ignore[union-attr]
    group = next(os.dup(copy) for copy in groups(holder) if _names(copy, site))
    fanotify.mark(group, fanotify.FAN_MARK_REMOVE, marks.NAMES, site.site.root)
    try:
        assert attempt(ROOT, lambda: os.close(os.open(site.site.root, os.O_RDONLY))).error == "EPERM"
    finally:
        fanotify.mark(group, fanotify.FAN_MARK_ADD, marks.NAMES, site.site.root)
        os.close(group)
    assert attempt(ROOT, lambda: os.close(os.open(site.site.root, os.O_RDONLY))).error == ""


def _names(group: int, site: Scene) -> bool:
    found = os.stat(site.site.root)
    return fanotify.asks_about_names(group, found.st_dev, found.st_ino)

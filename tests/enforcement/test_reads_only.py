"""Where the kernel asks about reads only (tiers A-read, B-read): reads are cut, and who writes or maps is ended.

Rules of this file: the area lies on a tmpfs, whose files have no pre-access events on any kernel. Rights end by a lower
level, which is no run of a departure: what is not cut then is ended by the look of the control process alone.
"""

import mmap
import os
import select
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import shipped_packs
from agent.demo.actors import Actor, acting
from agent.kernel import mounting
from tests.enforcement.scene import (
    BYSTANDER,
    CLEARED,
    SECRET,
    SIZE,
    TOO_LOW,
    Area,
    Gate,
    Scene,
    error_of,
    scene,
    until,
    write,
)

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-reads-only")]

Say = Callable[[object], None]
FILE = "doc.txt"


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene((), settings=("canary_seconds = 300",)) as made:  # a canary would have the next reads asked about
        point = made.site.root / "memory"
        point.mkdir()
        mounting.mount("shoumi-test", str(point), "tmpfs", 0, "size=4m,mode=777")
        write(point / FILE)
        write(point / "early.txt")
        made.area(Area("memory"), point)
        made.settled()
        yield made


@pytest.fixture
def memory(site: Scene) -> Path:
    return site.site.root / "memory"


def test_it_is_the_tier_that_the_area_has_and_status_says_so(site: Scene) -> None:
    with site.asking() as agent:
        assert agent.call("area.show", area="memory")["tier"] == "A-read"
        assert agent.call("status")["tier"] == "A-read"


def test_reads_and_listings_through_older_descriptors_are_cut_and_nobody_is_ended(site: Scene, memory: Path) -> None:
    gate, done = Gate(), Gate()

    def act(say: Say) -> None:
        fd, folder = os.open(memory / FILE, os.O_RDONLY), os.open(memory, os.O_RDONLY | os.O_DIRECTORY)
        say([len(os.pread(fd, 2 * SIZE, 0)), sorted(os.listdir(folder))])
        gate.wait()
        say([error_of(lambda: os.pread(fd, 1, 0)), error_of(lambda: os.listdir(folder))])
        done.wait()

    with acting(CLEARED, act) as actor:
        assert actor.next().value == [SIZE, ["doc.txt", "early.txt"]]
        site.grown_quiet()
        site.mark()
        with site.below("E1"):
            gate.open()
            assert actor.next().value == ["EPERM", "EPERM"]
            asked = {
                entry["action"] for entry in site.denials(CLEARED)
            }  # at the root of a volume names are asked about twice
            assert {"access"} <= asked <= {"access", "list"}
            done.open()
            assert actor.next().error == "ended"
        assert not ended(site)


def test_a_quiet_file_is_read_unasked(site: Scene, memory: Path) -> None:
    def act(say: Say) -> None:
        fd = os.open(memory / FILE, os.O_RDONLY)
        os.pread(fd, 1, 0)
        say("ready")
        signal.pause()

    with acting(CLEARED, act) as actor:
        assert actor.next().allowed
        site.grown_quiet()
        before = site.stats()["accesses"]

        def reads(say: Say) -> None:
            mine = os.open(memory / FILE, os.O_RDONLY)
            for _ in range(100):
                os.pread(mine, 1, 0)
            say("read")

        with acting(BYSTANDER, reads) as other:
            assert other.next().allowed
        assert site.stats()["accesses"] - before <= 2


@pytest.mark.parametrize("way", ["write", "map"])
def test_who_could_go_on_writing_or_looking_is_ended_with_an_entry_and_a_reader_beside_is_not(
    site: Scene, memory: Path, way: str
) -> None:
    def holds(say: Say) -> None:
        fd = os.open(memory / FILE, os.O_RDWR if way == "write" else os.O_RDONLY)
        kept: Any = mmap.mmap(fd, 0, prot=mmap.PROT_READ) if way == "map" else fd
        if way == "map":
            os.close(fd)
        say("held")
        signal.pause()
        say(bool(kept))

    with acting(CLEARED, holds) as holder, acting(BYSTANDER, holds) as neighbour:
        assert holder.next().allowed
        assert neighbour.next().allowed
        pidfd = os.pidfd_open(holder.pid)
        try:
            site.mark()
            with site.below("E1"):
                assert select.select([pidfd], [], [], 30)[0], "it goes on"
                until(lambda: ended_by_a_run(site, holder.pid) or ended(site))  # whichever looks first
            assert lives(neighbour)
        finally:
            os.close(pidfd)


def test_who_held_something_before_it_was_an_area_is_named_and_not_ended(site: Scene) -> None:
    folder = site.site.root / "late"
    folder.mkdir()
    mounting.mount("shoumi-test", str(folder), "tmpfs", 0, "size=1m,mode=777")
    write(folder / FILE, SECRET)

    def holds(say: Say) -> None:
        fd = os.open(folder / FILE, os.O_RDWR)
        say("held")
        signal.pause()
        os.close(fd)

    with acting(TOO_LOW, holds) as early:
        assert early.next().allowed
        site.mark()
        site.site.shoumi("area", "add", str(folder), "--name", "late", "--level", "secret", "--domain", "state")
        try:
            site.grown_quiet()
            with site.below("E3"):
                site.grown_quiet()  # a look is over
                assert not ended(site)
            assert lives(early)
        finally:
            site.site.shoumi("area", "remove", "late")


def ended_by_a_run(site: Scene, pid: int) -> bool:
    """Whether a revocation ended process *pid*, as one that held files."""
    steps = [entry for entry in site.news() if entry["kind"] == "revocation" and entry["step"] == "holders"]
    return any(pid == process[0] for entry in steps for process in entry["facts"].get("processes", ()))


def ended(site: Scene) -> list[dict[str, Any]]:
    return [entry for entry in site.news() if entry["kind"] == "holder-ended"]


def lives(actor: Actor) -> bool:
    return actor.next(0).error != "ended"


def test_a_pack_that_asks_for_more_than_the_volume_has_is_no_enforcing(site: Scene, tmp_path: Path) -> None:
    minimal = shipped_packs.text("minimal")
    packs = [tmp_path / "stricter.toml", tmp_path / "minimal.toml"]
    for file, asks in zip(packs, ('[protection]\nminimum_tier = "A"\n', ""), strict=True):
        file.write_text(f"{minimal}\n{asks}", encoding="utf-8")

    def said() -> tuple[bool, list[str], list[str]]:
        with site.asking() as agent:
            enforcing = agent.call("status")["enforcing"]
            asked = (agent.call("doctor"), agent.call("area.show", area="memory")["findings"])
            codes = [[one["code"] for one in findings if one["code"] == "tier"] for findings in asked]
            return enforcing, codes[0], codes[1]

    assert said() == (True, [], [])
    site.site.shoumi("pack", "use", str(packs[0]))
    try:
        assert said() == (False, ["tier"], ["tier"])
        refused = site.site.shoumi("area", "enforce", "memory", "--yes", check=False)
        assert refused.returncode == 1
        assert "A-read" in refused.stderr
    finally:
        site.site.shoumi("pack", "use", str(packs[1]))
    assert said() == (True, [], [])

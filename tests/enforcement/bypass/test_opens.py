"""Ways around a guard, row by row of the list in ``docs/limits.md``: other names, other descriptors, other calls.

Every test tries as somebody without clearance, and checks beside it that the same way is open to somebody cleared:
a guard that refuses everybody would pass half of these tests.
"""

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest

from agent.demo.actors import ActorIdentity, acting, attempt, reading
from tests.enforcement import syscalls
from tests.enforcement.scene import (
    CLEARED,
    ROOT,
    SECRET,
    SIZE,
    TOO_LOW,
    UNKNOWN,
    Area,
    Gate,
    Scene,
    error_of,
    refused,
    scene,
    writing,
)

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-bypass")]


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene((Area("plans"), Area("drafts", level="internal"))) as made:
        yield made


# Rows 1, 2 and 4: other names.


def test_row_1_a_hard_link_elsewhere_on_the_volume_is_refused(site: Scene) -> None:
    alias = site.public / "alias.txt"
    os.link(site.plans / "doc.txt", alias)
    refused(site, alias, path=str(alias), rule="level")


def test_row_2_a_file_renamed_out_of_the_area_keeps_its_label(site: Scene) -> None:
    moved = site.public / "moved.txt"
    made = attempt(CLEARED, lambda: writing(site.plans / "moving.txt"))
    assert made.allowed
    os.rename(site.plans / "moving.txt", moved)
    refused(site, moved, path=str(moved))


def test_row_2_a_directory_renamed_out_of_the_area_keeps_its_labels(site: Scene) -> None:
    folder = site.plans / "folder"
    folder.mkdir()
    folder.chmod(0o777)
    assert attempt(CLEARED, lambda: writing(folder / "a.txt")).allowed
    os.rename(folder, site.public / "folder")
    refused(site, site.public / "folder" / "a.txt")
    assert attempt(CLEARED, lambda: writing(site.public / "folder" / "late.txt")).allowed


def test_row_2_a_file_renamed_into_the_area_is_guarded_there(site: Scene) -> None:
    attempt(UNKNOWN, lambda: writing(site.public / "incoming.txt"))
    os.rename(site.public / "incoming.txt", site.plans / "incoming.txt")
    refused(site, site.plans / "incoming.txt")
    os.rename(site.plans / "incoming.txt", site.public / "incoming.txt")
    refused(site, site.public / "incoming.txt")


def test_row_2_a_file_renamed_into_a_higher_area_is_guarded_by_both(site: Scene) -> None:
    drafts = site.site.root / "drafts"
    assert attempt(TOO_LOW, reading(drafts / "doc.txt")).allowed
    os.rename(drafts / "doc.txt", site.plans / "from-drafts.txt")
    assert attempt(TOO_LOW, reading(site.plans / "from-drafts.txt")).error == "EPERM"
    os.rename(site.plans / "doc2.txt", drafts / "from-plans.txt")
    assert attempt(TOO_LOW, reading(drafts / "from-plans.txt")).error == "EPERM"


def test_row_4_a_symbolic_link_is_followed_to_what_it_means(site: Scene) -> None:
    link = site.public / "link.txt"
    link.symlink_to(site.plans / "doc.txt")
    refused(site, link, path=str(site.plans / "doc.txt"))


# Rows 9 and 21: descriptors and directories that are there already.


def test_row_9_a_path_descriptor_gives_no_data_when_it_is_opened_again(site: Scene) -> None:
    def act() -> int:
        fd = os.open(site.plans / "doc.txt", os.O_PATH)  # no event: nothing can be read through it
        return reading(f"/proc/self/fd/{fd}")()

    assert attempt(TOO_LOW, act).error == "EPERM"
    assert attempt(CLEARED, act).value == SIZE


@pytest.mark.parametrize("way", ["fd", "root", "cwd"])
def test_row_9_the_proc_entries_of_a_cleared_process_are_no_way_in(site: Scene, way: str) -> None:
    def holding(say: Callable[[object], None]) -> None:
        os.chdir(site.plans)
        fd = os.open("doc.txt", os.O_RDONLY)
        say(fd)
        Gate().wait()

    with acting(CLEARED, holding) as holder:
        fd = holder.next().value
        path = (
            f"/proc/{holder.pid}/" + {"fd": f"fd/{fd}", "root": f"root{site.plans}/doc.txt", "cwd": "cwd/doc.txt"}[way]
        )
        site.mark()
        assert attempt(ROOT, reading(path)).error == "EPERM"
        [entry] = site.denials(ROOT)
        assert (entry["fsuid"], entry["loginuid"], entry["rule"]) == (0, None, "nobody")
        assert attempt(ActorIdentity(0, CLEARED.uid), reading(path)).value == SIZE


def test_row_21_a_working_directory_inside_is_no_way_in(site: Scene) -> None:
    folder = site.plans / "inside"
    folder.mkdir()
    folder.chmod(0o755)
    assert attempt(CLEARED, lambda: writing(site.plans / "in.txt")).allowed
    os.rename(site.plans / "in.txt", folder / "in.txt")

    def act() -> dict[str, str]:
        os.chdir(folder)
        directory = os.open(folder, os.O_PATH)
        return {
            "cwd": error_of(lambda: os.open("in.txt", os.O_RDONLY)),
            "dirfd": error_of(lambda: os.open("in.txt", os.O_RDONLY, dir_fd=directory)),
            "parent": error_of(lambda: os.open("../doc.txt", os.O_RDONLY)),
            "list": error_of(lambda: os.listdir(".")),
        }

    assert set(attempt(TOO_LOW, act).value.values()) == {"EPERM"}
    assert set(attempt(CLEARED, act).value.values()) == {""}


# Rows 11 to 13.


def test_row_11_no_open_in_a_new_directory_is_missed(site: Scene) -> None:
    rounds = 200

    def making() -> int:
        for number in range(rounds):
            folder = site.plans / f"new{number}"
            folder.mkdir()
            writing(folder / "doc.txt", b"x")
        return rounds

    def racing(say: Callable[[object], None]) -> None:
        opened, refusals = 0, 0
        say("ready")
        for number in range(rounds):
            while True:
                try:
                    os.close(os.open(site.plans / f"new{number}" / "doc.txt", os.O_RDONLY))
                except FileNotFoundError:
                    continue
                except PermissionError:
                    refusals += 1
                else:
                    opened += 1
                break
        say([opened, refusals])

    with acting(TOO_LOW, racing) as racer:
        racer.next()
        assert attempt(CLEARED, making, 60).value == rounds
        assert racer.next(60).value == [0, rounds]


def test_row_11_whoever_makes_a_directory_there_may_still_not_open_files_in_it(site: Scene) -> None:
    def act() -> list[int]:
        made = opened = 0
        for number in range(200):
            os.mkdir(site.plans / f"mine{number}")
            made += 1
            try:
                os.close(os.open(site.plans / f"mine{number}" / "x", os.O_RDWR | os.O_CREAT))
                opened += 1
            except PermissionError:
                pass
        return [made, opened]

    assert attempt(TOO_LOW, act).value == [200, 0]


def test_row_12_a_protected_program_is_not_run(site: Scene) -> None:
    program = site.plans / "program"

    def running(*words: object) -> Callable[[], int]:
        return lambda: subprocess.run(list(map(str, words)), timeout=30, check=False).returncode

    assert attempt(CLEARED, running("/bin/cp", "/bin/true", program)).value == 0
    site.mark()
    assert attempt(TOO_LOW, running(program)).error == "EPERM"
    assert site.denials(TOO_LOW)[0]["path"] == str(program)
    assert attempt(CLEARED, running(program)).value == 0


def test_row_13_a_file_handle_is_no_way_in(site: Scene) -> None:
    handle = syscalls.handle_of(str(site.plans / "doc.txt"))

    def act() -> int:
        point = os.open(site.public, os.O_RDONLY)
        return len(os.read(syscalls.open_handle(point, handle), SIZE))

    site.mark()
    assert attempt(ROOT, act).error == "EPERM"
    assert [entry["rule"] for entry in site.denials(ROOT)] == ["nobody"]
    assert attempt(ActorIdentity(0, CLEARED.uid), act).value == SIZE


# Ways to a file's content, or to its end, that are not reading it.


def test_row_19_truncating_leaves_the_content_intact(site: Scene) -> None:
    path = site.plans / "doc3.txt"
    assert attempt(TOO_LOW, lambda: os.open(path, os.O_WRONLY | os.O_TRUNC)).error == "EPERM"
    assert attempt(TOO_LOW, lambda: os.truncate(path, 0)).error == "EPERM"
    assert attempt(UNKNOWN, lambda: os.truncate(path, 10)).error == "EPERM"
    assert path.stat().st_size == SIZE
    assert attempt(CLEARED, reading(path)).value == SIZE


def test_a_nameless_file_made_in_the_area_is_guarded_wherever_it_gets_its_name(site: Scene) -> None:
    out = site.public / "nameless.txt"

    def act() -> None:
        fd = os.open(site.plans, os.O_RDWR | os.O_TMPFILE, 0o666)
        os.write(fd, SECRET.encode())
        os.fchmod(fd, 0o666)
        syscalls.link_open_file(fd, str(out))

    assert attempt(TOO_LOW, act).error == "EPERM"
    assert attempt(CLEARED, act).allowed
    refused(site, out, path=str(out))

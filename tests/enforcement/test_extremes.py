"""Too strange, too long, too many, too little: names, paths, waiting openers, descriptors.

Whatever cannot be handled as usual is denied and recorded, and leaves the agent as it was.
"""

import contextlib
import json
import os
import resource
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent.demo.actors import acting, attempt, reading
from tests.enforcement.scene import CLEARED, SIZE, TOO_LOW, Scene, error_of, scene, until, waiting, writing

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-extremes")]

Say = Callable[[object], None]
_PATIENT = "heartbeat_seconds = 60.0"  # a crowd gathers in front of a stopped decider, which is not replaced meanwhile


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene(settings=(_PATIENT,)) as made:
        yield made


def healed(site: Scene) -> bool:
    return attempt(CLEARED, reading(site.plans / "doc.txt")).allowed


# Names.


NAMES = [
    b"\x1b[31mred\x07.txt",
    b"line\nbreak\r.txt",
    b"\xff\xfe not utf-8 \x80.txt",
    b'quote" and \\ backslash.txt',
    "\u202egnp.txt".encode(),
    b"x" * 255,
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:12]))
def test_strange_names_are_decided_and_recorded_so_that_they_do_no_harm(site: Scene, name: bytes) -> None:
    path = os.fsencode(site.plans) + b"/" + name
    assert attempt(CLEARED, lambda: writing(path)).value == SIZE
    site.mark()
    assert attempt(TOO_LOW, reading(path)).error == "EPERM"
    [entry] = site.denials(TOO_LOW)
    assert bytes.fromhex(entry["path_hex"]) == path if "path_hex" in entry else os.fsencode(entry["path"]) == path
    listed = site.site.shoumi("log", "list", "--person", "E2", "--verdict", "deny", "--limit", "1").stdout
    assert not any(ord(char) < 32 and char != "\n" for char in listed)
    assert "\u202e" not in listed
    assert json.loads(site.site.shoumi("log", "show", str(entry["seq"])).stdout)["seq"] == entry["seq"]


def deep(site: Scene, length: int) -> tuple[str, str]:
    """Make directories until a path below has *length* bytes; return the directory and a file name there."""
    here, before = str(site.plans), os.getcwd()
    os.chdir(site.plans)
    try:
        while length - len(here) > 256:
            part = "d" * min(200, length - len(here) - 60)
            with contextlib.suppress(FileExistsError):
                os.mkdir(part)
                os.chmod(part, 0o777)
            os.chdir(part)
            here = f"{here}/{part}"
    finally:
        os.chdir(before)
    return here, "f" * (length - len(here) - 1)


def at(folder: str, act: Callable[[], object]) -> Callable[[], object]:
    """Do *act* in *folder*, which may be too far down to be named in one go."""

    def there() -> object:
        os.chdir("/")
        for part in folder.strip("/").split("/"):
            os.chdir(part)
        return act()

    return there


def test_a_path_of_4000_bytes_is_decided_and_recorded_like_any_other(site: Scene) -> None:
    folder, name = deep(site, 4000)
    assert attempt(CLEARED, at(folder, lambda: writing(name))).value == SIZE
    site.mark()
    assert attempt(TOO_LOW, at(folder, reading(name))).error == "EPERM"
    assert [entry["path"] for entry in site.denials(TOO_LOW)] == [f"{folder}/{name}"]
    assert attempt(CLEARED, at(folder, reading(name))).value == SIZE


def test_a_path_longer_than_the_kernel_can_name_is_denied_and_recorded(site: Scene) -> None:
    folder, name = deep(site, 4500)
    site.mark()
    assert attempt(TOO_LOW, at(folder, lambda: writing(name))).error == "EPERM"
    assert attempt(CLEARED, at(folder, reading(name))).error == "EPERM"
    entries = [entry for entry in site.denials() if "errno" in entry]
    assert len(entries) >= 2
    assert {(entry["path"], entry["errno"]) for entry in entries} == {(None, "ENAMETOOLONG")}
    assert healed(site)


# Too much at once, too little to work with.


def test_hundreds_who_wait_for_a_stopped_decider_are_all_decided_right(site: Scene) -> None:
    each = 200

    def crowd(say: Say) -> None:
        threading.stack_size(128 << 10)
        with ThreadPoolExecutor(each) as pool:
            opens = [pool.submit(error_of, lambda: os.close(os.open(path, os.O_RDONLY))) for _ in range(each)]
            say("waiting")
            say(sorted({opened.result() for opened in opens}))

    path = site.plans / "doc.txt"
    with contextlib.ExitStack() as stack:
        with site.stopped("decider"):
            cleared, too_low = (stack.enter_context(acting(who, crowd)) for who in (CLEARED, TOO_LOW))
            assert [cleared.next().value, too_low.next().value] == ["waiting", "waiting"]
            until(lambda: waiting(cleared.pid) + waiting(too_low.pid) >= 2 * each - 2, 45)
        assert cleared.next(60).value == [""]
        assert too_low.next(60).value == ["EPERM"]
    opens = [entry for entry in site.accesses() if entry["action"] == "open"]
    allowed = [entry for entry in opens if entry["verdict"] == "allow"]
    assert {entry["fsuid"] for entry in allowed} == {CLEARED.uid}
    assert len(allowed) == each


def opening(path: Path) -> tuple[int, str]:
    """Open and read *path* as E1; return which process did, and its error."""
    with acting(CLEARED, lambda say: say(reading(path)())) as opener:
        return opener.pid, opener.next().error


def test_without_descriptors_opens_are_denied_and_recorded_and_then_all_is_well(site: Scene) -> None:
    decider = site.site.process("decider")
    held = len(list(Path(f"/proc/{decider}/fd").iterdir()))
    before = resource.prlimit(decider, resource.RLIMIT_NOFILE)
    resource.prlimit(decider, resource.RLIMIT_NOFILE, (min(3, held), before[1]))
    try:
        tried = [opening(site.plans / "doc.txt") for _ in range(5)]
    finally:
        resource.prlimit(decider, resource.RLIMIT_NOFILE, before)
    pids = [pid for pid, _ in tried]
    assert [error for _, error in tried] == ["EPERM"] * 5
    theirs = [entry for entry in site.denials() if entry["tid"] in pids]  # another agent may have looked in meanwhile
    assert [(entry["tid"], entry["errno"]) for entry in theirs] == [(pid, "EMFILE") for pid in pids]
    assert healed(site)
    assert site.site.process("decider") == decider

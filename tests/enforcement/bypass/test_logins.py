"""Being a person without having logged in: row 16 of the list in ``docs/limits.md``, on a site that is no trial.

Whoever has no login uid is the person of their uid only below a program that lets people in: Samba's server, or one
that two officers have registered; it runs as root in the initial namespaces. ``test_subjects.py`` has the trial.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.demo.actors import ActorIdentity, acting, attempt, reading
from tests.enforcement import syscalls
from tests.enforcement.programs import REFUSED, Programs, programs, run
from tests.enforcement.scene import CLEARED, NO_LOGIN, ROOT, SIZE, TOO_LOW, UNKNOWN, Scene, scene
from tests.enforcement.servers import CHUNK, Server, server

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-logins")]

LOGGED_IN = ActorIdentity(CLEARED.uid, CLEARED.uid)


@pytest.fixture(scope="module")
def folder() -> Iterator[Programs]:
    with programs() as made:
        yield made


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    with server() as made:
        yield made


@pytest.fixture(scope="module")
def opened() -> dict[str, int]:
    """What the server has opened, and read, before the trial ended."""
    return {}


@pytest.fixture(scope="module")
def site(able: None, folder: Programs, served: Server, opened: dict[str, int]) -> Iterator[Scene]:
    with scene() as made, made.asking() as agent:
        door = folder.copy("dash", "door")
        folder.copy("dash", "other")
        agent.call("service.add", service="door", uid=0, executable=door, lets_in=True)
        opened["fd"] = served.open(made.plans / "doc.txt", CLEARED.uid)
        opened["bytes"] = served.read(opened["fd"])
        agent.call("role.set", system="62991", security="62992", auditor="62993", anyway=True)
        yield made


def below(folder: Programs, program: str, who: ActorIdentity, path: Path) -> list[object]:
    """Return the words of a shell that lets somebody in, who reads a file."""
    inner = f"setpriv --reuid={who.uid} --regid={who.uid} --clear-groups cat {path}"
    return [folder.folder / program, "-c", f"{inner}; exit $?"]


def test_a_cleared_person_needs_a_login(site: Scene) -> None:
    site.mark()
    assert attempt(CLEARED, reading(site.plans / "doc.txt")).error == "EPERM"
    [entry] = site.denials(CLEARED)
    assert (entry["rule"], entry["person"], entry["loginuid"]) == ("no-login", "E1", None)
    assert attempt(LOGGED_IN, reading(site.plans / "doc.txt")).value == SIZE


def test_below_a_registered_program_they_need_none_and_must_be_cleared(site: Scene, folder: Programs) -> None:
    path = site.plans / "doc.txt"
    assert run(ROOT, *below(folder, "door", CLEARED, path)) == SIZE
    site.mark()
    assert run(ROOT, *below(folder, "door", TOO_LOW, path)) == REFUSED
    assert run(ROOT, *below(folder, "door", UNKNOWN, path)) == REFUSED
    assert run(ROOT, *below(folder, "other", CLEARED, path)) == REFUSED  # a copy of it
    assert [entry["rule"] for entry in site.denials()] == ["level", "nobody", "no-login"]


def test_the_program_lets_nobody_in_when_it_is_not_root_s(site: Scene, folder: Programs) -> None:
    path = site.plans / "doc.txt"
    assert run(CLEARED, folder.folder / "door", "-c", f"cat {path}; exit $?") == REFUSED


def test_nor_in_namespaces_of_its_own_or_when_another_one_lies_over_it(site: Scene, folder: Programs) -> None:
    path = site.plans / "doc.txt"
    words = below(folder, "door", CLEARED, path)
    assert run(ROOT, *words, before=syscalls.private_mounts) == REFUSED

    def over() -> None:
        syscalls.private_mounts()
        syscalls.mount(str(folder.folder / "other"), str(folder.folder / "door"), flags=syscalls.MS_BIND)

    assert run(ROOT, *words, before=over) == REFUSED


def test_nor_when_it_has_ended(site: Scene, folder: Programs) -> None:
    path = site.plans / "doc.txt"
    (waiting, opening), (told, telling) = os.pipe(), os.pipe()
    inner = f"read line <&{waiting}; cat {path} >/dev/null 2>&1; echo $? >&{telling}"
    words = f"setpriv --reuid={CLEARED.uid} --regid={CLEARED.uid} --clear-groups bash -c '{inner}' &"

    def starting(say: Callable[[object], None]) -> None:
        subprocess.run([folder.folder / "door", "-c", words], pass_fds=(waiting, telling), check=True)
        os.write(opening, b"\n")  # it has ended, and what it has left behind goes on
        say(os.read(told, 10).decode().strip())

    site.mark()
    with acting(ROOT, starting) as actor:
        assert actor.next().value == "1"
    for fd in (waiting, opening, told, telling):
        os.close(fd)
    assert [entry["rule"] for entry in site.denials(CLEARED)] == ["no-login"]


def test_a_set_uid_program_of_a_cleared_person_is_nobody_s_way_in(site: Scene, folder: Programs) -> None:
    program, path = folder.copy("cat", "set-uid", 0o4755, CLEARED.uid), site.plans / "doc.txt"
    site.mark()
    assert run(ActorIdentity(UNKNOWN.uid, NO_LOGIN), program, path) == REFUSED
    assert run(ROOT, program, path) == REFUSED
    assert [entry["rule"] for entry in site.denials(CLEARED)] == ["no-login", "no-login"]
    assert run(ActorIdentity(UNKNOWN.uid, TOO_LOW.uid), program, path) == REFUSED
    assert run(LOGGED_IN, program, path) == SIZE


def test_root_without_a_login_is_a_service_or_nobody_also_below_the_program(site: Scene, folder: Programs) -> None:
    path = site.plans / "doc.txt"
    site.mark()
    assert run(ROOT, folder.folder / "door", "-c", f"cat {path}; exit $?") == REFUSED
    assert [entry["rule"] for entry in site.denials(ROOT)] == ["nobody"]
    assert attempt(ActorIdentity(0, CLEARED.uid), reading(path)).value == SIZE


def test_a_server_that_nobody_registered_serves_in_a_trial_only(
    site: Scene, served: Server, opened: dict[str, int]
) -> None:
    assert opened["bytes"] == CHUNK
    site.mark()
    assert served.open(site.plans / "doc.txt", CLEARED.uid) == "EPERM"
    assert served.read(opened["fd"]) == "EPERM"
    assert {entry["rule"] for entry in site.denials(CLEARED)} == {"no-login"}

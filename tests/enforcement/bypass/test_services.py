"""Passing for a service: by the path of its program, by a copy, by what lies in its place (contract C4).

A service is one file, executed in the initial namespaces under one uid. Beside each way the program itself gets in.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.demo.actors import ActorIdentity
from agent.errors import RefusedError
from tests.enforcement import syscalls
from tests.enforcement.programs import REFUSED, Programs, programs, run
from tests.enforcement.scene import NO_LOGIN, SIZE, TOO_LOW, Scene, scene, until

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-services")]

INDEX = ActorIdentity(TOO_LOW.uid + 400, NO_LOGIN)  # a uid that nothing but the service has
KEEPER = ActorIdentity(0, NO_LOGIN)


@pytest.fixture(scope="module")
def folder() -> Iterator[Programs]:
    with programs() as made:
        yield made


@pytest.fixture(scope="module")
def site(able: None, folder: Programs) -> Iterator[Scene]:
    with scene() as made, made.asking() as agent:
        folder.copy("cat", "index")
        folder.copy("cat", "keeper")
        for service, who in (("index", INDEX), ("keeper", KEEPER)):
            program = str(folder.folder / service)
            agent.call("service.add", service=service, uid=who.uid, executable=program, area=["plans"])
        yield made


def reads(site: Scene, who: ActorIdentity, program: object, **more: Any) -> object:
    return run(who, program, site.plans / "doc.txt", **more)


def rules(site: Scene, who: ActorIdentity) -> set[tuple[str, str | None]]:
    return {(entry["rule"], entry["service"]) for entry in site.denials(who)}


@pytest.mark.parametrize(("service", "who"), [("index", INDEX), ("keeper", KEEPER)])
def test_a_service_is_its_program_and_no_copy_of_it(
    site: Scene, folder: Programs, service: str, who: ActorIdentity
) -> None:
    assert reads(site, who, folder.folder / service) == SIZE
    site.mark()
    assert reads(site, who, folder.copy("cat", "copy")) == REFUSED
    assert rules(site, who) == {("nobody", None)}


@pytest.mark.parametrize("users", [True, False], ids=["unshare -Urm", "unshare -m by root"])
def test_another_program_mounted_over_its_path_is_not_the_service(
    site: Scene, folder: Programs, *, users: bool
) -> None:
    who, service = (INDEX, "index") if users else (KEEPER, "keeper")
    program, other = str(folder.folder / service), folder.copy("head", "other")

    def over() -> None:
        if users:
            syscalls.unshare(syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS)
            syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
        else:
            syscalls.private_mounts()
        syscalls.mount(other, program, flags=syscalls.MS_BIND)

    site.mark()
    assert reads(site, who, program, before=over) == REFUSED
    assert rules(site, who) == {("program", None)}
    assert reads(site, who, program) == SIZE


def test_the_program_itself_in_namespaces_of_somebody_s_own_is_not_the_service(site: Scene, folder: Programs) -> None:
    site.mark()
    assert reads(site, KEEPER, folder.folder / "keeper", before=syscalls.private_mounts) == REFUSED
    unshared = lambda: syscalls.unshare(syscalls.CLONE_NEWUSER)  # noqa: E731
    assert reads(site, INDEX, folder.folder / "index", before=unshared) == REFUSED
    assert rules(site, KEEPER) | rules(site, INDEX) == {("program", None)}


def test_a_file_in_its_place_is_refused_with_an_alarm_until_somebody_renews_the_service(
    site: Scene, folder: Programs
) -> None:
    program = folder.folder / "index"
    site.mark()
    os.replace(folder.copy("cat", "new"), program)  # as a package does
    assert reads(site, INDEX, program) == REFUSED
    assert rules(site, INDEX) == {("program", None)}
    until(lambda: [e for e in site.news() if e["kind"] == "service-program"])
    with site.asking() as agent:
        [row] = [one for one in agent.stream("service.list") if one["id"] == "index"]
        assert row["program"] == "changed"
        [finding] = [one for one in agent.call("doctor") if one["code"] == "service-program"]
        assert "shoumi service renew index" in str(finding)
        agent.call("service.renew", service="index")
    assert reads(site, INDEX, program) == SIZE


def test_another_name_for_its_file_and_a_write_into_it_are_changes(site: Scene, folder: Programs) -> None:
    program = folder.folder / "index"
    os.link(program, folder.folder / "alias")
    assert reads(site, INDEX, folder.folder / "alias") == REFUSED
    assert reads(site, INDEX, program) == REFUSED
    with site.asking() as agent:
        agent.call("service.renew", service="index")
        assert reads(site, INDEX, program) == SIZE
        assert reads(site, INDEX, folder.folder / "alias") == REFUSED
        before = program.stat()
        program.write_bytes(program.read_bytes())
        os.utime(program, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert reads(site, INDEX, program) == REFUSED
        agent.call("service.renew", service="index")
    assert reads(site, INDEX, program) == SIZE


def test_what_others_can_exchange_is_not_registered(site: Scene, folder: Programs, tmp_path: Path) -> None:
    script = folder.folder / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    loose = tmp_path / "loose"
    loose.mkdir()
    loose.chmod(0o777)
    inside = loose / "program"
    inside.write_bytes((folder.folder / "index").read_bytes())
    inside.chmod(0o755)
    for path, why in (
        (folder.copy("cat", "writable", 0o757), r"site.program-replaceable"),
        (folder.copy("cat", "theirs", owner=INDEX.uid), r"site.program-replaceable"),
        (str(inside), r"site.program-replaceable"),
        (str(script), r"site.program-is-script"),
        (str(folder.folder), r"site.not-executable"),
        (str(folder.folder / "none"), r"site.program-not-opened"),
    ):
        with site.asking() as agent, pytest.raises(RefusedError, match=why):
            agent.call("service.add", service="more", uid=INDEX.uid + 1, executable=path, area=["plans"])


def test_a_hash_has_to_fit_and_the_service_counts_once_the_file_was_read(site: Scene, folder: Programs) -> None:
    program = folder.copy("cat", "hashed")
    who = ActorIdentity(INDEX.uid + 2, NO_LOGIN)
    given = {"service": "hashed", "uid": who.uid, "executable": program, "area": ["plans"]}
    with site.asking() as agent:
        with pytest.raises(RefusedError, match=r"site.program-hash-differs"):
            agent.call("service.add", sha256="0" * 64, **given)
        agent.call("service.add", sha256=hashlib.sha256(Path(program).read_bytes()).hexdigest(), **given)
    until(lambda: reads(site, who, program) == SIZE)
    site.replace_decider()  # it has been told nothing yet
    until(lambda: reads(site, who, program) == SIZE)
    os.replace(folder.copy("head", "not-hashed"), program)
    with site.asking() as agent, pytest.raises(RefusedError, match=r"site.program-hash-differs"):
        agent.call("service.renew", service="hashed")
    assert reads(site, who, program) == REFUSED

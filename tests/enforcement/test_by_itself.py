"""Rights that end with no act about a person: a record runs out, a service is removed, the rule pack is damaged (C14).

Rules of this file: what is held is a mapping, which no kernel asks about; whether its process has ended is what its
pidfd says. It is found by the looks at all holders, stopped with an entry ``holder-ended``, and ended a little later.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent import shipped_packs
from agent.demo.actors import Actor, ActorIdentity, attempt, reading
from agent.offboard.steps import tasks
from tests.enforcement.scene import BYSTANDER, CLEARED, NO_LOGIN, SIZE, Area, Scene, scene, until
from tests.enforcement.test_hold import alive, ended, holding
from tests.sentences import en

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-by-itself")]

INDEX = ActorIdentity(61_590, NO_LOGIN)
_RECORD = """
[records.course]
title = { en = "course", zh = "课程" }
from_level = "top-secret"
"""


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene((Area("plans"), Area("vault", "top-secret"))) as made:
        yield made


def cut(site: Scene, pid: int) -> dict[str, Any]:
    """Wait for the entry that says that process *pid* is ended, and return it."""
    found: list[dict[str, Any]] = []
    until(lambda: found.extend(e for e in site.news() if e["kind"] == "holder-ended" and e["pid"] == pid) or found)
    return found[0]


@contextmanager
def indexing(site: Scene) -> Iterator[tuple[Actor, int, int]]:
    """A service that maps a file beside somebody who may: the service's process, its pidfd, and the other's."""
    document, program = site.plans / "doc.txt", str(Path(sys.executable).resolve())
    with site.asking() as agent:
        agent.call("service.add", service="index", uid=INDEX.uid, executable=program, area=["plans"])
    with alive(INDEX, holding(document)) as (actor, process), alive(BYSTANDER, holding(document)) as (_, neighbour):
        yield actor, process, neighbour


def test_what_a_removed_service_maps_is_stopped_with_an_entry_and_ended(site: Scene) -> None:
    with indexing(site) as (actor, process, neighbour):
        site.mark()
        with site.asking() as agent:
            agent.call("service.remove", service="index")
        entry = cut(site, actor.pid)
        until(lambda: ended(process, 0) or stopped(actor.pid))
        assert ended(process)
        assert not ended(neighbour, 0)
    assert (entry["uid"], entry["area"]) == (INDEX.uid, "plans")
    [act] = [one for one in site.news() if one.get("act") == "service.remove" and one["outcome"] == "done"]
    assert act["lost"]["services"] == {"index": ["plans"]}


def test_what_a_service_maps_is_ended_though_the_control_process_dies_as_soon_as_the_service_is_removed(
    site: Scene,
) -> None:
    with indexing(site) as (actor, process, neighbour):
        site.mark()
        with site.asking() as agent:
            agent.call("service.remove", service="index")
            os.kill(site.site.process("control"), signal.SIGKILL)
        assert cut(site, actor.pid)["area"] == "plans"
        assert ended(process)
        assert not ended(neighbour, 0)


def stopped(pid: int) -> bool:
    found = tasks.read(pid)
    return found is not None and found.state == "T"


def test_who_maps_a_file_when_a_record_that_it_needs_runs_out_is_ended_with_an_entry(site: Scene) -> None:
    pack = site.site.root.parent / "course.toml"
    pack.write_text(shipped_packs.text("minimal") + _RECORD)
    who, document = ActorIdentity(61_591, NO_LOGIN), site.site.root / "vault" / "doc.txt"
    ends = datetime.now(UTC) + timedelta(seconds=12)
    site.site.shoumi("pack", "use", str(pack))
    with site.asking() as agent:
        agent.call("person.add", person="V1", level=["top-secret"], domain="state", account=[who.uid])
        agent.call("grant.add", person="V1", area="vault", reason="测试")
        assert attempt(who, reading(document)).error == "EPERM"
        agent.call("record.add", person="V1", kind="course", valid_until=ends.isoformat())
    assert attempt(who, reading(document)) == (SIZE, "")
    with (
        alive(who, holding(document)) as (actor, process),
        alive(CLEARED, holding(site.plans / "doc.txt")) as (_, other),
    ):
        site.mark()
        until(lambda: datetime.now(UTC) >= ends)
        assert attempt(who, reading(document)).error == "EPERM"
        assert cut(site, actor.pid)["area"] == "vault"
        assert ended(process)
        assert not ended(other, 0)
    assert not [entry for entry in site.news() if entry["kind"] == "revocation"]


def test_what_was_taken_while_the_pack_could_not_be_read_is_ended_once_it_can(site: Scene) -> None:
    pack, document = site.site.home.pack, site.plans / "doc.txt"
    before = pack.read_bytes()
    who, held, leaver = (ActorIdentity(uid, NO_LOGIN) for uid in (61_592, 61_593, 61_594))
    with site.asking() as agent:
        for name, one in (("V2", who), ("V3", held), ("V4", leaver)):
            agent.call("person.add", person=name, level=["secret"], domain="state", account=[one.uid])
            agent.call("grant.add", person=name, area="plans", reason="测试")
        agent.call("case.open", person="V4", last_day="2099-12-31")
    with (
        alive(who, holding(document)) as (actor, process),
        alive(held, holding(document)) as (_, stopped_by_hold),
        alive(leaver, holding(document)) as (_, stopped_by_departure),
        alive(CLEARED, holding(document)) as (_, other),
    ):
        site.mark()
        try:
            replaced(pack, b"broken =")
            with site.asking() as agent:
                agent.call("grant.end", grant="V2", area="plans", reason="x")
                agent.call("hold.add", person="V3", reason="x")
                agent.call("case.approve", person="V4")
            assert attempt(CLEARED, reading(document)).error == "EPERM"
            assert ended(stopped_by_hold)
            assert ended(stopped_by_departure)
            assert not ended(process, 0)
        finally:
            replaced(pack, before)
        assert cut(site, actor.pid)["area"] == "plans"
        assert ended(process)
        assert not ended(other, 0)
    [act] = [one for one in site.news() if one.get("act") == "grant.end" and one["outcome"] == "done"]
    assert "pack" in en(act["lost"]["unknown"])


def replaced(file: Path, text: bytes) -> None:
    """Have *text* in the place of *file*, at once."""
    new = file.with_name("another")
    new.write_bytes(text)
    new.replace(file)

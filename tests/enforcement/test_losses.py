"""Every loss of rights is a cut (contract C14): whoever maps a file of an area they lose is ended, whatever took it.

Rules of this file: the actors are real processes with real mappings, which no kernel asks about; whether one has ended
is what its pidfd says. Who only holds a descriptor is refused and goes on; who shares nothing notices nothing.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from agent.demo.actors import ActorIdentity, attempt, reading
from tests.enforcement.scene import BYSTANDER, NO_LOGIN, SIZE, Area, Scene, error_of, scene, until
from tests.enforcement.test_hold import Say, alive, ended, holding, proven

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-losses")]

FIRST = 61_300
_CSV = "id,name,level,domain\n{person},张三,internal,state\n"


@pytest.fixture(scope="module")
def site(able: None) -> Iterator[Scene]:
    with scene((Area("plans"), Area("ledger"))) as made:
        yield made


class Person:
    """Somebody with two accounts, a badge and grants for both areas; for one test."""

    def __init__(self, site: Scene, number: int) -> None:
        self.site = site
        self.name, self.uid, self.second = f"Q{number}", number, number + 50
        self.who, self.other = ActorIdentity(self.uid, NO_LOGIN), ActorIdentity(self.second, NO_LOGIN)
        accounts = [self.uid, self.second]
        with site.asking() as agent:
            agent.call("person.add", person=self.name, level=["secret"], domain="state", account=accounts)
            given = [
                agent.call("grant.add", person=self.name, area=area, reason="测试") for area in ("plans", "ledger")
            ]
        self.grants = [str(one["grant"]) for one in given]
        assert attempt(self.who, reading(site.plans / "doc.txt")) == (SIZE, "")


@pytest.fixture
def person(site: Scene, request: pytest.FixtureRequest) -> Person:
    return Person(site, FIRST + request.session.items.index(request.node) % 50)


def reading_descriptor(path: os.PathLike[str]) -> Callable[[Say], None]:
    """Return an act that holds *path* by a descriptor alone, and says what each read comes to when that changes."""

    def act(say: Say) -> None:
        fd = os.open(path, os.O_RDONLY)
        said = None
        while True:
            came = error_of(lambda: os.pread(fd, 16, 0)) or "read"
            if came != said:
                said = came
                say(came)

    return act


def by_grant(one: Person) -> tuple[str, dict[str, Any]]:
    return "grant.end", {"grant": one.grants[0], "reason": "测试"}


def by_level(one: Person) -> tuple[str, dict[str, Any]]:
    return "person.set", {"person": one.name, "level": ["internal"], "domain": "state"}


def by_inactivity(one: Person) -> tuple[str, dict[str, Any]]:
    return "person.set", {"person": one.name, "inactive": True}


def by_import(one: Person) -> tuple[str, dict[str, Any]]:
    return "person.import", {"csv": _CSV.format(person=one.name), "update": True}


WAYS = (by_grant, by_level, by_inactivity, by_import)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_mapping_ends_with_the_rights_a_descriptor_is_refused_and_nobody_else_notices(
    site: Scene, person: Person, way: Callable[[Person], tuple[str, dict[str, Any]]]
) -> None:
    document = site.plans / "doc.txt"
    with (
        alive(person.who, holding(document)) as (_, mapped),
        alive(person.who, reading_descriptor(document)) as (reader, open_only),
        alive(person.who, holding(site.public / "doc.txt")) as (_, outside),
        alive(BYSTANDER, holding(document)) as (_, neighbour),
    ):
        op, given = way(person)
        with site.asking() as agent:
            plan = agent.call("act.plan", act=op, given=json.dumps(given))
            assert [loss["person"] for loss in plan["lost"]] == [person.name]
            assert "plans" in plan["lost"][0]["areas"]
            [holders] = [step for step in plan["plans"][0]["steps"] if step["id"] == "holders"]
            assert len(holders["targets"]) == 1
            assert not ended(mapped, 0)
            agent.call(op, **given)
        assert ended(mapped)
        until(lambda: "EPERM" in [reply.value for reply in reader.heard()])
        loss = newest_loss(site, person.name)
        report = proven(site, loss)
        assert not any(ended(process, 0) for process in (open_only, outside, neighbour))
    assert (report.problems, report.complete) == ((), True)
    assert report.payload
    assert (report.payload["cause"], report.payload["person"]) == ("loss", person.name)
    shown = json.loads(site.site.shoumi("case", "receipt", loss, "--json").stdout)
    assert (shown["case"], shown["ok"], shown["complete"]) == (loss, True, True)
    assert site.site.shoumi("case", "receipt", "L999999", check=False).returncode == 1


def test_an_account_that_is_taken_ends_its_mapping_and_not_that_of_the_other_account(
    site: Scene, person: Person
) -> None:
    document = site.plans / "doc.txt"
    with (
        alive(person.who, holding(document)) as (_, kept),
        alive(person.other, holding(document)) as (_, taken),
        site.asking() as agent,
    ):
        agent.call("account.remove", person=person.name, uid=person.second)
        assert ended(taken)
        assert proven(site, newest_loss(site, person.name)).complete
        assert not ended(kept, 0)
    assert attempt(person.other, reading(document)).error == "EPERM"
    assert attempt(person.who, reading(document)).allowed


def test_an_area_that_is_raised_ends_the_mappings_of_everybody_who_is_not_cleared_for_it(
    site: Scene, person: Person
) -> None:
    ledger = site.site.root / "ledger" / "doc.txt"
    with alive(person.who, holding(ledger)) as (_, mine), alive(BYSTANDER, holding(ledger)) as (_, theirs):
        with site.asking() as agent:
            agent.call("area.set", area="ledger", level="top-secret")
        try:
            assert ended(mine)
            assert ended(theirs)
        finally:
            with site.asking() as agent:
                agent.call("area.set", area="ledger", level="secret")


def test_fifty_holds_at_once_cut_the_last_mapping_no_later_than_the_acts_take(site: Scene) -> None:
    people = [ActorIdentity(61_400 + number, NO_LOGIN) for number in range(50)]
    with ExitStack() as stack:
        agent = stack.enter_context(site.asking())
        for who in people:
            agent.call("person.add", person=f"R{who.uid}", level=["secret"], domain="state", account=[who.uid])
            agent.call("grant.add", person=f"R{who.uid}", area="plans", reason="测试")
        held = [stack.enter_context(alive(who, holding(site.plans / "doc.txt")))[1] for who in people]
        for who in people:
            agent.call("hold.add", person=f"R{who.uid}", reason="测试")
        assert all(ended(process, 1.0) for process in held)  # a bound of the contract, far above what it takes
        under_way = agent.call("status")["revocations"]
        assert (under_way["waiting"] > 0) == (under_way["since"] is not None) == (under_way["seconds"] > 0)
        until(lambda: agent.call("status")["revocations"]["waiting"] == 0, 120)
        assert all(proven(site, str(row["id"])).complete for row in agent.stream("hold.list"))


def newest_loss(site: Scene, person: str) -> str:
    """Wait until a loss of *person* has a run, and return its number."""
    found: list[str] = []

    def seen() -> bool:
        found[:] = [
            str(entry["case"])
            for entry in site.site.entries()
            if entry["kind"] == "revocation" and entry["person"] == person and str(entry["case"]).startswith("L")
        ]
        return bool(found)

    until(seen)
    return found[-1]

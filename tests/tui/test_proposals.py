"""What gives access waits on the terminal too, is shown with what it gives, and is confirmed by another."""

import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.api.client import AgentClient
from agent.api.roles import Role
from agent.registry.store import Registry
from tests import needs
from tests.control.site import Site, running
from tests.tui.kit import WIDE, Walk, acting_as, everything_loaded, journey
from tests.tui.site import furnished

GROUPS = {Role.SYSTEM: 61_700, Role.SECURITY: 61_701, Role.AUDITOR: 61_702}  # groups no host has
FIRST, SECOND = 61_810, 61_811

pytestmark = needs.root


@pytest.fixture
def ruled(zone: None) -> Iterator[Site]:
    root = Path(tempfile.mkdtemp(prefix="shoumi-test-"))
    root.chmod(0o755)
    try:
        roles = "".join(f"{role} = {group}\n" for role, group in GROUPS.items())
        home = furnished(root / "home", settings=f"[roles]\n{roles}")
        with Registry(home.registry) as registry, registry.change(datetime.now(UTC)) as change:
            change.people.add("E1009", name="王")
            change.accounts.add(FIRST, "E1003")
            change.accounts.add(SECOND, "E1009")
        with running(root / "home") as site:
            everything_loaded()
            yield site
    finally:
        shutil.rmtree(root)


def level_of(site: Site, person: str) -> str:
    with AgentClient(site.home) as client:
        [clearance] = client.call("person.show", person=person)["clearances"]
    return str(clearance["level"])


def test_one_officer_asks_on_the_terminal_and_another_confirms_there(ruled: Site) -> None:
    async def asks(t: Walk) -> None:
        await t.go("people")
        await t.press("g")
        await t.type("plans")
        await t.press("tab")
        await t.type("x")
        await t.press("enter")
        await t.until(lambda: any("waits for a second officer" in said for said in t.told()), "that it waits")
        await t.go("proposals")
        await t.sees("P000001", "grant a person access to an area or room")

    async def confirms(t: Walk) -> None:
        await t.sees("1 proposal waits for a second officer")
        await t.go("proposals")
        await t.press("enter")
        await t.sees("effects if confirmed now")
        await t.press("c")
        await t.sees("confirm P000001")
        await t.type("P000001")
        await t.press("enter")
        await t.sees("no proposals wait for a second officer")

    with acting_as(FIRST, GROUPS[Role.SECURITY]):
        journey(ruled, asks, size=WIDE)
    with acting_as(SECOND, GROUPS[Role.SYSTEM]):
        journey(ruled, confirms, size=WIDE)
        with AgentClient(ruled.home) as client:
            assert "plans" in str(client.call("person.show", person="E1001")["grants"])


def test_who_has_proposed_it_cannot_confirm_it_and_can_withdraw_it(ruled: Site) -> None:
    async def walk(t: Walk) -> None:
        await t.go("proposals")
        await t.sees("P000001")
        await t.press("c")
        await t.sees("confirm P000001")
        await t.type("P000001")
        await t.press("enter")
        await t.until(lambda: any("another person must confirm it" in said for said in t.told()), "refused")
        await t.press("x")
        await t.type("a mistake")
        await t.press("enter")
        await t.sees("no proposals wait for a second officer")
        await t.press("z")
        await t.sees("withdrawn")

    with acting_as(FIRST, GROUPS[Role.SECURITY]):
        with AgentClient(ruled.home) as client:
            assert client.call("person.set", person="E1002", level=["state=top-secret"])["waiting"]
        journey(ruled, walk, size=WIDE)
        assert level_of(ruled, "E1002") == "confidential"

"""Three administrators, one site: each sees every key, and on those of the others who may press them, and why not he.

Rules of this file: who may do what is read from the agent's own table, so a role that gains or loses an act needs no
change here; a few sentences are spelled out, so that the table is not only compared with itself.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.api.operations import TABLE
from agent.api.roles import Role
from tests import needs
from tests.control.site import Site, running
from tests.sentences import en
from tests.tui.kit import WIDE, Walk, acting_as, everything_loaded, journey
from tests.tui.site import furnished
from tui.keys import PLACES, actions_of
from tui.keys.shape import KeyAction

GROUPS = {Role.SYSTEM: 61_700, Role.SECURITY: 61_701, Role.AUDITOR: 61_702}  # groups no host has
SETTINGS = "[roles]\n" + "".join(f"{role} = {group}\n" for role, group in GROUPS.items())

pytestmark = needs.root


@pytest.fixture(scope="module")
def ruled(zone: None) -> Iterator[Site]:
    root = Path(tempfile.mkdtemp(prefix="shoumi-test-"))
    root.chmod(0o755)
    try:
        furnished(root / "home", settings=SETTINGS)
        with running(root / "home") as site:
            everything_loaded()
            yield site
    finally:
        shutil.rmtree(root)


def barred(action: KeyAction, role: Role) -> bool:
    return any(roles is not None and role not in roles for roles in (TABLE[op].roles for op in action.ops))


@pytest.mark.parametrize("role", GROUPS)
def test_a_key_of_another_role_stands_in_brackets_says_whose_it_is_and_does_nothing(ruled: Site, role: Role) -> None:
    async def walk(t: Walk) -> None:
        await t.settled()
        for place in PLACES.values():
            if barred(place.action, role):
                await refused(t, place.action)
                continue
            await t.go(place.name)
            keys = t.text().splitlines()[-1]
            for action in actions_of(place.name):
                why = t.terminal.why_not(action)
                if not barred(action, role):
                    assert why is None or "you are the" not in en(why)
                    continue
                assert why
                assert en(why).endswith(f"you are the {en(role.text)}")
                assert en(action.title) not in keys or f" {en(action.title)})" in keys
                if action.cuts:
                    await refused(t, action)

    async def refused(t: Walk, action: KeyAction) -> None:
        before, known = t.terminal.screen, len(t.told())
        await t.press(action.key.partition(",")[0])
        await t.until(lambda: t.told()[known:], action.id)
        assert t.told()[-1].startswith(f"{en(action.title)}: reserved for the ")
        assert t.told()[-1].endswith(f"you are the {en(role.text)}")
        assert t.terminal.screen is before

    with acting_as(61_800, GROUPS[role]):
        journey(ruled, walk, size=WIDE)


async def told(t: Walk, words: str) -> None:
    """Wait until the terminal has said *words* and nothing else."""
    await t.until(t.told, words)
    assert t.told() == [words]


def test_what_each_may_not_do_is_what_the_three_are_kept_apart_for(ruled: Site) -> None:
    async def auditor(t: Walk) -> None:
        await t.go("people")
        await t.sees("(h HOLD)", "(g grant)", "张三")
        await t.press("h")
        await told(t, "HOLD: reserved for the security officer; you are the auditor")

    async def officer(t: Walk) -> None:
        await t.settled()
        await t.press("2")
        await told(t, "Access log: reserved for the auditor; you are the security officer")
        await t.go("people")
        await t.sees("g grant", "h HOLD")
        assert "(g grant)" not in t.text()

    async def administrator(t: Walk) -> None:
        await t.go("people")
        await t.sees("a add", "(g grant)")
        await t.go("departures")
        await t.press("o")
        await told(t, "open case: reserved for the security officer; you are the system administrator")

    for role, walk in ((Role.AUDITOR, auditor), (Role.SECURITY, officer), (Role.SYSTEM, administrator)):
        with acting_as(61_800, GROUPS[role]):
            journey(ruled, walk, size=WIDE)

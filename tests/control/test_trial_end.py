"""The trial of a site ends once: a registry that has lost the groups of the roles leaves nobody a role, not root."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from agent.cli.__main__ import main
from agent.control.trial_end import proven
from agent.errors import ForbiddenError
from agent.site import trial
from tests.control.site import Site
from tests.sentences import en

GROUPS = {"system": "62991", "security": "62992", "auditor": "62993"}


def named(site: Site) -> None:
    with site.client() as root:
        root.call("role.set", **GROUPS, anyway=True)


def forgotten(site: Site, value: str | None = None) -> None:
    """Take the groups out of the registry, as root can."""
    with closing(sqlite3.connect(site.home.registry)) as registry, registry:
        if value is None:
            registry.execute("DELETE FROM settings WHERE name = 'roles'")
        else:
            registry.execute("UPDATE settings SET value = ? WHERE name = 'roles'", (value,))


def closed_to_root(site: Site) -> None:
    with site.client() as root:
        assert root.call("role.list")["bootstrap"] is False
        for op, args in (("person.add", {"person": "E1"}), ("role.set", {**GROUPS, "anyway": True}), ("status", {})):
            with pytest.raises(ForbiddenError):
                root.call(op, **args)


@pytest.mark.parametrize("value", [None, ""])
def test_root_gets_no_trial_back_by_taking_the_groups_out_live_or_between_two_starts(
    fresh: Site, value: str | None
) -> None:
    named(fresh)
    forgotten(fresh, value)
    closed_to_root(fresh)
    for _ in range(2):  # what was refused meanwhile proves nothing else
        fresh.stop_control()
        fresh.home.trial_over.unlink()  # root can do that, too
        fresh.start_control()
        closed_to_root(fresh)
        assert trial.is_over(fresh.home)
    assert [entry["alarm"] for entry in fresh.entries(kind="roles-lost")] == [True, True]


def test_doctor_tells_root_with_and_without_the_agent_what_to_do(
    fresh: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    named(fresh)
    forgotten(fresh)
    for stop in (False, True):
        if stop:
            fresh.stop_control()
        assert main(["--home", str(fresh.home.root), "doctor", "--json"]) == 1
        found = {one["code"]: one for one in map(json.loads, capsys.readouterr().out.splitlines())}
        assert "bootstrap" not in found
        assert "breakglass open" in en(found["roles-lost"]["hint"])


def test_a_trial_is_one_until_its_groups_are_named(fresh: Site) -> None:
    with fresh.client() as root:
        root.call("person.add", person="E1")
    trial.tell(fresh.home, over=True)  # left behind by another site
    fresh.stop_control()
    fresh.start_control()
    assert not trial.is_over(fresh.home)
    with fresh.client() as root:
        root.call("person.add", person="E2")
    assert fresh.entries(kind="roles-lost") == []
    named(fresh)
    assert trial.is_over(fresh.home)


def act(op: str, outcome: str = "done", epoch: int = 1, **fields: Any) -> bytes:
    entry = {"kind": "act", "act": op, "outcome": outcome, "epoch": epoch, "change": "c", **fields}
    return json.dumps(entry, separators=(",", ":")).encode()


ONE: dict[str, Any] = {"hands": "one-hand"}


@pytest.mark.parametrize(
    ("entries", "ended"),
    [
        ([], False),
        ([act("person.add", **ONE)], False),
        ([act("person.add", **ONE), act("role.set", **ONE)], True),
        ([act("role.set", **ONE), act("person.add"), act("grant.add", hands={"proposal": "P1"})], True),
        ([act("role.set", **ONE), act("role.set", "not-completed", **ONE)], False),
        ([act("role.set", **ONE), act("role.set", epoch=2), act("role.set", "not-completed", epoch=2)], True),
        ([act("role.set", "refused", **ONE)], False),
        ([act("role.set", "forbidden")], False),
        ([act("proposal.add", args={"act": "role.set"}, **ONE)], False),
        ([act("person.add")], False),  # of a release that did not say it
        ([b'{"kind":"act"', b'{"kind":"act","x":[1]}'], False),
    ],
)
def test_what_the_log_proves(entries: list[bytes], ended: bool) -> None:
    assert proven(reversed(entries)) is ended

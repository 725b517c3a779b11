"""What the decider takes from a registry that lacks what the log holds: where areas lie, and nothing else."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent import shipped_packs
from agent.guard.policy import PolicySnapshot
from agent.log.append import Appender
from agent.log.entry import render, stamp
from agent.registry.rows.settings import ROLES
from agent.registry.store import Registry
from agent.runtime.home import Home
from agent.site import trial
from agent.site.init import make
from rules.model import Level, Mode
from tests.sentences import en

_AT = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    make(made, shipped_packs.text("minimal"))
    with Registry(made.registry) as registry, registry.change(_AT) as change:
        for name, mode in (("plans", Mode.ENFORCE), ("loose", Mode.OBSERVE), ("tight", Mode.OBSERVE)):
            change.areas.add(name, path=f"/srv/{name}", level=Level.SECRET, domain="state", mode=mode)
    return made


@pytest.fixture
def policy(home: Home) -> Iterator[PolicySnapshot]:
    with closing(PolicySnapshot(home)) as made:
        yield made


def proves(home: Home, epoch: int) -> None:
    """Have the log prove that *epoch* was in force."""
    with Appender(home.log, "process") as log:
        log.append([render(log.next_seq, stamp(_AT), {"kind": "start", "epoch": epoch})])


def test_a_registry_that_is_not_older_is_decided_from(policy: PolicySnapshot) -> None:
    policy.reload()
    assert policy.source
    assert (policy.source.closed, policy.epoch) == (None, 2)
    assert policy.observed == {"loose", "tight"}


def test_a_pack_with_a_mistake_is_told_in_words_with_its_line(home: Home, policy: PolicySnapshot) -> None:
    home.pack.write_text("colour = 1\n" + home.pack.read_text())
    policy.reload()
    assert policy.trouble
    assert en(policy.trouble.text).endswith("line 1: unknown setting `colour`")


def test_an_older_one_says_where_areas_lie_and_the_log_which_of_them_are_enforced(
    home: Home, policy: PolicySnapshot
) -> None:
    proves(home, 9)
    home.logged_areas.write_text(json.dumps({"tight": None, "later": "/srv/later"}))
    policy.reload()
    assert policy.source
    assert policy.source.closed
    assert (policy.source.closed.rule, policy.source.enforced) == ("registry-older", {"tight", "later"})
    assert policy.epoch == 9
    assert {root.area: (root.path, root.enforced) for root in policy.roots or ()} == {
        "plans": (b"/srv/plans", True),
        "loose": (b"/srv/loose", False),
        "tight": (b"/srv/tight", True),
        "later": (b"/srv/later", True),
    }
    assert policy.observed == {"loose"}
    with Registry(home.registry) as registry, registry.change(_AT) as change:
        change.lift_epoch(9)
    assert policy.moved()
    policy.reload()
    assert policy.source
    assert (policy.source.closed, policy.epoch) == (None, 10)
    assert policy.observed == {"loose", "tight"}


def test_logins_are_asked_for_good_once_the_trial_has_ended(home: Home, policy: PolicySnapshot) -> None:
    def asks(one: PolicySnapshot) -> bool:
        one.reload()
        return one.programs.asks_logins

    assert not asks(policy)
    with Registry(home.registry) as registry, registry.change(_AT) as change:
        change.settings.set(ROLES, "x")
    assert asks(policy)
    with closing(sqlite3.connect(home.registry)) as file, file:  # root, past the agent
        file.execute("DELETE FROM settings")
    assert asks(policy)
    with closing(PolicySnapshot(home)) as successor:
        assert not asks(successor)
        trial.tell(home, over=True)  # the control process has looked into the log
        assert asks(successor)


@pytest.mark.parametrize("text", ["", "[", "null", '["a"]'])
def test_what_nobody_can_read_of_the_logs_areas_leaves_those_of_the_registry(
    home: Home, policy: PolicySnapshot, text: str
) -> None:
    proves(home, 9)
    home.logged_areas.write_text(text)
    policy.reload()
    assert policy.source
    assert policy.source.closed
    assert len(policy.roots or ()) == 3

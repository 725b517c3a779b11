"""The second factor: a real PAM service, asked in a process of its own, counts for one program and five minutes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import shipped_packs
from agent.api.client import AgentClient
from agent.api.operations import TABLE, needs_factor
from agent.api.operations.schema import ANY
from agent.api.peers import Peer
from agent.control.rejections import WITH_ROLE
from agent.control.second_factor import SecondFactor
from agent.errors import FactorNeededError, RefusedError
from agent.runtime.home import Home
from agent.site.init import make
from tests import needs
from tests.control.conftest import folder
from tests.control.site import Site, running

pytestmark = needs.root

RIGHT = "correct horse"


def pam_service(root: Path) -> str:
    """Make a PAM service that takes :data:`RIGHT`, in a folder of its own."""
    check = root / "check"
    check.write_text('#!/bin/sh\nread -r typed; test "$typed" = "correct horse"\n', encoding="ascii")
    check.chmod(0o755)
    lines = f"auth required pam_exec.so expose_authtok quiet {check}\naccount required pam_permit.so\n"
    (root / "shoumi-test").write_text(lines, encoding="ascii")
    return str(root / "shoumi-test")


@pytest.fixture
def guarded() -> Iterator[Site]:
    with folder() as root:
        home = Home(root / "home")
        make(home, shipped_packs.text("minimal"))
        home.config.write_text(f'second_factor = "{pam_service(root)}"\n{home.config.read_text()}')
        with running(home.root) as site:
            yield site


def test_what_gives_or_cuts_is_refused_until_pam_has_confirmed_who_it_is(guarded: Site) -> None:
    with AgentClient(guarded.home) as client:
        assert client.call("person.add", person="E1", name="what gives and cuts nothing")
        with pytest.raises(FactorNeededError):
            client.call("hold.add", person="E1", reason="x")
        with pytest.raises(RefusedError, match=r"control.second-factor-wrong"):
            client.call("factor.give", secret="battery staple")
        with pytest.raises(FactorNeededError):
            client.call("hold.add", person="E1", reason="x")
        assert client.call("factor.give", secret=RIGHT)["given"]
        assert client.call("hold.add", person="E1", reason="x")["hold"]
    [entry] = guarded.entries(kind="factor")
    assert (entry["outcome"], entry["actor"]["uid"]) == ("refused", 0)
    assert RIGHT not in str(guarded.entries())


def test_whoever_gives_wrong_ones_again_and_again_does_not_fill_the_log(guarded: Site) -> None:
    with AgentClient(guarded.home) as client:
        for _ in range(WITH_ROLE.burst + 20):
            with pytest.raises(RefusedError):
                client.call("factor.give", secret="x")
    assert WITH_ROLE.burst <= len(guarded.entries(kind="factor")) < WITH_ROLE.burst + 20


def test_where_none_is_asked_for_and_of_whoever_has_no_role_nothing_is_recorded(fresh: Site) -> None:
    with AgentClient(fresh.home) as client, pytest.raises(RefusedError, match=r"control.second-factor-not-set"):
        client.call("factor.give", secret="x")
    assert TABLE["factor.give"].allowed({}) == [ANY]
    assert not TABLE["factor.give"].act
    assert fresh.entries(kind="factor") == []


def test_what_one_program_was_asked_for_counts_for_no_other_of_the_account(guarded: Site) -> None:
    with AgentClient(guarded.home) as client:
        client.call("person.add", person="E1")
        client.call("factor.give", secret=RIGHT)
        client.call("hold.add", person="E1", reason="x")
    command = [sys.executable, "-I", "-m", "agent.cli", "--home", str(guarded.home.root)]
    ended = subprocess.run(
        [*command, "hold", "add", "E1", "--reason", "y"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert ended.returncode == 3
    assert b"second factor" in ended.stderr


def test_an_account_that_was_wrong_five_times_is_not_asked_again(tmp_path: Path) -> None:
    factor = SecondFactor(pam_service(tmp_path), lambda _pid: 1)
    peer = Peer(os.getpid(), os.getuid(), 0, frozenset(), None)
    for _ in range(5):
        with pytest.raises(RefusedError, match=r"control.second-factor-wrong"):
            factor.give(peer, "x")
    with pytest.raises(RefusedError, match=r"control.too-many-attempts"):
        factor.give(peer, RIGHT)


def test_a_process_that_took_over_the_number_has_given_nothing(tmp_path: Path) -> None:
    start = [1]
    factor = SecondFactor(pam_service(tmp_path), lambda _pid: start[0])
    peer = Peer(os.getpid(), os.getuid(), 0, frozenset(), None)
    factor.give(peer, RIGHT)
    factor.require(peer)
    start[0] = 2
    with pytest.raises(FactorNeededError):
        factor.require(peer)


def test_a_service_that_is_not_there_lets_nobody_pass(tmp_path: Path) -> None:
    factor = SecondFactor(str(tmp_path / "none"), lambda _pid: 1)
    with pytest.raises(RefusedError):
        factor.give(Peer(os.getpid(), os.getuid(), 0, frozenset(), None), RIGHT)


def test_all_acts_that_give_are_among_those_it_is_asked_for() -> None:
    assert all(needs_factor(name, {}) for name, op in TABLE.items() if op.gives)
    assert all(needs_factor(name, {}) for name in ("hold.add", "grant.end", "proposal.confirm", "person.set"))
    assert needs_factor("person.add", {"account": [62_000]})
    assert all(needs_factor(name, {}) for name in ("case.open", "record.add", "area.enforce", "hr.subject.add"))
    assert not any(needs_factor(name, {}) for name in ("lockdown.on", "case.list", "person.add"))

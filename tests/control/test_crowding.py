"""Whatever users without a role ask for together, officers and root are answered, and those users are named.

How long a hold takes meanwhile is measured by ``make bench`` (``tests.bench.callers``), and never asserted.
"""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from agent.api import sockets
from agent.api.client import AgentClient
from agent.api.roles import THREE, Role
from agent.control.reception.budgets import BUDGETS, LARGE, SMALL, CallerKind
from agent.control.rejections import WITHOUT
from tests.control import crowding
from tests.control.conftest import folder
from tests.control.crowding import ATTACKS, as_officer, attacking
from tests.control.offboarding.test_coordinator import until
from tests.control.site import Site, running
from tests.sentences import en

WORKER = 20 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
HOSTILE = range(63_001 + WORKER, 63_005 + WORKER)
OFFICER, OTHER, STRANGER = 63_010 + WORKER, 63_011 + WORKER, 63_012 + WORKER
SECURITY = 62_802
PLACES = sum(one.places for one in BUDGETS.values())


@pytest.fixture(scope="module")
def office() -> Iterator[Site]:
    """A site whose groups are named, and whose sockets are theirs."""
    with folder() as root, running(root / "home") as site:
        with site.client() as client:
            for person in ("E1", "E2"):
                client.call("person.add", person=person)
            client.call("role.set", system="62801", security=str(SECURITY), auditor="62803", anyway=True)
        named = {role: sockets.path(site.home, role).stat().st_gid for role in THREE}
        assert named == {Role.SYSTEM: 62801, Role.SECURITY: SECURITY, Role.AUDITOR: 62803}  # since the act was answered
        yield site


def officer(work: Callable[[], Any], uid: int = OFFICER) -> Any:
    """Return what *work* returns in a process of an officer."""
    return _child(lambda: as_officer(SECURITY, uid), work)


def stranger(work: Callable[[], Any], uid: int = STRANGER) -> Any:
    return _child(lambda: as_officer(uid, uid), work)


def hold(site: Site) -> Any:
    with AgentClient(site.home, timeout=60) as client:
        return client.call("hold.add", person="E1", reason="x")


def asked(end: socket.socket, line: bytes = b'{"op":"role.list"}\n') -> Any:
    end.settimeout(30)
    end.sendall(line)
    with end.makefile("rb") as lines:
        return json.loads(lines.readline() or b"null")


def public(site: Site) -> socket.socket:
    """Connect by the socket that everybody reaches."""
    end = socket.socket(socket.AF_UNIX)
    end.connect(str(sockets.path(site.home)))  # it waits in the line, which one with a timeout does not
    return end


def test_an_officer_holds_somebody_while_four_uids_take_all_they_can(office: Site) -> None:
    assert office.control
    fds = Path(f"/proc/{office.control.pid}/fd")
    before = len(os.listdir(fds))
    with attacking(office.home, HOSTILE, ATTACKS):
        for _ in range(3):
            answer = officer(lambda: hold(office))
            assert 0 <= answer["waited_milliseconds"] <= answer["milliseconds"] <= answer["caller_milliseconds"]
            with office.client() as root:
                assert root.call("role.list")["yours"] is None
            assert len(os.listdir(fds)) <= before + PLACES
        named = until(lambda: {entry["uid"] for entry in office.entries(kind="over-budget")} == set(HOSTILE))
    assert named
    forbidden = office.entries(outcome="forbidden")
    for uid in HOSTILE:
        mine = [entry for entry in forbidden if entry["actor"]["uid"] == uid]  # type: ignore[index]
        assert len(mine) <= WITHOUT.burst + 5  # one more a minute
    alarms = officer(lambda: _alarms(office))
    assert sorted(int(en(alarm["text"]).split()[1]) for alarm in alarms) == list(HOSTILE)
    assert "over-budget" in officer(lambda: _findings(office))


def test_a_role_has_a_place_also_by_the_socket_that_everybody_reaches(office: Site) -> None:
    def ask() -> Any:
        with closing(public(office)) as end:
            return asked(end)["result"]["yours"]

    with attacking(office.home, HOSTILE, (crowding.idle, crowding.half_lines)):
        assert officer(ask) == "security"


def test_a_fifth_user_gets_a_place_of_the_four_who_have_most(office: Site) -> None:
    with attacking(office.home, HOSTILE, (crowding.idle,)):
        assert stranger(lambda: until(lambda: _served(office)))


def test_who_has_no_role_sends_little_and_a_role_sends_much(office: Site) -> None:
    long = b'{"op":"frob","args":{"x":"' + b"y" * (LARGE - 100) + b'"}}\n'

    def send(line: bytes) -> Any:
        with closing(sockets.connect(office.home)) as end:
            return en(asked(end, line)["error"])

    assert stranger(lambda: send(long[-SMALL - 1 :])) == "the request is larger than 4 KiB, and the caller has no role"
    assert officer(lambda: send(long)) == "there is no operation `frob`"


def test_a_uid_has_no_more_places_than_its_part_with_a_role_or_without(office: Site) -> None:
    def take() -> int:
        with ExitStack() as stack:
            found = 0
            for _ in range(80):
                answer = asked(stack.enter_context(closing(public(office))))
                found += answer["ok"]
            return found

    assert stranger(take) == BUDGETS[CallerKind.STRANGER].places_each
    assert officer(take) == BUDGETS[CallerKind.ROLE].places_each


def _alarms(site: Site) -> Any:
    with AgentClient(site.home) as client:
        return [one for one in client.stream("alarm.list") if one["kind"] == "over-budget"]


def _findings(site: Site) -> Any:
    with AgentClient(site.home) as client:
        return [one["code"] for one in client.call("doctor")]


def _served(site: Site) -> bool:
    try:
        with closing(public(site)) as end:
            return bool(asked(end)["ok"])
    except OSError:
        return False


def _child(become: Callable[[], None], work: Callable[[], Any]) -> Any:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            become()
            said = json.dumps(work())
        except BaseException as error:
            said = json.dumps(f"failed: {error!r}")
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as end:
        found = json.loads(end.read())
    os.waitpid(pid, 0)
    return found

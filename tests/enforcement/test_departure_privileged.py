"""An administrator leaves: denied at once on the word of one officer, ended on that of a second one (contract C8).

The administrator has two accounts: one of the host's own, which makes him one (nothing of it is touched), and one that
nobody else has, under which his processes run. The officers are callers with the role's group and nothing else.
"""

import os
import pwd
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from agent.api.client import AgentClient
from agent.api.operations import TABLE
from agent.demo.actors import ActorIdentity, acting, attempt, reading
from agent.demo.personnel import HrDepartment
from agent.errors import ShoumiError
from agent.offboard.receipt import receipt
from agent.offboard.receipt.verify import verify
from tests.enforcement.scene import NO_LOGIN, Scene, scene, until
from tests.enforcement.test_departure import reading_on
from tests.sentences import en

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-privileged")]

ROLE = pwd.getpwnam("daemon")  # every host has it, with a group of its own
OFFICERS = {"O1": 61_241, "O2": 61_242, "O3": 61_243}
ADMINISTRATORS = {"A1": 61_231, "A2": 61_232, "A3": 61_233}  # the last one has left that office
_PATIENCE = 30.0

Say = Callable[[object], None]


class Answer(NamedTuple):
    result: Any
    refused: str


@pytest.fixture
def site(able: None) -> Iterator[Scene]:
    with scene() as made:
        with made.asking() as agent:
            for name, uid in (OFFICERS | ADMINISTRATORS).items():
                agent.call("person.add", person=name, level=["secret"], domain="state", account=[uid])
            for name in ADMINISTRATORS:
                agent.call("grant.add", person=name, area="plans", reason="测试")
        yield made


def name_officers(site: Scene) -> None:
    """Name the group of the security officers, from which on root has no role: for good."""
    config = site.site.home.config
    before = config.read_text(encoding="utf-8")
    config.write_text(f"{before}\n[roles]\nsecurity = {ROLE.pw_gid}\n", encoding="utf-8")
    restart(site)
    assert "has no role" in asked(site, 0, "status").refused


@pytest.fixture
def officers(site: Scene) -> None:
    name_officers(site)


@pytest.fixture
def administrator(site: Scene, request: pytest.FixtureRequest) -> tuple[str, ActorIdentity]:
    """Give the role's account to one of them."""
    name = str(request.param)
    with site.asking() as agent:
        agent.call("account.add", person=name, uid=ROLE.pw_uid, allow_system=True)
    name_officers(site)
    return name, ActorIdentity(ADMINISTRATORS[name], ADMINISTRATORS[name])


def restart(site: Scene) -> None:
    """Have another control process, with the settings as they are now."""
    control = site.site.process("control")
    process = os.pidfd_open(control)
    os.kill(control, signal.SIGKILL)
    select.select([process], [], [], _PATIENCE)
    os.close(process)
    until(lambda: "cannot" not in asked(site, 0, "role.list").refused)


def calling(site: Scene, uid: int, login: int, op: str, args: dict[str, Any], then: Callable[[], object]) -> Any:
    """Return an act: a caller of this uid, with the role's group, asks for *op* and says what came of it."""

    def act(say: Say) -> None:
        with open("/proc/self/loginuid", "w") as file:
            file.write(str(login))
        os.setgroups([ROLE.pw_gid] if uid else [])
        os.setresgid(max(uid, 0), max(uid, 0), max(uid, 0))
        os.setresuid(uid, uid, uid)
        try:
            with AgentClient(site.site.home, timeout=_PATIENCE) as agent:
                answer = list(agent.stream(op, **args)) if TABLE[op].stream else agent.call(op, **args)
                say([answer, ""])
                then()
        except ShoumiError as error:
            say([None, f"cannot: {en(error.text)}"])

    return act


def asked(site: Scene, uid: int, op: str, login: int = NO_LOGIN, **args: Any) -> Answer:
    """Have a caller ask for *op*, and wait for what it says."""
    with acting(None, calling(site, uid, login, op, args, lambda: None)) as caller:
        outcome = caller.next(_PATIENCE)
    return Answer(*outcome.value) if outcome.value else Answer(None, f"cannot: {outcome.error}")


@contextmanager
def reader(site: Scene, who: ActorIdentity) -> Iterator[int]:
    """A process of the administrator that reads through a descriptor; its pidfd."""
    with acting(who, reading_on(site.plans / "doc.txt")) as actor:
        assert actor.next().allowed
        process = os.pidfd_open(actor.pid)
        try:
            yield process
        finally:
            os.close(process)


def ended(process: int, patience: float = _PATIENCE) -> bool:
    return bool(select.select([process], [], [], patience)[0])


@pytest.mark.parametrize("administrator", ["A1"], indirect=True)
def test_he_is_denied_by_one_officer_and_ended_by_a_second_one(
    site: Scene, administrator: tuple[str, ActorIdentity]
) -> None:
    name, who = administrator
    first, second, third = OFFICERS.values()
    with reader(site, who) as process:
        assert not asked(site, first, "case.open", person=name, last_day="2099-12-31").refused
        approved = asked(site, first, "case.approve", person=name)
        assert (approved.refused, approved.result["step"]) == ("", "confirmation")
        assert attempt(who, reading(site.plans / "doc.txt")).error == "EPERM"
        assert not ended(process, 1)

        status = asked(site, second, "case.status", person=name).result
        assert [step["event"] for step in status["next"]] == ["confirm"]
        assert "a second officer is required" in asked(site, first, "case.confirm", person=name).refused
        assert "may not act as an officer" in asked(site, who.uid, "case.confirm", person=name).refused
        assert not ended(process, 0)

        # The second one works in a shell that was reached from the administrator's own login.
        sitting = calling(site, second, who.uid, "case.confirm", {"person": name}, lambda: time.sleep(600))
        with acting(None, sitting) as command:
            said = command.next(_PATIENCE)
            assert ended(process)
            folder = receipt.receipts_folder(site.site.home.root)
            until(lambda: receipt.kept(folder), _PATIENCE)
            alive = os.waitpid(command.pid, os.WNOHANG) == (0, 0)
        assert said.value[0]["step"] == "approved"
        assert alive
    shown = asked(site, third, "case.receipt", person=name).result
    report = verify(shown["receipt"].encode(), shown["public_key"].encode())
    assert report.genuine
    assert report.payload
    killed = next(step for step in report.payload["steps"] if step["id"] == "processes")["facts"]
    assert len(killed["spared"]) == 1
    marks = {row["mark"]: row["at"] for row in report.payload["timeline"]}
    assert marks["denied"] < status_time(site, name, "case.confirm") <= marks["last-gone"]


def status_time(site: Scene, name: str, act: str) -> str:
    """Return when the entry of the last such act about this person was made."""
    entries = [one for one in site.news() if one.get("act") == act and one["args"]["person"] == name]
    return str([one for one in entries if one["outcome"] == "done"][-1]["time"])


@pytest.mark.parametrize("administrator", ["A2"], indirect=True)
def test_two_approvers_in_a_notice_of_the_personnel_system_are_the_two(
    site: Scene, administrator: tuple[str, ActorIdentity]
) -> None:
    name, who = administrator
    office = HrDepartment(site.site.home.root.parent / "personnel", site.site.home, "O1", "O2")
    office.pin()
    office.listening()
    notice = office.sign(name)
    # Nobody else on this host is in the group: without an officer's own act the notice would wait.
    assert not asked(site, OFFICERS["O3"], "case.open", person=name, last_day="2099-12-31").refused
    with reader(site, who) as process:
        office.drop(notice)
        assert ended(process)
    status = asked(site, OFFICERS["O3"], "case.status", person=name).result
    assert status["step"] == "approved"


def test_a_departure_taken_back_gives_access_again_grant_by_grant_and_each_time_by_two(
    site: Scene, officers: None
) -> None:
    name, who = "A3", ActorIdentity(ADMINISTRATORS["A3"], ADMINISTRATORS["A3"])
    first, second, _ = OFFICERS.values()
    document = site.plans / "doc1.txt"
    assert not asked(site, first, "case.open", person=name, last_day="2099-12-31").refused
    case = asked(site, first, "case.approve", person=name).result["case"]
    until(lambda: receipt.kept(receipt.receipts_folder(site.site.home.root), case), _PATIENCE)
    for officer in (first, second):
        assert not asked(site, officer, "case.rescind", person=name, reason="wrong person").refused
    lift = asked(site, first, "hold.lift", person=name, reason="back")
    assert not lift.refused
    assert lift.result["waiting"]
    assert attempt(who, reading(document)).error in ("EPERM", "EACCES")
    assert len(asked(site, second, "proposal.confirm", proposal=lift.result["proposal"]).result["holds"]) == 1
    [grant] = asked(site, first, "grant.list", person=name, all=True).result
    restore = asked(site, first, "case.restore", person=name, grant=grant["id"])
    assert not restore.refused
    assert restore.result["waiting"]
    assert attempt(who, reading(document)).error in ("EPERM", "EACCES")
    given = asked(site, second, "proposal.confirm", proposal=restore.result["proposal"])
    assert not given.refused
    assert given.result["given"]
    until(lambda: attempt(who, reading(document)).allowed, _PATIENCE)

"""What the real agent does to sessions of a real smbd when somebody's rights end, and to nobody else's.

Rules of this file: handles that stay open show it. *E1* is the one it is about; *E3* shares a connection with them and
has another one from the same address.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from smbprotocol import exceptions
from smbprotocol.connection import Connection
from smbprotocol.open import Open

from agent.control.offboarding.hr_reply import payload_of
from agent.offboard.receipt import receipt
from tests import needs
from tests.enforcement.scene import BYSTANDER, CLEARED, Area, Scene, dead_man, scene, until
from tests.samba.clients import READ, WRITE, connection, log_in, refusal
from tests.samba.server import FileServer, required, serving
from tests.sentences import en

pytestmark = [pytest.mark.kernel, needs.kernel, needs.needs(required), pytest.mark.xdist_group("samba-revocations")]
GONE = "NETWORK_NAME_DELEGATED"  # 0xC00000C9, STATUS_NETWORK_NAME_DELETED, as the library calls it
CUT = "S_M_B_CONNECTION_CLOSED"
ACCOUNTS = {"ann": CLEARED.uid, "ben": BYSTANDER.uid}


class Office(NamedTuple):
    """A site with an area ``plans`` and another one, ``ledger``, both of them shares, and its server."""

    site: Scene
    server: FileServer


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    with tempfile.TemporaryDirectory(prefix="shoumi-smb-") as made, pytest.MonkeyPatch.context() as patch:
        folder = Path(made)
        folder.chmod(0o755)  # smbd asks there as the user
        patch.setenv("SMB_CONF_PATH", str(folder / "smb.conf"))
        with scene((Area("plans"), Area("ledger"))) as site:
            shares = {name: site.site.root / name for name in ("plans", "ledger", "public")}
            with serving(folder, ACCOUNTS, shares) as server:
                yield Office(site, server)


class Desk(NamedTuple):
    """Handles of files in each share, in one connection of both, and of *E3* in another one."""

    both: Connection
    plans: Open
    ledger: Open
    public: Open
    ben: tuple[Open, ...]


@pytest.fixture
def desk(office: Office) -> Iterator[Desk]:
    with dead_man(office.site.site), ExitStack() as stack:
        both, other = (stack.enter_context(connection(office.server)) for _ in range(2))
        hers = [log_in(both, "ann", name).open("doc.txt", READ | WRITE) for name in ("plans", "ledger", "public")]
        his = [
            log_in(at, "ben", name).open("doc1.txt", READ | WRITE)
            for at in (both, other)
            for name in ("plans", "ledger")
        ]
        plans, ledger, public = hers
        assert [of(file) for file in (*hers, *his)] == [""] * 7
        yield Desk(both, plans, ledger, public, tuple(his))
        assert [of(file) for file in his] == [""] * 4


def of(file: Open) -> str:
    """Return what comes of writing and reading: ``""``, or what refuses it."""
    try:
        file.write(b"x", 0)
        file.read(0, 1)
    except exceptions.SMBException as error:
        return refusal(error)
    return ""


def run_of(office: Office, cause: str) -> Callable[[], Any]:
    """Return what finds how the newest run for *cause* left the Samba step, by its entries."""
    office.site.mark()

    def found() -> Any:
        entries = [one for one in office.site.news() if one["kind"] == "revocation" and one.get("cause") == cause]
        return next((one for one in reversed(entries) if one["step"] == "samba"), None)

    return found


def test_a_hold_closes_the_shares_of_the_person_and_lifting_it_leaves_nothing(office: Office, desk: Desk) -> None:
    before = office.server.tool("sharesec", "--view-all")
    said = run_of(office, "hold")
    with office.site.on_hold("E1"):
        until(lambda: [of(file) for file in (desk.plans, desk.ledger, desk.public)] == [GONE] * 3)
        until(said)
        assert (said()["state"], said()["facts"]) == ("confirmed", {"closed": 3, "left": 0})
        with pytest.raises(exceptions.AccessDenied):
            log_in(desk.both, "ann").get("doc.txt")
        assert [of(file) for file in desk.ben] == [""] * 4
    assert office.server.tool("sharesec", "--view-all") == before
    assert log_in(desk.both, "ann").get("doc.txt")


def test_a_hold_is_proven_while_others_keep_the_connection_busy(office: Office, desk: Desk) -> None:
    """A thread of smbd's that worked for *E1* goes on working for *E3*, with the uid it had."""
    folder = receipt.receipts_folder(office.site.site.home.root)

    def complete() -> bool:
        assert [of(file) for file in desk.ben] == [""] * 4
        kept = receipt.kept(folder, hold)
        return bool(kept) and bool(payload_of(kept[-1].read_bytes())["complete"])

    with office.site.on_hold("E1"):
        [hold] = [str(row["id"]) for row in office.site.ask("hold.list") if row["person"] == "E1"]
        until(complete)


def test_the_plan_of_a_hold_names_the_shares(office: Office, desk: Desk) -> None:
    plan = office.site.site.ask("hold", "plan", "E1")
    [step] = [step for step in plan["steps"] if step["id"] == "samba"]
    assert [en(target["what"]) for target in step["targets"]] == ["share `ledger`", "share `plans`", "share `public`"]
    assert of(desk.plans) == ""


def test_a_grant_that_is_ended_closes_the_share_that_leads_there_and_no_other(office: Office, desk: Desk) -> None:
    said = run_of(office, "loss")
    with office.site.asking() as agent:
        agent.call("grant.end", grant="E1", area="plans", reason="测试")
        try:
            until(said)
            assert (said()["state"], said()["facts"]) == ("confirmed", {"closed": 1, "left": 0})
            assert (of(desk.plans), of(desk.ledger), of(desk.public)) == (GONE, "", "")
        finally:
            agent.call("grant.add", person="E1", area="plans", reason="测试")
    assert log_in(desk.both, "ann").get("doc.txt")


def test_a_grant_that_ends_by_itself_closes_the_share_as_well(office: Office, desk: Desk) -> None:
    """No process of *E1* holds anything then: that a share is in use is what the run begins by."""
    lost, said = run_of(office, "loss"), run_of(office, "expiry")
    with office.site.asking() as agent:
        agent.call("grant.end", grant="E1", area="plans", reason="测试")
        until(lost)  # whoever connects before is made to do so again
        soon = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
        agent.call("grant.add", person="E1", area="plans", reason="临时", until=soon)
        try:
            plans = log_in(desk.both, "ann").open("doc.txt", READ | WRITE)
            assert of(plans) == ""
            until(lambda: of(plans) == GONE)
            until(said)
            assert said()["state"] == "confirmed"
            assert (of(desk.ledger), of(desk.public)) == ("", "")
        finally:
            agent.call("grant.add", person="E1", area="plans", reason="测试")


def test_who_leaves_is_left_without_a_share_and_without_a_connection_of_their_own(office: Office, desk: Desk) -> None:
    """The last test: *E1* is gone afterwards."""
    said = run_of(office, "departure")
    with connection(office.server) as alone:
        own = log_in(alone, "ann").open("doc.txt", READ | WRITE)
        assert of(own) == ""
        with office.site.asking() as agent:
            agent.call("case.open", person="E1", last_day="2099-12-31")
            case = agent.call("case.approve", person="E1")["case"]
        until(lambda: [of(file) for file in (desk.plans, desk.ledger, desk.public, own)] == [GONE] * 3 + [CUT])
        assert [of(file) for file in desk.ben] == [""] * 4
        until(said)
        assert (said()["state"], said()["facts"]["left"]) == ("pending", 3)
        with pytest.raises(exceptions.AccessDenied):
            log_in(desk.both, "ann").get("doc.txt")
    kept = receipt.receipts_folder(office.site.site.home.root)
    until(lambda: receipt.kept(kept, case))
    steps = {one["id"]: one for one in payload_of(receipt.kept(kept, case)[-1].read_bytes())["steps"]}
    assert steps["samba"]["state"] == "pending"

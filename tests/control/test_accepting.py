"""An older registry, accepted by a pair of officers in every pack: nothing that was under way in it lives again."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.api.operations import TABLE
from agent.api.peers import Peer
from agent.api.roles import CallerRole, Role
from agent.control import reconciliation
from agent.control.decider_client import DeciderConnection
from agent.control.dispatch import HandlerRequest
from agent.control.handlers import handler_table
from agent.control.lost_acts import lost_acts
from agent.control.reception.requests import permission
from agent.control.services import ControlServices, open_services
from agent.control.transaction import ActExecutor
from agent.errors import ForbiddenError, RefusedError
from agent.runtime import channel
from tests.control.conftest import folder
from tests.control.office import office_of
from tests.control.site import Site, running
from tests.control.test_two_hands import GROUPS, OTHER_SECURITY, ROLE_OF, SECURITY, SYSTEM, Desk

OFFICERS = frozenset({Role.SYSTEM, Role.SECURITY})
ROOT = ("root", 0)


@pytest.fixture
def alone() -> Iterator[Site]:
    with folder() as root, running(root / "home", control=False) as site:
        yield site


class Restarted:
    """The agent after a start on the copy, and who calls it, as the server would let them."""

    def __init__(self, services: ControlServices) -> None:
        self.services = services
        self._executor = ActExecutor(services, handler_table().acts)

    def call(self, op: str, who: tuple[str, int], **given: Any) -> Any:
        role = ROLE_OF.get(who)
        gid = GROUPS[role] if role else who[1]
        partner = OFFICERS if role else frozenset[Role]()
        found = permission(TABLE[op], given, CallerRole(role), partner)
        if isinstance(found, ForbiddenError):
            raise found
        args, now, peer = TABLE[op].read(given, None), self.services.site.now(), Peer(1, who[1], gid, frozenset({gid}))
        return self._executor.execute(
            HandlerRequest(op, args, given, peer, CallerRole(role), now, self.services, partner=partner)
        )

    def accepted(self) -> dict[str, Any]:
        """Have the pair accept it, the system administrator last."""
        last = {"last": lost_acts(self.services, 10.0).entries[-1]["seq"], "reason": "备份恢复"}
        with pytest.raises(RefusedError, match=r"control.second-officer-needed-within-hour"):
            self.call("registry.accept", SECURITY, **last)
        return dict(self.call("registry.accept", SYSTEM, **last))


def copied(site: Site) -> Path:
    copy = site.home.root / "copy.db"
    with closing(sqlite3.connect(site.home.registry)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


@contextmanager
def restored(site: Site, copy: Path) -> Iterator[Restarted]:
    """Put *copy* in the registry's place, and start."""
    for beside in ("-wal", "-shm"):
        Path(f"{site.home.registry}{beside}").unlink(missing_ok=True)
    shutil.copy(copy, site.home.registry)
    with open_services(site.home, DeciderConnection(channel.ChannelClient(site.control_end)), None) as services:
        reconciliation.begin(services)
        assert services.site.stores.now.older
        yield Restarted(services)


@pytest.mark.parametrize("pack", ["company", "state", "minimal"])
def test_the_pair_accepts_and_ends_what_was_under_way_in_the_copy(alone: Site, pack: str) -> None:
    with office_of(alone, pack) as office:
        desk = Desk(office)
        sealed = desk.call("proposal.confirm", SYSTEM, proposal=desk.call("breakglass.seal")["proposal"])
        waiting = desk.call("grant.add", person="E2", area="plans", reason="x")["proposal"]
        copy = copied(alone)
        desk.call("proposal.refuse", OTHER_SECURITY, proposal=waiting, reason="nobody asked for it")
        desk.person("breakglass.open", ROOT, code=sealed["code"], reason="x")
    with restored(alone, copy) as agent:
        assert agent.services.site.facts.break_glass().sealed_at  # the used code is there again
        done = agent.accepted()
        assert (done["proposals_refused"], done["break_glass"]) == ([waiting], "void")
        assert not agent.services.site.stores.now.older
        with pytest.raises(RefusedError, match=r"registry.proposal-already-ended.*registry.outcome-refused"):
            agent.call("proposal.confirm", SYSTEM, proposal=waiting)
        [row] = [one for one in agent.services.site.lists.proposals.find(ended=True) if one["id"] == waiting]
        assert (row["ended_by"], row["end_reason"]) == ("E7", "备份恢复")
        assert agent.services.site.facts.break_glass().sealed_at is None
        with pytest.raises(RefusedError, match=r"registry.sealed-code-mismatch"):
            agent.call("breakglass.open", ROOT, code=sealed["code"], reason="x")


def test_a_copy_from_while_the_glass_was_broken_breaks_nothing(alone: Site) -> None:
    with office_of(alone, "company") as office:
        desk = Desk(office)
        sealed = desk.call("proposal.confirm", SYSTEM, proposal=desk.call("breakglass.seal")["proposal"])
        desk.person("breakglass.open", ROOT, code=sealed["code"], reason="x")
        copy = copied(alone)
        desk.call("breakglass.close", reason="officers are back")
    with restored(alone, copy) as agent:
        assert agent.accepted()["break_glass"] == "void"
        assert not agent.services.site.glass_is_broken()


def test_a_code_that_nothing_lost_was_about_stays_in_its_envelope(alone: Site) -> None:
    with office_of(alone, "company") as office:
        desk = Desk(office)
        desk.call("proposal.confirm", SYSTEM, proposal=desk.call("breakglass.seal")["proposal"])
        copy = copied(alone)
        desk.call("hold.add", person="E1", reason="x")
    with restored(alone, copy) as agent:
        assert agent.accepted().keys() >= {"lost", "epoch"}
        assert agent.services.site.facts.break_glass().sealed_at


def test_two_of_one_role_are_no_pair_where_the_pack_asks_for_both(alone: Site) -> None:
    with office_of(alone, "company") as office:
        desk = Desk(office)
        copy = copied(alone)
        desk.call("hold.add", person="E1", reason="x")
    with restored(alone, copy) as agent:
        last = {"last": lost_acts(agent.services, 10.0).entries[-1]["seq"], "reason": "x"}
        with pytest.raises(RefusedError, match=r"control.second-officer-needed-within-hour"):
            agent.call("registry.accept", SECURITY, **last)
        with pytest.raises(ForbiddenError, match=r"rules.roles-of-two-officers"):
            agent.call("registry.accept", OTHER_SECURITY, **last)
        assert agent.services.site.stores.now.older

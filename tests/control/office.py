"""An office: the control process of a site inside the test, and two security officers who call it.

The registry and the log are real ones, the decider acknowledges, and what would follow an act is only noted.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from agent import shipped_packs
from agent.api.operations import TABLE
from agent.api.peers import Peer
from agent.api.roles import CallerRole, Role
from agent.control.decider_client import DeciderClient, DeciderConnection
from agent.control.dispatch import HandlerRequest
from agent.control.handlers import handler_table
from agent.control.services import ControlServices, open_services
from agent.control.transaction import ActExecutor
from agent.offboard import database
from agent.offboard.context import RevocationSubject
from agent.offboard.plan import Cause
from agent.offboard.progress import Backlog, waiting
from agent.runtime import channel
from agent.runtime.home import Home
from rules.decide import decide
from rules.model import Clearance, Level, Request, Scope, Verdict
from tests.control.site import Site
from tests.control.time import later

OFFICERS = {"E8": 62_008, "E9": 62_009}
STRANGER_PID = 1


class Followed:
    """Notes what would follow an act, in the place of the departures."""

    def __init__(self, home: Home, decider: DeciderClient) -> None:
        self._home = home
        self._decider = decider
        self.revoked: list[tuple[str, int]] = []
        self.started: list[tuple[str, int]] = []
        self.lost: list[str] = []
        self.marks: list[tuple[datetime, datetime]] = []

    def backlog(self) -> Backlog:
        return waiting(database.path(self._home.root))

    def committed(self, received: datetime, durable: datetime) -> None:
        assert received <= durable
        self.marks.append((received, durable))

    def freeze(self, case: str, pid: int) -> None:
        assert pid in (STRANGER_PID, os.getpid())

    def revoke(self, case: str, pid: int) -> dict[str, Any]:
        assert pid in (STRANGER_PID, os.getpid())
        self.revoked.append((case, int(self._decider.stats()["epoch"])))
        return {"revoked": True}

    def start_revocation(self, trigger: str, pid: int) -> None:
        self.started.append((trigger, int(self._decider.stats()["epoch"])))

    def start_losses(self, losses: Sequence[str], pid: int) -> None:
        self.lost += losses

    def start_restoration(self, name: str) -> None:
        pass

    def survey(self, person: str, cause: Cause) -> dict[str, Any]:
        return {}

    def survey_of(self, subject: RevocationSubject, cause: Cause) -> dict[str, Any]:
        return {}


class Office:
    """The control process of a site in this process, and two security officers who call it."""

    def __init__(self, opened: ControlServices, *, again: bool = False) -> None:
        """*again*: of a site that had one before."""
        self.followed = Followed(opened.site.home, opened.decider)
        self.services = replace(opened, offboarding=self.followed)  # type: ignore[arg-type]
        self.site = opened.site
        self.handlers = handler_table()
        self.executor = ActExecutor(self.services, self.handlers.acts)
        if not again:
            self._furnish()

    def _furnish(self) -> None:
        with self.services.registry.change(self.site.now()) as change:
            for number in range(1, 10):
                change.people.add(f"E{number}", department="rd", clearances=[Clearance("state", Level.SECRET, "", "x")])
            for officer, uid in OFFICERS.items():
                change.accounts.add(uid, officer)
            change.badges.add("4660", "E1")
            scope = Scope(departments=frozenset({"rd"}))
            end = self.site.now() + timedelta(days=3650)
            change.areas.add(
                "plans", path="/srv/plans", level=Level.SECRET, domain="state", scope=scope, custodian="E1",
                secret_until=end,
            )  # fmt: skip
            self.grant = change.grants.add("E1", "plans", reason="项目甲", approver="E8")

    @property
    def told(self) -> list[tuple[str, int]]:
        return self.followed.revoked

    @property
    def holds(self) -> list[tuple[str, int]]:
        return self.followed.started

    def do(self, op: str, person: str | None = "E1", officer: str = "E8", pid: int = STRANGER_PID, **args: Any) -> Any:
        given = args if person is None else {"person": person, **args}
        peer = Peer(pid, OFFICERS.get(officer, 62_001), 62_000, frozenset({62_000}))
        args, role = TABLE[op].read(given, None), CallerRole(Role.SECURITY)
        request = HandlerRequest(op, args, given, peer, role, self.site.now(), self.services)
        if TABLE[op].act:
            return self.executor.execute(request)
        table = self.handlers
        return list(table.streams[op](request)) if op in table.streams else table.reads[op](request)

    def approved(self, **how: Any) -> Any:
        self.do("case.open", last_day="2099-12-31", **how)
        return self.do("case.approve")

    def takes_over(self, person: str, place: str = "plans") -> None:
        """Name *person* the custodian of *place*."""
        with self.services.registry.change(self.site.now()) as change:
            change.areas.set(place, custodian=person)

    def later(self, **time: float) -> None:
        self.site.clock = later(self.site.clock, **time)

    def verdict(self, person: str = "E1") -> Verdict:
        _, facts = self.site.facts.facts([person], "plans")
        return decide(Request((person,), "plans"), facts, self.site.pack(), self.site.now())


@contextmanager
def office_of(site: Site, pack: str = "minimal", *, again: bool = False) -> Iterator[Office]:
    site.stop_control()
    site.home.pack.write_text(shipped_packs.text(pack), encoding="utf-8")
    with open_services(site.home, DeciderConnection(channel.ChannelClient(site.control_end)), None) as services:
        yield Office(services, again=again)


def out(office: Office, person: str, how: str) -> None:
    """Put *person* out of office."""
    if how == "leaving":
        office.do("case.open", person, "E8" if person != "E8" else "E9", last_day="2026-01-01", kind="unfit")
    with office.services.registry.change(office.site.now()) as change:
        if how == "on hold":
            change.holds.add(person, reason="x")
        elif how == "inactive":
            change.people.set(person, active=False)


OUT = ("on hold", "inactive", "leaving")


def notice(office: Office, *approvers: str, pid: int = os.getpid(), person: str = "E1", **how: Any) -> Any:
    told = {"approver": list(approvers), "last_day": "2099-12-31", "reference": "HR-7", **how}
    return office.do("case.notice", person, "nobody", pid, **told)

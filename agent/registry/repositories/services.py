"""Writing services: programs that run under a uid of their own.

Rules of this file: one program under one uid is one service, and touches the areas that are named, no others. Which
file the program is (:class:`SeenProgram`) is what the caller saw of it; without that it is nobody until it is renewed.
"""

from collections.abc import Iterable
from typing import NamedTuple

from agent.registry.columns import path_bytes
from agent.registry.paths import absolute
from agent.registry.repositories.references import require_area
from agent.registry.repositories.transaction import Transaction
from agent.registry.repositories.uids import already_of, check_uid
from agent.registry.rows import services
from agent.registry.rows.services import ServiceProgram
from agent.registry.terms import PERSON, SERVICE
from agent.registry.validation import identifier, taken, unknown
from rules.text import Text


class SeenProgram(NamedTuple):
    """What was seen of a program file: as in :class:`agent.registry.rows.services.ServiceProgram`."""

    inode: int
    changed: int
    size: int
    sha256: str = ""


class ServiceRepository:
    """Services. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(
        self,
        service: str,
        *,
        uid: int,
        executable: str,
        areas: Iterable[str] = (),
        seen: SeenProgram | None = None,
        lets_in: bool = False,
    ) -> None:
        """Register a program that runs as *uid* from the absolute path *executable* and may touch *areas*.

        One that *lets_in* lets people in who have no login uid.
        """
        identifier(service, SERVICE)
        check_uid(uid)
        path = path_bytes(absolute(executable))
        if self._transaction.row("SELECT 1 FROM services WHERE id = ?", service):
            raise taken(
                SERVICE,
                service,
                "",
                Text("remove it first: `shoumi service remove`", "请先移除：`shoumi service remove`"),
            )
        if other := self._transaction.row("SELECT id FROM services WHERE uid = ? AND executable = ?", uid, path):
            raise taken(
                Text("the pair of uid and executable", "uid 与可执行文件的组合"),
                f"{uid} {executable}",
                other[0],
                Text("one program under one uid is one service", "同一 uid 下的同一程序只能登记一次"),
            )
        if owner := self._transaction.row("SELECT person FROM accounts WHERE uid = ?", uid):
            raise already_of(uid, owner[0], PERSON)
        which = seen._asdict() if seen else {}
        self._transaction.insert(
            "services", id=service, uid=uid, executable=path, active=True, lets_in=lets_in, **which
        )
        self._touch(service, areas)

    def set(self, service: str, *, areas: Iterable[str] | None = None, active: bool | None = None) -> None:
        """Change what is given; *areas* replaces the whole set."""
        if self._transaction.row("SELECT 1 FROM services WHERE id = ?", service) is None:
            raise unknown(SERVICE, service, "shoumi service list")
        self._transaction.update("services", "id", service, active=active)
        if areas is not None:
            self._transaction.execute("DELETE FROM service_areas WHERE service = ?", service)
            self._touch(service, areas)

    def renew(self, service: str, seen: SeenProgram) -> None:
        """Take the file *seen* at its path for its program from now on."""
        self.set(service)
        self._transaction.update("services", "id", service, **seen._asdict())

    def program(self, service: str) -> ServiceProgram:
        """Return what is registered of the program of *service*."""
        found = self._transaction.read(services.programs)
        one = next((one for one in found if one.service == service), None)
        if one is None:
            raise unknown(SERVICE, service, "shoumi service list")
        return one

    def areas(self, service: str) -> frozenset[str]:
        """Return the areas *service* may touch now: none when it is inactive, or not there."""
        found = self._transaction.read(services.service, service)
        return found.areas if found and found.active else frozenset()

    def remove(self, service: str) -> None:
        """Forget the service."""
        self.set(service, areas=())
        self._transaction.execute("DELETE FROM services WHERE id = ?", service)

    def forget_area(self, key: int) -> None:
        """Let no service touch the area of this key any more."""
        self._transaction.execute("DELETE FROM service_areas WHERE resource = ?", key)

    def _touch(self, service: str, areas: Iterable[str]) -> None:
        for area in sorted(set(areas)):
            key = require_area(self._transaction, area)
            self._transaction.insert("service_areas", service=service, resource=key)

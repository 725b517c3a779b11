"""Writing service accounts: programs that run under a uid of their own.

Rules of this file: one program under one uid is one service, and may use the named areas only. The caller passes the
identity of the program file (:class:`SeenProgram`); a service without it is not recognised until it is renewed.
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
from rules.text import Message


class SeenProgram(NamedTuple):
    """The identity of a program file, as in :class:`agent.registry.rows.services.ServiceProgram`."""

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
        """Register a program that runs as *uid* from the absolute path *executable* and may use *areas*.

        A program with *lets_in* lets in people who have no login uid.
        """
        identifier(service, SERVICE)
        check_uid(uid)
        path = path_bytes(absolute(executable))
        if self._transaction.row("SELECT 1 FROM services WHERE id = ?", service):
            raise taken(
                SERVICE,
                service,
                "",
                Message("registry.remove-service-first"),
            )
        if same_program := self._transaction.row("SELECT id FROM services WHERE uid = ? AND executable = ?", uid, path):
            raise taken(
                Message("registry.uid-and-executable"),
                f"{uid} {executable}",
                same_program[0],
                Message("registry.one-service-per-program"),
            )
        if owner := self._transaction.row("SELECT person FROM accounts WHERE uid = ?", uid):
            raise already_of(uid, owner[0], PERSON)
        program = seen._asdict() if seen else {}
        self._transaction.insert(
            "services", id=service, uid=uid, executable=path, active=True, lets_in=lets_in, **program
        )
        self._touch(service, areas)

    def set(self, service: str, *, areas: Iterable[str] | None = None, active: bool | None = None) -> None:
        """Change the given fields; *areas* replaces the whole set."""
        if self._transaction.row("SELECT 1 FROM services WHERE id = ?", service) is None:
            raise unknown(SERVICE, service, "shoumi service list")
        self._transaction.update("services", "id", service, active=active)
        if areas is not None:
            self._transaction.execute("DELETE FROM service_areas WHERE service = ?", service)
            self._touch(service, areas)

    def renew(self, service: str, program_file: SeenProgram) -> None:
        """Register *program_file*, the file now at its path, as its program."""
        self.set(service)
        self._transaction.update("services", "id", service, **program_file._asdict())

    def program(self, service: str) -> ServiceProgram:
        """Return the registered program of *service*."""
        programs = self._transaction.read(services.programs)
        program = next((row for row in programs if row.service == service), None)
        if program is None:
            raise unknown(SERVICE, service, "shoumi service list")
        return program

    def areas(self, service: str) -> frozenset[str]:
        """Return the areas that *service* may use now: none when it is inactive or unknown."""
        row = self._transaction.read(services.service, service)
        return row.areas if row and row.active else frozenset()

    def remove(self, service: str) -> None:
        """Delete the service."""
        self.set(service, areas=())
        self._transaction.execute("DELETE FROM services WHERE id = ?", service)

    def forget_area(self, key: int) -> None:
        """Remove the area of this key from every service."""
        self._transaction.execute("DELETE FROM service_areas WHERE resource = ?", key)

    def _touch(self, service: str, areas: Iterable[str]) -> None:
        for area in sorted(set(areas)):
            key = require_area(self._transaction, area)
            self._transaction.insert("service_areas", service=service, resource=key)

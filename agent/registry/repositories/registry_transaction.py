"""A change of the registry: one repository for each subject, all over the same transaction.

Rules of this file: wiring only. A repository that writes rows of another subject calls that repository, and gets it
here.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager

from agent.registry import changed, touched
from agent.registry.changed import Changes
from agent.registry.repositories.accounts import AccountRepository
from agent.registry.repositories.alarms import AlarmRepository
from agent.registry.repositories.areas import AreaRepository
from agent.registry.repositories.badges import BadgeRepository
from agent.registry.repositories.boards import BoardRepository
from agent.registry.repositories.break_glass import BreakGlassRepository
from agent.registry.repositories.case_grants import CaseGrantRepository
from agent.registry.repositories.cases import CaseRepository
from agent.registry.repositories.contents import ContentRepository
from agent.registry.repositories.declarations import DeclarationRepository
from agent.registry.repositories.departures import DepartureRepository
from agent.registry.repositories.doors import DoorRepository
from agent.registry.repositories.grants import GrantRepository
from agent.registry.repositories.holds import HoldRepository
from agent.registry.repositories.holidays import HolidayRepository
from agent.registry.repositories.hr_subjects import HrSubjectRepository
from agent.registry.repositories.lockdowns import LockdownRepository
from agent.registry.repositories.losses import LossRepository
from agent.registry.repositories.people import PersonRepository
from agent.registry.repositories.pins import PinRepository
from agent.registry.repositories.presence import PresenceRepository
from agent.registry.repositories.proposals import ProposalRepository
from agent.registry.repositories.reader_keys import ReaderKeyRepository
from agent.registry.repositories.recorded_changes import RecordedChangeRepository
from agent.registry.repositories.records import RecordRepository
from agent.registry.repositories.resources import ResourceRepository
from agent.registry.repositories.room_states import RoomStateRepository
from agent.registry.repositories.rooms import RoomRepository
from agent.registry.repositories.scopes import ScopeRepository
from agent.registry.repositories.services import ServiceRepository
from agent.registry.repositories.settings import SettingRepository
from agent.registry.repositories.transaction import Transaction
from agent.registry.repositories.visits import VisitRepository
from agent.registry.repositories.volumes import VolumeRepository
from agent.registry.rows import areas, decision, resources, rights
from agent.registry.rows.areas import AreaRow
from agent.registry.touched import Touched
from rules.model import Facts
from rules.rights import Right


class UnversionedTransaction:
    """One transaction for events at doors, without a new epoch: no earlier verdict becomes invalid.

    ``at`` is its instant, ``epoch`` the current one.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.at = transaction.at
        self.epoch = transaction.epoch
        self.alarms = AlarmRepository(transaction)
        self.boards = BoardRepository(transaction)
        self.presence = PresenceRepository(transaction)
        self.reader_keys = ReaderKeyRepository(transaction)
        self.recorded = RecordedChangeRepository(transaction)
        self.room_states = RoomStateRepository(transaction)

    def attempt(self) -> AbstractContextManager[None]:
        """Undo only the writes of the block when it raises; the change continues."""
        return self._transaction.attempt()

    def commit(self) -> None:
        """Make the change durable before the end of its block: see :meth:`Transaction.commit`."""
        self._transaction.commit()

    def rollback(self) -> None:
        """Discard the change, for a rehearsal."""
        self._transaction.rollback()


class RegistryTransaction(UnversionedTransaction):
    """One transaction with an epoch of its own, in which everything can be written."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction)
        self.accounts = AccountRepository(transaction)
        self.break_glass = BreakGlassRepository(transaction)
        self.badges = BadgeRepository(transaction)
        self.contents = ContentRepository(transaction)
        self.declarations = DeclarationRepository(transaction)
        self.departures = DepartureRepository(transaction)
        self.doors = DoorRepository(transaction)
        self.grants = GrantRepository(transaction)
        self.holds = HoldRepository(transaction)
        self.holidays = HolidayRepository(transaction)
        self.hr_subjects = HrSubjectRepository(transaction)
        self.lockdowns = LockdownRepository(transaction)
        self.losses = LossRepository(transaction)
        self.pins = PinRepository(transaction)
        self.proposals = ProposalRepository(transaction)
        self.records = RecordRepository(transaction)
        self.services = ServiceRepository(transaction)
        self.settings = SettingRepository(transaction)
        self.visits = VisitRepository(transaction)
        self.volumes = VolumeRepository(transaction)
        scopes = ScopeRepository(transaction)
        resources = ResourceRepository(transaction, scopes, self.contents)
        self.people = PersonRepository(transaction, scopes)
        self.areas = AreaRepository(transaction, resources, self.grants, self.services)
        self.rooms = RoomRepository(
            transaction,
            resources,
            self.grants,
            self.doors,
            self.visits,
            self.lockdowns,
            self.presence,
            self.room_states,
        )
        self.cases = CaseRepository(transaction, self.departures)
        self.case_grants = CaseGrantRepository(transaction, self.grants)

    def touched(self) -> Touched:
        """Return the subjects whose rights may have changed by the writes so far."""
        return self._transaction.read(touched.noted)

    def changed(self) -> Changes:
        """Return the writes so far, row by row, within the size limits of an entry."""
        return self._transaction.read(changed.noted)

    def difference(self) -> Changes:
        """Return the same for an officer who is to confirm all of it."""
        return self._transaction.read(changed.noted, *changed.WHOLE)

    def facts(self, person: str, place: str) -> Facts:
        """Return the facts of a decision about this person and this area or room, with the change applied."""
        return self._transaction.read(decision.facts, (person,), place, ())

    def candidates(self, touched: Touched, granted_from: int) -> frozenset[Right]:
        """Return the rights that the change may affect, with it applied (:mod:`agent.registry.rows.rights`)."""
        return frozenset(self._transaction.read(_every_candidate, touched, granted_from))

    def room_names(self) -> frozenset[str]:
        """Return the names of the rooms, with the change applied."""
        return self._transaction.read(rights.rooms)

    def place_names(self, keys: Iterable[int]) -> list[str]:
        """Return the names of those of these areas and rooms that exist with the change applied."""
        return sorted(name for key in keys if (name := self._transaction.read(resources.name_of, key)) is not None)

    def area_rows(self) -> tuple[AreaRow, ...]:
        """Return every area, with the change applied."""
        return self._transaction.read(areas.areas)

    def lift_epoch(self, above: int) -> None:
        """Give the change an epoch above *above*, unless it has one: an epoch that the log proves is never reused."""
        self._transaction.lift_epoch(above)
        self.epoch = self._transaction.epoch


def _every_candidate(connection: sqlite3.Connection, touched: Touched, granted_from: int) -> frozenset[Right]:
    return frozenset(rights.candidates(connection, touched, granted_from))

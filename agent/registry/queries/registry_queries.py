"""All queries of the registry, over one connection.

Rules of this file: wiring only. No query here is made while an open waits for a verdict.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

from agent.registry.queries.accounts import AccountQueries
from agent.registry.queries.alarms import AlarmQueries
from agent.registry.queries.areas import AreaQueries
from agent.registry.queries.badges import BadgeQueries
from agent.registry.queries.boards import BoardQueries
from agent.registry.queries.case_grants import CaseGrantQueries
from agent.registry.queries.cases import CaseQueries
from agent.registry.queries.connection import QueryConnection
from agent.registry.queries.declarations import DeclarationQueries
from agent.registry.queries.departures import DepartureQueries
from agent.registry.queries.doors import DoorQueries
from agent.registry.queries.grants import GrantQueries
from agent.registry.queries.holds import HoldQueries
from agent.registry.queries.holidays import HolidayQueries
from agent.registry.queries.hr_subjects import HrSubjectQueries
from agent.registry.queries.lockdowns import LockdownQueries
from agent.registry.queries.losses import LossQueries
from agent.registry.queries.people import PersonQueries
from agent.registry.queries.pins import PinQueries
from agent.registry.queries.presence import PresenceQueries
from agent.registry.queries.proposals import ProposalQueries
from agent.registry.queries.records import RecordQueries
from agent.registry.queries.rooms import RoomQueries
from agent.registry.queries.services import ServiceQueries
from agent.registry.queries.settings import SettingQueries
from agent.registry.queries.visits import VisitQueries
from agent.registry.queries.volumes import VolumeQueries


class RegistryQueries:
    """One read-only connection. One thread at a time.

    Every query may raise :class:`agent.errors.RefusedError` (missing, busy, other schema) or
    :class:`agent.errors.FatalError` (damaged).
    """

    def __init__(self, path: Path) -> None:
        """Open an existing registry that has this program's schema."""
        connection = self._connection = QueryConnection(path)
        self.accounts = AccountQueries(connection)
        self.alarms = AlarmQueries(connection)
        self.areas = AreaQueries(connection)
        self.badges = BadgeQueries(connection)
        self.boards = BoardQueries(connection)
        self.case_grants = CaseGrantQueries(connection)
        self.cases = CaseQueries(connection)
        self.declarations = DeclarationQueries(connection)
        self.departures = DepartureQueries(connection)
        self.doors = DoorQueries(connection)
        self.grants = GrantQueries(connection)
        self.holds = HoldQueries(connection)
        self.holidays = HolidayQueries(connection)
        self.hr_subjects = HrSubjectQueries(connection)
        self.lockdowns = LockdownQueries(connection)
        self.losses = LossQueries(connection)
        self.pins = PinQueries(connection)
        self.presence = PresenceQueries(connection)
        self.proposals = ProposalQueries(connection)
        self.records = RecordQueries(connection)
        self.rooms = RoomQueries(connection)
        self.services = ServiceQueries(connection)
        self.settings = SettingQueries(connection)
        self.visits = VisitQueries(connection)
        self.volumes = VolumeQueries(connection)
        self.people = PersonQueries(
            connection,
            self.accounts,
            self.badges,
            self.grants,
            self.holds,
            self.records,
            self.departures,
            self.visits,
            self.presence,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

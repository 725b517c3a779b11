"""What the guard and ``explain`` may know, read from one consistent snapshot.

Rules of this file: standard library only, read only, no cache. Every answer comes from one short read transaction, and
the epoch that goes with it is read in the same one. A question about something that is not there gets "not there"; a
file that cannot be trusted gets an error, never an empty answer.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.registry.columns import path_bytes
from agent.registry.connect import connect, current, damaged, translate_sqlite_errors
from agent.registry.person_rows import person
from agent.registry.resource_rows import AreaLocation, AreaRow, area_rows, holidays, places, resource, service
from agent.registry.room_facts import RoomFacts
from agent.registry.room_rows import HERE, lockdowns, setting
from rules.model import Facts, Resource, Service

__all__ = ["AreaLocation", "AreaRow", "FactsReader"]


class FactsReader(RoomFacts):
    """One read-only connection. One thread at a time; not across ``fork``.

    Every method may raise :class:`agent.errors.RefusedError` (missing, busy, other schema) or
    :class:`agent.errors.FatalError` (the file is damaged, or another one has taken its place).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = connect(path, "ro")
        try:
            current(path, self._connection)
            with translate_sqlite_errors(path):
                self._file = _identity(path)
                self._version = -1
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; using the reader afterwards is an error."""
        self._connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[int]:
        """Yield the epoch; every question asked inside the block is answered from the same instant."""
        if self._connection.in_transaction:
            yield self._epoch()
            return
        with translate_sqlite_errors(self.path):
            self._connection.execute("BEGIN")
        try:
            yield self._epoch()
        finally:
            with translate_sqlite_errors(self.path):
                self._connection.commit()  # does nothing when SQLite has ended it by itself after an error

    def epoch(self) -> int:
        """Return the number of changes committed so far."""
        with self._reading() as epoch:
            return epoch

    def changed(self) -> bool:
        """Tell whether somebody committed since the last call; true the first time. A few microseconds.

        Raises :class:`agent.errors.FatalError` when the file was removed or replaced: what this connection still sees
        is then nobody's registry.
        """
        with translate_sqlite_errors(self.path):
            [now] = self._connection.execute("PRAGMA data_version").fetchone()
        if _identity(self.path) != self._file:
            raise damaged(self.path, "another file has taken its place")
        before, self._version = self._version, now
        return bool(now != before)

    def person_of_uid(self, uid: int) -> str | None:
        """Return the person this Linux uid belongs to; an inactive person too."""
        with self._reading():
            found = self._connection.execute("SELECT person FROM accounts WHERE uid = ?", (uid,)).fetchone()
            return None if found is None else str(found[0])

    def accounts(self) -> dict[int, str]:
        """Return uid → person for every account."""
        with self._reading():
            return dict(self._connection.execute("SELECT uid, person FROM accounts"))

    def service_of(self, uid: int, executable: str) -> str | None:
        """Return the service that runs *executable* (the path the kernel reports, exactly) as *uid*."""
        with self._reading():
            found = self._connection.execute(
                "SELECT id FROM services WHERE uid = ? AND executable = ?", (uid, path_bytes(executable))
            ).fetchone()
            return None if found is None else str(found[0])

    def services(self) -> tuple[Service, ...]:
        """Return every service, ordered by name; an inactive one too."""
        with self._reading():
            names = [name for (name,) in self._connection.execute("SELECT id FROM services ORDER BY id")]
            return tuple(found for name in names if (found := service(self._connection, name)))

    def areas(self) -> tuple[AreaRow, ...]:
        """Return every area, ordered by name."""
        with self._reading():
            return area_rows(self._connection)

    def places(self) -> tuple[AreaLocation, ...]:
        """Return where every area lies."""
        with self._reading():
            return places(self._connection)

    def observing(self) -> frozenset[str]:
        """Return the areas that only watch: whatever is opened there is recorded and let through."""
        with self._reading():
            rows = self._connection.execute(
                "SELECT name FROM resources WHERE kind = 'area' AND mode = 'observe' AND removed_at IS NULL"
            )
            return frozenset(name for (name,) in rows)

    def service_uids(self) -> frozenset[int]:
        """Return the uids services run as."""
        with self._reading():
            return frozenset(uid for (uid,) in self._connection.execute("SELECT uid FROM services"))

    def resource(self, name: str) -> Resource | None:
        """Return the area or room of this name."""
        with self._reading():
            found = resource(self._connection, name)
            return None if found is None else found[1]

    def facts(self, persons: Iterable[str], resource_name: str, services: Iterable[str] = ()) -> tuple[int, Facts]:
        """Return the epoch and all that a decision about these subjects and this area or room may know.

        Whoever or whatever is unknown is absent, and the rules deny what is absent. A person comes with the grants
        and visits to this resource only.
        """
        with self._reading() as epoch:
            place = resource(self._connection, resource_name)
            key, is_room = (None, False) if place is None else (place[0], place[1].room is not None)
            people = {who: person(self._connection, who, key, is_room=is_room) for who in persons}
            return epoch, Facts(
                persons={who: human for who, human in people.items() if human},
                resources={} if place is None else {resource_name: place[1]},
                services={name: found for name in services if (found := service(self._connection, name))},
                holidays=holidays(self._connection),
                lockdowns=lockdowns(self._connection),
                here=setting(self._connection, HERE),
            )

    def _epoch(self) -> int:
        with translate_sqlite_errors(self.path):
            found = self._connection.execute("SELECT epoch FROM epoch").fetchone()
        if found is None:
            raise damaged(self.path, "the epoch is missing")
        return int(found[0])

    @contextmanager
    def _reading(self) -> Iterator[int]:
        """A snapshot whose rows are turned into model objects: a word they do not know is damage too."""
        with translate_sqlite_errors(self.path), self.snapshot() as epoch:
            try:
                yield epoch
            except (ValueError, TypeError, KeyError) as error:
                raise damaged(self.path, str(error)) from error


def _identity(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise damaged(path, str(error.strerror)) from error
    return status.st_dev, status.st_ino

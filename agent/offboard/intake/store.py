"""The store of received tokens in ``offboard.db``: durable before anything is done about them.

Rules of this file: a token is known by issuer and number, never by its bytes; a used number stays used for ever.
Taking in, ordering and refusing happen in one transaction, and that transaction is on the disk when
:meth:`Store.admit` returns. Handing over is at least once: a notice stays open until it is marked as handed over, so
its receiver must know it by its key. The exact bytes of every token that was taken are kept as evidence.

    received ──handed over──▶ handed
    unknown: unknown person, too few of the approvers count, or an officer released it ──comes again──▶ received
    superseded: kept, and not acted on until an officer releases it

**The mark.** An event is superseded by a newer one about the same person that ends all it ends
(:mod:`agent.offboard.intake.supersession`), and by :meth:`Store.restored`. A release dates it anew, so that it counts
against everything that came before the release.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from agent.offboard.database import damaged, open_database, translate_sqlite_errors
from agent.offboard.intake.notice import HrEvent, HrNotice
from agent.offboard.intake.supersession import ends

_MOST_NAMES = 16  # of one token

Outcome = Literal[
    "accepted", "again", "replayed", "number-reused", "superseded", "unknown-person", "approver-out", "refused"
]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A right token and its notice. ``short``: too few of its approvers count now.

    ``appeared``: when its file did, on the agent's clock, not before ``not_before``; ``None``: not known.
    """

    notice: HrNotice
    token: bytes
    short: bool = False
    appeared: datetime | None = None
    not_before: datetime | None = None
    file: str = ""  # the name of its delivery


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A notice that needs an answer, and the names of its deliveries."""

    notice: HrNotice
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Open:
    """A notice that is durable and not yet handed over."""

    seq: int
    notice: HrNotice
    received_at: datetime


def awaiting(file: Path, subject: str, cases: Mapping[str, str]) -> list[Awaiting]:
    """See :meth:`Store.awaiting`; from any thread, at any time later."""
    with Store(file) as store:
        return store.awaiting(subject, cases)


def carried_out(file: Path, notice: HrNotice, case: str) -> None:
    """Record in which *case* a notice was carried out; from any thread. May be repeated."""
    with Store(file) as store:
        store.carried_out(notice, case)


@dataclass(frozen=True, slots=True)
class ArrivedNotice:
    """A notice that was acted on, and the origin of its marks.

    ``received_at``: when its file appeared, between ``not_before`` (``None``: no earlier sweep) and ``looked_at``; if
    that was not noted, when it was read, and ``looked_at`` is ``None``. ``durable_at``: when the fsync of its row had
    returned; ``None``: the agent ended before that was recorded.
    """

    notice: HrNotice
    received_at: datetime
    not_before: datetime | None = None
    looked_at: datetime | None = None
    durable_at: datetime | None = None


class WantedNotice(NamedTuple):
    """The notice to find: its event, and its number in the personnel system."""

    event: HrEvent
    txn: str


def arrived(file: Path, subject: str, wanted: WantedNotice, before: datetime) -> ArrivedNotice | None:
    """Return the newest notice of that kind about a person that arrived by *before*; from any thread."""
    with Store(file) as store:
        return store.arrived(subject, wanted, before)


class Store:
    """The tokens' part of one database. One thread at a time."""

    def __init__(self, file: Path) -> None:
        """Open *file*. Raises :class:`RefusedError` and :class:`FatalError`."""
        self._file = file
        self._db = open_database(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; committed transactions are kept."""
        self._db.close()

    def admit(self, arrivals: Sequence[Arrival], is_employee: Callable[[str], bool], now: datetime) -> list[Outcome]:
        """Take in what is new, in the order given, and return the outcome of each. On the disk when this returns.

        ``again`` is a token whose file was not yet filed when the agent ended. An exception of *is_employee* passes
        through, and then nothing was taken in.
        """
        if not arrivals:
            return []
        with self._transaction():
            seen_keys: set[tuple[str, str]] = set()
            return [self._admit(arrival, is_employee, now, seen_keys) for arrival in arrivals]

    def open(self) -> list[Open]:
        """Return the notices received and not yet handed over, oldest event first."""
        with translate_sqlite_errors(self._file):
            rows = self._db.execute(
                "SELECT seq, notice, received_at FROM hr_tokens WHERE state = 'received' ORDER BY toe, iat, seq"
            ).fetchall()
        try:
            return [Open(seq, _notice(line), datetime.fromisoformat(at)) for seq, line, at in rows]
        except (KeyError, ValueError) as error:
            raise damaged(self._file, str(error)) from error

    def settle(self, handed: Iterable[int], filed: Iterable[tuple[str, str]]) -> None:
        """Record which notices were handed over, by number, and whose files were filed, by key."""
        handed, filed = list(handed), list(filed)
        if handed or filed:
            with self._transaction():
                self._db.executemany("UPDATE hr_tokens SET state = 'handed' WHERE seq = ?", [(seq,) for seq in handed])
                self._db.executemany("UPDATE hr_tokens SET filed = 1 WHERE iss = ? AND jti = ?", filed)

    def refuse(self, notice: HrNotice) -> None:
        """Record that *notice* cannot be acted on as it is; released, or dropped again, it is judged again."""
        with self._transaction():
            self._db.execute(
                "UPDATE hr_tokens SET state = 'unknown', filed = 0 WHERE state = 'received' AND iss = ? AND jti = ?",
                notice.key,
            )

    def restored(self, subject: str, at: datetime) -> None:
        """Record that a person was given access again at *at*: earlier events end nothing any more.

        That also holds for notices not handed over yet. Called by the two-person acts that restore a person (rehire,
        rescinded departure), never by the channel.
        """
        with self._transaction():
            self._db.execute(
                "INSERT INTO hr_floors VALUES (?1, ?2) ON CONFLICT (subject) DO UPDATE SET toe = max(toe, ?2)",
                (subject, _microseconds(at)),
            )
            self._db.execute(
                "UPDATE hr_tokens SET state = 'superseded'"
                " WHERE state = 'received' AND subject = ? AND max(toe, released) <= ?",
                (subject, _microseconds(at)),
            )

    def release(self, key: tuple[str, str], at: datetime) -> None:
        """Return a superseded event to be judged again, as if it had happened when an officer released it.

        May be repeated. It does not affect an event that waits for something else: that is checked again anyway.
        """
        with self._transaction():
            self._db.execute(
                "UPDATE hr_tokens SET state = 'unknown', released = ?, filed = 0"
                " WHERE state = 'superseded' AND iss = ? AND jti = ?",
                (_microseconds(at), *key),
            )

    def heard(self) -> datetime | None:
        """Return when a right token last arrived, ``None`` before the first."""
        with translate_sqlite_errors(self._file):
            row = self._db.execute("SELECT received_at FROM hr_tokens ORDER BY seq DESC LIMIT 1").fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def files(self, notice: HrNotice) -> tuple[str, ...]:
        """Return the names of the deliveries of *notice*."""
        with translate_sqlite_errors(self._file):
            rows = self._db.execute(
                "SELECT file FROM hr_names JOIN hr_tokens ON seq = hr_names.token WHERE iss = ? AND jti = ?"
                " ORDER BY file",
                notice.key,
            ).fetchall()
        return tuple(str(file) for (file,) in rows)

    def carried_out(self, notice: HrNotice, case: str) -> None:
        """See :func:`carried_out`. It reaches the disk with the next durable commit, and is repeated until then."""
        with self._unsynced():
            self._db.execute("UPDATE hr_tokens SET case_id = ? WHERE iss = ? AND jti = ?", (case, *notice.key))

    def awaiting(self, subject: str, cases: Mapping[str, str]) -> list[Awaiting]:
        """Return the departures of a person that were carried out in one of *cases*, to answer them.

        *cases*: the personnel system's number of each, which identifies those handed over before their case was
        recorded. Only those since access was last given back to the person.
        """
        with translate_sqlite_errors(self._file):
            rows = self._db.execute(
                "SELECT notice FROM hr_tokens WHERE subject = ?1 AND strength = ?2 AND state IN ('received', 'handed')"
                " AND max(toe, released) > coalesce((SELECT toe FROM hr_floors WHERE subject = ?1), -1)"
                " AND (case_id IN (SELECT key FROM json_each(?3)) OR (case_id IS NULL AND state = 'handed'"
                " AND json_extract(notice, '$.txn') IN (SELECT value FROM json_each(?3))))"
                " ORDER BY toe, iat, seq",
                (subject, HrEvent.DEPARTURE_APPROVED.strength, json.dumps(dict(cases))),
            ).fetchall()
        notices = [_notice(line) for (line,) in rows]
        return [Awaiting(notice, self.files(notice)) for notice in notices]

    def arrived(self, subject: str, wanted: WantedNotice, before: datetime) -> ArrivedNotice | None:
        """See :func:`arrived`."""
        with translate_sqlite_errors(self._file):
            row = self._db.execute(
                "SELECT notice, received_at, not_before, looked_at, durable_at FROM hr_tokens WHERE subject = ?"
                " AND strength = ? AND json_extract(notice, '$.txn') = ? AND state IN ('received', 'handed')"
                " AND received_at <= ? ORDER BY toe DESC, iat DESC LIMIT 1",
                (subject, wanted.event.strength, wanted.txn, _stamp(before)),
            ).fetchone()
        if row is None:
            return None
        _, *marks = row
        received_at, *bounds = (datetime.fromisoformat(at) if at else None for at in marks)
        assert received_at is not None  # NOT NULL
        return ArrivedNotice(_notice(row[0]), received_at, *bounds)

    def stored(self, keys: Iterable[tuple[str, str]], at: datetime) -> None:
        """Record that the rows of these notices were on the disk *at*, unless that is recorded already.

        No sync waits for that: at worst it is lost, and then the receipt names the other bounds of the instant.
        """
        with self._unsynced():
            self._db.executemany(
                "UPDATE hr_tokens SET durable_at = ? WHERE iss = ? AND jti = ? AND durable_at IS NULL",
                [(_stamp(at), *key) for key in keys],
            )

    @contextmanager
    def _unsynced(self) -> Iterator[None]:
        """Run a transaction whose commit waits for no disk."""
        with translate_sqlite_errors(self._file):
            self._db.execute("PRAGMA synchronous = NORMAL")  # in WAL mode: a commit without a sync
        try:
            with self._transaction():
                yield
        finally:
            with translate_sqlite_errors(self._file):
                self._db.execute("PRAGMA synchronous = FULL")

    def _admit(
        self, arrival: Arrival, is_employee: Callable[[str], bool], now: datetime, seen_keys: set[tuple[str, str]]
    ) -> Outcome:
        notice, digest = arrival.notice, _digest(arrival.notice.claims)
        earlier = self._db.execute(
            "SELECT state, filed, claims, released FROM hr_tokens WHERE iss = ? AND jti = ?", notice.key
        )
        row = earlier.fetchone()
        if row and row[2] != digest:
            return "number-reused"
        if row:
            self._named(arrival)
        if notice.key in seen_keys:
            return "replayed"
        seen_keys.add(notice.key)
        if row and row[0] != "unknown":
            if row[0] == "superseded":
                return "superseded"  # however often it arrives, until an officer releases it
            return "replayed" if row[1] else "again"
        outcome: Outcome = "accepted"
        if notice.event is HrEvent.VERIFICATION:
            pass
        elif not notice.subject or not is_employee(notice.subject):
            outcome = "unknown-person"
        elif arrival.short:
            outcome = "approver-out"
        elif self._superseded(notice, row[3] if row else 0):
            outcome = "superseded"
        state = {"accepted": "received", "superseded": "superseded"}.get(outcome, "unknown")
        if notice.event is HrEvent.VERIFICATION:
            state = "handed"  # nothing to act on
        if row:  # judged again: its subject and its valid approvers may have changed with the registry
            values = (state, notice.subject, _line(notice), *notice.key)
            self._db.execute(
                "UPDATE hr_tokens SET state = ?, subject = ?, notice = ? WHERE iss = ? AND jti = ?", values
            )
        else:
            self._insert(arrival, digest, state, now)
            self._named(arrival)
        return outcome

    def _named(self, arrival: Arrival) -> None:
        """Record the name of a token's delivery; of a repeated one only the first so many."""
        if arrival.file:
            self._db.execute(
                "INSERT OR IGNORE INTO hr_names SELECT seq, ?3 FROM hr_tokens WHERE iss = ?1 AND jti = ?2"
                " AND (SELECT count(*) FROM hr_names WHERE hr_names.token = seq) < ?4",
                (*arrival.notice.key, arrival.file, _MOST_NAMES),
            )

    def _insert(self, arrival: Arrival, digest: bytes, state: str, now: datetime) -> None:
        notice = arrival.notice
        self._db.execute(
            "INSERT INTO hr_tokens (iss, jti, subject, strength, ends, toe, iat, received_at, not_before, looked_at,"
            " state, claims, notice, token) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *notice.key,
                notice.subject,
                notice.event.strength,
                int(ends(notice)),
                _microseconds(notice.toe),
                _microseconds(notice.iat),
                _stamp(arrival.appeared or now),
                _stamp(arrival.not_before) if arrival.appeared and arrival.not_before else None,
                _stamp(now) if arrival.appeared else None,
                state,
                digest,
                _line(notice),
                arrival.token,
            ),
        )

    def _superseded(self, notice: HrNotice, released: int) -> bool:
        """Whether a newer event, or restored access, makes this one end nothing; by the rule of ``supersession``."""
        toe = max(_microseconds(notice.toe), released)
        [superseded] = self._db.execute(
            "SELECT EXISTS (SELECT 1 FROM hr_floors WHERE subject = ?1 AND toe >= ?3)"
            " OR EXISTS (SELECT 1 FROM hr_tokens WHERE subject = ?1 AND ends & ?2 = ?2"
            " AND (max(toe, released), iat) > (?3, ?4) AND state IN ('received', 'handed'))",
            (notice.subject, int(ends(notice)), toe, _microseconds(notice.iat)),
        ).fetchone()
        return bool(superseded)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with translate_sqlite_errors(self._file):
            self._db.widen(1 << 20)
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


def _line(notice: HrNotice) -> str:
    return json.dumps(notice.to_json(), ensure_ascii=False, separators=(",", ":"))


def _notice(line: str) -> HrNotice:
    return HrNotice.from_json(json.loads(line))


def _digest(claims: Mapping[str, Any]) -> bytes:
    """Return the digest that tells a reused number from a repeated event; approvals may be signed anew each time."""
    facts = {name: claim for name, claim in claims.items() if name != "approvals"}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).digest()


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _microseconds(moment: datetime) -> int:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds

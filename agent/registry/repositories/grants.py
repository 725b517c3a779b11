"""Writing grants: access of a person to an area or room, with reason, approver and period.

Rules of this file: nobody grants access to themselves (D01-4.4). A temporary grant has an end within the pack's limit
(D01-2.2: 90 days); the caller passes the limit, because the pack is not known here. A grant that ended stays on file
with the officer who ended it and the reason.
"""

from datetime import datetime, timedelta

from agent.errors import RefusedError
from agent.registry.columns import instant, maybe_instant, moment, number, numbered
from agent.registry.repositories.references import require_person, require_resource
from agent.registry.repositories.transaction import Transaction
from agent.registry.rows.papers import Paper, columns
from agent.registry.terms import APPROVER, GRANT, REASON
from agent.registry.validation import free_text, unknown
from rules.text import Message


class GrantRepository:
    """Grants. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(
        self,
        person: str,
        resource: str,
        *,
        reason: str,
        approver: str,
        since: datetime | None = None,
        until: datetime | None = None,
        temporary: bool = False,
        max_days: int | None = None,
        renewable: bool = True,
        paper: Paper | None = None,
    ) -> str:
        """Add a grant, and return its number (``G000123``). *since* is by default the instant of this change.

        *max_days* limits a temporary grant. With ``renewable=False`` a temporary grant may not continue an earlier
        temporary one of the same person and resource: fewer than *max_days* days between them count as continuing.
        """
        require_person(self._transaction, person)
        key = require_resource(self._transaction, resource)
        free_text(reason, REASON, required=True)
        free_text(approver, APPROVER, required=True)
        if approver == person:
            raise RefusedError(
                Message("registry.own-access-grant"),
                Message("registry.another-officer-approves"),
            )
        since = since or self._transaction.at
        self._check_window(since, until)
        if temporary:
            self._check_temporary(person, key, since, until, max_days, renewable=renewable)
        added = self._transaction.insert(
            "grants",
            person=person,
            resource=key,
            reason=reason,
            approver=approver,
            since=instant(since),
            until=maybe_instant(until),
            temporary=temporary,
            added_at=self._transaction.stamp,
            **columns(paper),
        )
        return numbered("G", added)

    def end(self, grant: str, *, by: str = "", reason: str = "") -> tuple[str, str]:
        """End a grant now, and return its person and resource; refused when it has already ended."""
        fields = self._transaction.row(
            "SELECT number, person, name, until FROM grants JOIN resources ON key = resource WHERE number = ?",
            number("G", grant, GRANT),
        )
        if fields is None:
            raise unknown(GRANT, grant, "shoumi grant list")
        row, person, resource, until = fields
        if until is not None and until <= self._transaction.stamp:
            raise RefusedError(
                Message("registry.grant-already-ended", grant=grant, until=until),
                Message("common.see-shoumi-grant-list"),
            )
        self._transaction.update(
            "grants",
            "number",
            row,
            until=self._transaction.stamp,
            ended_at=self._transaction.stamp,
            ended_by=free_text(by, APPROVER),
            end_reason=free_text(reason, REASON),
        )
        return str(person), str(resource)

    def end_all_to(self, key: int) -> int:
        """End every grant to the area or room of this key, which is being removed; return how many were running."""
        return self._transaction.execute(
            "UPDATE grants SET until = min(coalesce(until, ?1), ?1), ended_at = ?1, end_reason = 'removed'"
            " WHERE resource = ?2 AND (until IS NULL OR until > ?1)",
            self._transaction.stamp,
            key,
        ).rowcount

    def _check_window(self, since: datetime, until: datetime | None) -> None:
        if until is not None and until <= max(since, self._transaction.at):
            raise RefusedError(
                Message("registry.grant-end-before-start"),
                Message("registry.choose-future-end"),
            )

    def _check_temporary(
        self,
        person: str,
        resource: int,
        since: datetime,
        until: datetime | None,
        max_days: int | None,
        *,
        renewable: bool,
    ) -> None:
        if until is None:
            raise RefusedError(
                Message("registry.temporary-grant-needs-end"),
                Message("registry.add-until-option"),
            )
        if max_days is not None and until - since > timedelta(days=max_days):
            raise RefusedError(
                Message("registry.temporary-grant-too-long", count=max_days),
                Message("registry.choose-end-by", latest=instant(since + timedelta(days=max_days))),
            )
        if renewable:
            return
        latest = self._transaction.row(
            "SELECT number, until FROM grants WHERE person = ? AND resource = ? AND temporary = 1"
            " ORDER BY until DESC LIMIT 1",
            person,
            resource,
        )
        if latest and (max_days is None or since - moment(latest[1]) < timedelta(days=max_days)):
            earlier = numbered("G", latest[0])
            raise RefusedError(
                Message("registry.temporary-grant-not-renewable", earlier=earlier),
                Message("registry.raise-level-or-widen-scope"),
            )

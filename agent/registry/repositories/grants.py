"""Writing grants: person to area or room, for a reason, approved by somebody else, for a while.

Rules of this file: nobody grants to themselves (D01-4.4). A temporary grant always ends, and no later than the pack's
limit allows (D01-2.2: 90 days); the caller passes the limit, because the pack is not in here. A grant that ended stays
in the books with who ended it and why.
"""

from datetime import datetime, timedelta

from agent.errors import RefusedError
from agent.registry.columns import instant, maybe_instant, moment, number, numbered
from agent.registry.repositories.references import require_person, require_resource
from agent.registry.repositories.transaction import Transaction
from agent.registry.rows.papers import Paper, columns
from agent.registry.terms import APPROVER, GRANT, REASON
from agent.registry.validation import unknown, words
from rules.text import Text
from rules.visible import visible


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
        """Grant, and return the number (``G000123``). *since* is by default the instant of this change.

        *max_days* caps a temporary grant. With ``renewable=False`` a temporary grant may not continue an earlier
        temporary one of the same person and resource: fewer than *max_days* days between them count as continuing.
        """
        require_person(self._transaction, person)
        key = require_resource(self._transaction, resource)
        words(reason, REASON, required=True)
        words(approver, APPROVER, required=True)
        if approver == person:
            raise RefusedError(
                Text("nobody grants access to himself", "任何人不得为本人授权"),
                Text("let another officer approve it", "请由其他人员审批"),
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
        """End a grant now, and return its person and resource; refused when it is over already."""
        found = self._transaction.row(
            "SELECT number, person, name, until FROM grants JOIN resources ON key = resource WHERE number = ?",
            number("G", grant, GRANT),
        )
        if found is None:
            raise unknown(GRANT, grant, "shoumi grant list")
        row, person, resource, until = found
        if until is not None and until <= self._transaction.stamp:
            raise RefusedError(
                Text(f"grant `{visible(grant)}` ended at {until}", f"授权 `{visible(grant)}` 已于 {until} 结束"),
                Text("see `shoumi grant list`", "参见 `shoumi grant list`"),
            )
        self._transaction.update(
            "grants",
            "number",
            row,
            until=self._transaction.stamp,
            ended_at=self._transaction.stamp,
            ended_by=words(by, APPROVER),
            end_reason=words(reason, REASON),
        )
        return str(person), str(resource)

    def end_all_to(self, key: int) -> int:
        """End every grant to the area or room of this key, which is removed; return how many were still running."""
        return self._transaction.execute(
            "UPDATE grants SET until = min(coalesce(until, ?1), ?1), ended_at = ?1, end_reason = 'removed'"
            " WHERE resource = ?2 AND (until IS NULL OR until > ?1)",
            self._transaction.stamp,
            key,
        ).rowcount

    def _check_window(self, since: datetime, until: datetime | None) -> None:
        if until is not None and until <= max(since, self._transaction.at):
            raise RefusedError(
                Text("the grant would end before it begins", "授权的结束时间早于开始时间"),
                Text("give an end in the future and after the start", "请给出晚于开始时间的未来时间"),
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
                Text("a temporary grant needs an end", "临时授权必须有结束时间"),
                Text("add `--until DATE`", "请加 `--until 日期`"),
            )
        if max_days is not None and until - since > timedelta(days=max_days):
            raise RefusedError(
                Text(f"a temporary grant lasts {max_days} days at most", f"临时授权最长 {max_days} 天"),
                Text(
                    f"end it by {instant(since + timedelta(days=max_days))}",
                    f"请在 {instant(since + timedelta(days=max_days))} 之前结束",
                ),
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
                Text(
                    f"a temporary grant is not renewed, and {earlier} came before",
                    f"临时授权不得续期，此前已有 {earlier}",
                ),
                Text("raise the level or widen the scope instead", "请改为调整密级或知悉范围"),
            )

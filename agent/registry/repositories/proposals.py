"""Writing proposals: acts that give access, and wait for a second hand (contract C12).

Rules of this file: who may propose and confirm is decided elsewhere (:mod:`rules.two_hands`); here is what is kept of
it. A proposal ends once. How many wait is bounded, for everybody and for each account; what people ask for has places
of its own, so that officers can always propose.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from agent.errors import RefusedError
from agent.registry.columns import instant, number, numbered
from agent.registry.repositories.references import require_person, require_resource
from agent.registry.repositories.transaction import Transaction
from agent.registry.terms import OFFICER, PROPOSAL, REASON
from agent.registry.validation import unknown, words
from rules.text import Text
from rules.two_hands import Hand
from rules.visible import visible

MOST, MOST_OF_ONE = 500, 100  # proposals of officers that wait: of all, of one account
MOST_REQUESTS = 300  # that wait, of everybody
MOST_OF_A_PERSON, MOST_A_DAY = 3, 10  # requests: waiting at a time, and made in a day
ASKED = "person"  # the role of a proposal that no officer has taken up yet


class ProposalRepository:
    """Proposals. Every method may raise :class:`agent.errors.RefusedError`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(
        self,
        act: str,
        given: Mapping[str, Any],
        *,
        would: Mapping[str, Any],
        asked: Sequence[str],
        hand: Hand,
        lapses: datetime,
    ) -> str:
        """Keep that *hand* proposes *act* with the arguments *given*, and return its number (``P000123``).

        *would*: what it would give. *asked*: roles that the second hand has to have, beside the pair's.
        """
        self._require_room(hand.uid)
        added = self._transaction.insert(
            "proposals",
            act=act,
            given=json.dumps(given, ensure_ascii=False),
            would=json.dumps(would, ensure_ascii=False),
            asked=json.dumps(asked),
            uid=hand.uid,
            login_uid=hand.login_uid,
            role=hand.role,
            proposed_by=words(hand.name, OFFICER, required=True),
            at=self._transaction.stamp,
            lapses=instant(lapses),
        )
        return numbered("P", added)

    def ask(
        self,
        act: str,
        given: Mapping[str, Any],
        *,
        would: Mapping[str, Any],
        person: str,
        uid: int,
        login_uid: int | None,
        lapses: datetime,
    ) -> str:
        """Keep that *person* asks for *act* under their own account, and return its number: nobody's hand yet."""
        require_person(self._transaction, person)
        require_resource(self._transaction, str(given["area"]))
        words(str(given["reason"]), REASON, required=True)
        self._require_new(person, str(given["area"]))
        self._require_few(person)
        self._require_place()
        added = self._transaction.insert(
            "proposals",
            act=act,
            given=json.dumps(given, ensure_ascii=False),
            would=json.dumps(would, ensure_ascii=False),
            asked="[]",
            uid=uid,
            login_uid=login_uid,
            role=ASKED,
            requested_by=person,
            at=self._transaction.stamp,
            lapses=instant(lapses),
        )
        return numbered("P", added)

    def support(self, proposal: str, *, by: str) -> None:
        """Note that *by* supports what is asked for."""
        row = self._waiting(proposal)
        self._transaction.update(
            "proposals", "number", row, supported_by=words(by, OFFICER), supported_at=self._transaction.stamp
        )

    def take_up(
        self, proposal: str, *, would: Mapping[str, Any], asked: Sequence[str], hand: Hand, lapses: datetime
    ) -> None:
        """Make what somebody asked for the proposal of *hand*, who is its first from now on."""
        row = self._waiting(proposal)
        self._require_room(hand.uid)
        self._transaction.update(
            "proposals",
            "number",
            row,
            would=json.dumps(would, ensure_ascii=False),
            asked=json.dumps(asked),
            uid=hand.uid,
            role=hand.role,
            proposed_by=words(hand.name, OFFICER, required=True),
            at=self._transaction.stamp,
            lapses=instant(lapses),
        )
        self._transaction.execute("UPDATE proposals SET login_uid = ? WHERE number = ?", hand.login_uid, row)

    def end(self, proposal: str, outcome: str, *, by: str, reason: str = "", given: Mapping[str, Any]) -> None:
        """End it with *outcome*. *given*: its arguments without secrets, which is how they stay."""
        row = self._waiting(proposal)
        self._transaction.update(
            "proposals",
            "number",
            row,
            outcome=outcome,
            ended_at=self._transaction.stamp,
            ended_by=words(by, OFFICER),
            end_reason=words(reason, REASON),
            given=json.dumps(given, ensure_ascii=False),
        )

    def _waiting(self, proposal: str) -> int:
        """Return the row of a proposal that has not ended."""
        row = number("P", proposal, PROPOSAL)
        found = self._transaction.row("SELECT outcome FROM proposals WHERE number = ?", row)
        if found is None:
            raise unknown(PROPOSAL, proposal, "shoumi proposal list")
        if found[0] is not None:
            raise over(proposal, str(found[0]))
        return row

    def _require_few(self, person: str) -> None:
        day_ago = instant(self._transaction.at - timedelta(days=1))
        counted = self._transaction.row(
            "SELECT coalesce(sum(outcome IS NULL), 0), coalesce(sum(at > ?), 0) FROM proposals WHERE requested_by = ?",
            day_ago,
            person,
        )
        assert counted is not None
        if counted[0] >= MOST_OF_A_PERSON or counted[1] >= MOST_A_DAY:
            raise RefusedError(
                Text("too many of your requests wait, or were made today", "待处理或今日提交的申请过多"),
                Text("see: shoumi mine", "参见：shoumi mine"),
            )

    def _require_new(self, person: str, place: str) -> None:
        waiting = self._transaction.row(
            "SELECT number FROM proposals WHERE requested_by = ? AND outcome IS NULL"
            " AND json_extract(given, '$.area') = ?",
            person,
            place,
        )
        if waiting:
            said = numbered("P", int(waiting[0]))
            raise RefusedError(
                Text(f"you have asked for it already: {said}", f"已提交过同一申请：{said}"),
                Text("see: shoumi mine", "参见：shoumi mine"),
            )

    def _require_place(self) -> None:
        counted = self._transaction.row("SELECT count(*) FROM proposals WHERE outcome IS NULL AND role = ?", ASKED)
        assert counted is not None
        if counted[0] >= MOST_REQUESTS:
            raise RefusedError(
                Text("too many requests of everybody wait already", "待处理的申请总数过多"),
                Text("ask again later, or tell a security officer", "请稍后再申请，或告知安全保密管理员"),
            )

    def _require_room(self, uid: int) -> None:
        counted = self._transaction.row(
            "SELECT count(*), coalesce(sum(uid = ?), 0) FROM proposals WHERE outcome IS NULL AND role <> ?", uid, ASKED
        )
        assert counted is not None
        if counted[0] >= MOST or counted[1] >= MOST_OF_ONE:
            raise RefusedError(
                Text("too many proposals wait already", "待确认的提议过多"),
                Text("have some confirmed or refused: shoumi proposal list", "请先处理：shoumi proposal list"),
            )


_ENDED = {
    "confirmed": Text("has been confirmed", "已确认"),
    "refused": Text("has been refused", "已否决"),
    "withdrawn": Text("was withdrawn", "已撤回"),
    "lapsed": Text("has lapsed", "已过期"),
}


def over(proposal: str, outcome: str) -> RefusedError:
    """Return the refusal of what is asked of a proposal that has ended."""
    said, how = visible(proposal), _ENDED[outcome]
    return RefusedError(
        Text(f"proposal `{said}` {how.en}", f"提议 `{said}` {how.zh}"),
        Text("see: shoumi proposal list", "参见：shoumi proposal list"),
    )

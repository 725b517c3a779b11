"""Writing proposals: acts that give access and wait for a second officer (contract C12).

Rules of this file: :mod:`rules.two_hands` decides who may propose and confirm; here proposals are stored. A proposal
ends once. The number of waiting proposals is limited, in total and for each account; requests of people have a limit of
their own, so that officers can always propose.
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
from agent.registry.validation import free_text, unknown
from rules.text import Message
from rules.two_hands import Hand
from rules.visible import visible

MOST, MOST_OF_ONE = 500, 100  # waiting proposals of officers: in total, of one account
MOST_REQUESTS = 300  # waiting requests in total
MOST_OF_A_PERSON, MOST_A_DAY = 3, 10  # requests of a person: waiting, and made in a day
ASKED = "person"  # the role of a request that no officer has taken up yet


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
        """Store that *hand* proposes *act* with the arguments *given*, and return its number (``P000123``).

        *would*: the access it would give. *asked*: roles that the second officer must have, beside those of the pair.
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
            proposed_by=free_text(hand.name, OFFICER, required=True),
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
        """Store the request of *person* for *act* under their own account, and return its number."""
        require_person(self._transaction, person)
        require_resource(self._transaction, str(given["area"]))
        free_text(str(given["reason"]), REASON, required=True)
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
        """Record that *by* supports a request."""
        row = self._waiting(proposal)
        self._transaction.update(
            "proposals", "number", row, supported_by=free_text(by, OFFICER), supported_at=self._transaction.stamp
        )

    def take_up(
        self, proposal: str, *, would: Mapping[str, Any], asked: Sequence[str], hand: Hand, lapses: datetime
    ) -> None:
        """Turn a request into the proposal of *hand*, its first officer from now on."""
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
            proposed_by=free_text(hand.name, OFFICER, required=True),
            at=self._transaction.stamp,
            lapses=instant(lapses),
        )
        self._transaction.execute("UPDATE proposals SET login_uid = ? WHERE number = ?", hand.login_uid, row)

    def end(self, proposal: str, outcome: str, *, by: str, reason: str = "", given: Mapping[str, Any]) -> None:
        """End a proposal with *outcome*. *given*: its arguments without secrets, as they stay stored."""
        row = self._waiting(proposal)
        self._transaction.update(
            "proposals",
            "number",
            row,
            outcome=outcome,
            ended_at=self._transaction.stamp,
            ended_by=free_text(by, OFFICER),
            end_reason=free_text(reason, REASON),
            given=json.dumps(given, ensure_ascii=False),
        )

    def _waiting(self, proposal: str) -> int:
        """Return the row of a proposal that has not ended."""
        row = number("P", proposal, PROPOSAL)
        outcome_row = self._transaction.row("SELECT outcome FROM proposals WHERE number = ?", row)
        if outcome_row is None:
            raise unknown(PROPOSAL, proposal, "shoumi proposal list")
        if outcome_row[0] is not None:
            raise over(proposal, str(outcome_row[0]))
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
                Message("registry.too-many-own-requests"),
                Message("common.see-shoumi-mine"),
            )

    def _require_new(self, person: str, place: str) -> None:
        waiting = self._transaction.row(
            "SELECT number FROM proposals WHERE requested_by = ? AND outcome IS NULL"
            " AND json_extract(given, '$.area') = ?",
            person,
            place,
        )
        if waiting:
            number_waiting = numbered("P", int(waiting[0]))
            raise RefusedError(
                Message("registry.already-requested", proposal=number_waiting),
                Message("common.see-shoumi-mine"),
            )

    def _require_place(self) -> None:
        counted = self._transaction.row("SELECT count(*) FROM proposals WHERE outcome IS NULL AND role = ?", ASKED)
        assert counted is not None
        if counted[0] >= MOST_REQUESTS:
            raise RefusedError(
                Message("registry.too-many-requests"),
                Message("registry.request-later-or-tell-officer"),
            )

    def _require_room(self, uid: int) -> None:
        counted = self._transaction.row(
            "SELECT count(*), coalesce(sum(uid = ?), 0) FROM proposals WHERE outcome IS NULL AND role <> ?", uid, ASKED
        )
        assert counted is not None
        if counted[0] >= MOST or counted[1] >= MOST_OF_ONE:
            raise RefusedError(
                Message("registry.too-many-proposals"),
                Message("registry.review-proposals-first"),
            )


_ENDED = {
    "confirmed": Message("registry.outcome-confirmed"),
    "refused": Message("registry.outcome-refused"),
    "withdrawn": Message("registry.outcome-withdrawn"),
    "lapsed": Message("registry.outcome-lapsed"),
}


def over(proposal: str, outcome: str) -> RefusedError:
    """Return the refusal for a proposal that has ended."""
    shown_proposal, outcome_text = visible(proposal), _ENDED[outcome]
    return RefusedError(
        Message("registry.proposal-already-ended", proposal=shown_proposal, outcome=outcome_text),
        Message("registry.see-shoumi-proposal-list"),
    )

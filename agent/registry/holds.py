"""Writing holds and departures: what takes everything from a person.

Rules of this file: a hold always says why and is never refused for being the second one; lifting keeps the row. A
departure is data here: the stages and who may take them belong to the part that handles departures.
"""

from datetime import datetime

from agent.errors import RefusedError
from agent.registry.columns import KEEP, Keep, instant, maybe_instant, number, numbered
from agent.registry.transaction import Transaction, unknown, words
from rules.model import DepartureStage
from rules.text import Text
from rules.visible import visible

_HOLD = Text("hold", "停权")
_DEPARTURE = Text("departure", "离岗办理")
_REASON = Text("reason", "事由")
_OFFICER = Text("officer", "经办人")


class HoldWrites(Transaction):
    """Writes about holds and departures. All raise :class:`agent.errors.RefusedError`."""

    def add_hold(
        self, person: str, *, reason: str, by: str = "", since: datetime | None = None, two_officers: bool = False
    ) -> str:
        """Stop a person, by default from now, and return the number (``H000123``).

        With *two_officers* it is lifted only by two different ones (:meth:`ask_to_lift`).
        """
        self._need_person(person)
        added = self._add(
            "INSERT INTO holds (person, since, reason, placed_by, two_officers) VALUES (?, ?, ?, ?, ?)",
            person,
            instant(since or self.at),
            words(reason, _REASON, required=True),
            words(by, _OFFICER),
            int(two_officers),
        )
        return numbered("H", added)

    def lift_hold(self, hold: str, *, by: str = "", reason: str = "") -> str:
        """Take one hold away, and return its person; other holds of the person stay.

        One that takes two officers is refused before another one has asked for it.
        """
        row = number("H", hold, _HOLD)
        person, _, _ = self._in_force(hold, by)
        if not self.ask_to_lift(hold, by=by):
            raise RefusedError(
                Text(
                    f"hold `{visible(hold)}` is lifted by two officers, and this is the first",
                    f"停权 `{visible(hold)}` 须由两名管理员解除，目前仅一名",
                ),
                Text("let another officer lift it as well", "请由另一名管理员再次解除"),
            )
        self._run(
            "UPDATE holds SET lifted_at = ?, lifted_by = ?, lift_reason = ? WHERE number = ?",
            self._at,
            words(by, _OFFICER),
            words(reason, _REASON),
            row,
        )
        return person

    def ask_to_lift(self, hold: str, *, by: str) -> bool:
        """Return whether *by* may lift this hold now; note the wish of the first of two where it takes two.

        Refused for the first of the two asking again.
        """
        _, takes_two, asked_by = self._in_force(hold, by)
        if not takes_two:
            return True
        if not asked_by:
            self._run(
                "UPDATE holds SET lift_asked_by = ?, lift_asked_at = ? WHERE number = ?",
                words(by, _OFFICER, required=True),
                self._at,
                number("H", hold, _HOLD),
            )
            return False
        if asked_by == by:
            raise RefusedError(
                Text(
                    f"this takes a second officer, and `{visible(by)}` is the first",
                    f"须由第二名管理员确认，`{visible(by)}` 是第一名",
                ),
                Text("let another officer lift it as well", "请由另一名管理员再次解除"),
            )
        return True

    def _in_force(self, hold: str, by: str) -> tuple[str, bool, str]:
        """Return the person of a hold that *by* may lift at all, whether it takes two, and who asked first."""
        found = self._row(
            "SELECT person, lifted_at, two_officers, lift_asked_by FROM holds WHERE number = ?",
            number("H", hold, _HOLD),
        )
        if found is None:
            raise unknown(_HOLD, hold, "shoumi hold list")
        person, lifted_at, takes_two, asked_by = found
        if lifted_at is not None:
            raise RefusedError(
                Text(
                    f"hold `{visible(hold)}` was lifted at {lifted_at}", f"停权 `{visible(hold)}` 已于 {lifted_at} 解除"
                ),
                Text("see `shoumi person show`", "参见 `shoumi person show`"),
            )
        if by and by == person:
            raise RefusedError(
                Text("nobody lifts his own hold", "任何人不得解除本人的停权"),
                Text("let another officer lift it", "请由其他人员解除"),
            )
        return str(person), bool(takes_two), str(asked_by)

    def add_departure(
        self,
        person: str,
        *,
        stage: DepartureStage = DepartureStage.NOTICE,
        approved_at: datetime | None = None,
        cooling_off_until: datetime | None = None,
        approver: str = "",
    ) -> str:
        """Open a departure, and return the number (``D000123``)."""
        self._need_person(person)
        added = self._add(
            "INSERT INTO departures (person, stage, approved_at, cooling_off_until, approver, opened_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            person,
            stage.value,
            maybe_instant(approved_at),
            maybe_instant(cooling_off_until),
            words(approver, _OFFICER),
            self._at,
        )
        return numbered("D", added)

    def set_departure(
        self,
        departure: str,
        *,
        stage: DepartureStage | None = None,
        approved_at: datetime | Keep | None = KEEP,
        cooling_off_until: datetime | Keep | None = KEEP,
        approver: str | None = None,
    ) -> str:
        """Change what is given, and return the person."""
        row = number("D", departure, _DEPARTURE)
        found = self._row("SELECT person FROM departures WHERE number = ?", row)
        if found is None:
            raise unknown(_DEPARTURE, departure, "shoumi case list")
        self._set(
            "departures",
            "number",
            row,
            stage=None if stage is None else stage.value,
            approver=None if approver is None else words(approver, _OFFICER),
        )
        if approved_at is not KEEP:
            self._run("UPDATE departures SET approved_at = ? WHERE number = ?", maybe_instant(approved_at), row)
        if cooling_off_until is not KEEP:
            end = maybe_instant(cooling_off_until)
            self._run("UPDATE departures SET cooling_off_until = ? WHERE number = ?", end, row)
        return str(found[0])

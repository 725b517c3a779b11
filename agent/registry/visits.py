"""Writing visits and what people state before they enter.

A visitor is a person (employment ``visitor``) with a visit, not a kind of its own: the same rules, holds, badges and
log serve him, and a second visit finds what the first one left. What passes is the visit: one room, a window, a host
who answers for it and an escort who goes along. Somebody of the site who may not enter alone can be on one too.

Rules of this file: a visit and a statement always end by themselves. Host and escort are people of the site, and others
than the visitor. A statement says why, or which devices are carried, or both; it opens nothing by itself.
"""

from datetime import datetime, timedelta

from agent.errors import RefusedError
from agent.registry.columns import instant, number, numbered
from agent.registry.transaction import Transaction, unknown, words
from rules.model import Employment
from rules.text import Text
from rules.visible import visible

VISIT = Text("visit", "来访")
STATEMENT = Text("declaration", "进入申报")
_PURPOSE = Text("purpose", "事由")
_DEVICES = Text("list of devices", "携带物品清单")
_OFFICER = Text("officer", "经办人")
_LONGEST = timedelta(days=31)


class VisitWrites(Transaction):
    """Writes about visits. All raise :class:`agent.errors.RefusedError`."""

    def add_visit(
        self,
        person: str,
        room: str,
        *,
        host: str,
        escort: str,
        purpose: str,
        until: datetime,
        since: datetime | None = None,
        badge: str = "",
        by: str = "",
    ) -> str:
        """Register a visit, by default from now, and return its number (``V000123``)."""
        begins = since or self.at
        _window(max(begins, self.at), begins, until, VISIT)
        self._need_person(person)
        for other in (host, escort):
            self._need_staff(other, person)
        added = self._add(
            "INSERT INTO visits (person, host, escort, room, purpose, since, until, badge, registered_by)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            person,
            host,
            escort,
            self._need_resource(room, "room"),
            words(purpose, _PURPOSE, required=True),
            instant(begins),
            instant(until),
            badge,
            words(by, _OFFICER),
        )
        return numbered("V", added)

    def end_visit(self, visit: str, *, by: str = "") -> tuple[str, str]:
        """End a visit now, wherever the visitor is, and return the visitor and the badge he was given."""
        row, person, badge, ended, _ = self._visit(visit)
        if ended is None:
            self._run(
                "UPDATE visits SET ended_at = ?, ended_by = ? WHERE number = ?", self._at, words(by, _OFFICER), row
            )
        return person, badge

    def leave_visit(self, visit: str, *, by: str = "") -> tuple[str, str]:
        """Say that the visitor has left the premises: the visit is over. Returns the visitor and his badge."""
        row, person, badge, _, left = self._visit(visit)
        if left is not None:
            raise RefusedError(
                Text(
                    f"the visitor of `{visible(visit)}` left at {left}", f"`{visible(visit)}` 的来访者已于 {left} 离开"
                ),
                Text("see `shoumi visitor list --all`", "参见 `shoumi visitor list --all`"),
            )
        self.end_visit(visit, by=by)
        self._run("UPDATE visits SET left_at = ? WHERE number = ?", self._at, row)
        return person, badge

    def add_declaration(
        self,
        person: str,
        room: str,
        *,
        until: datetime,
        since: datetime | None = None,
        purpose: str = "",
        devices: str | None = None,
        by: str = "",
    ) -> str:
        """Keep what *person* states for *room*, and return its number (``S000123``).

        *devices* ``None``: nothing is said about devices; ``""``: none are carried, which is a declaration too.
        """
        begins = since or self.at
        _window(max(begins, self.at), begins, until, STATEMENT)
        self._need_person(person)
        if devices is None and not purpose.strip():
            raise RefusedError(
                Text("nothing is stated", "未申报任何内容"),
                Text("give --purpose, --devices or --no-devices", "请给出 --purpose、--devices 或 --no-devices"),
            )
        added = self._add(
            "INSERT INTO declarations (person, room, purpose, devices, declares, since, until, taken_by)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            person,
            self._need_resource(room, "room"),
            words(purpose, _PURPOSE),
            words(devices or "", _DEVICES),
            int(devices is not None),
            instant(begins),
            instant(until),
            words(by, _OFFICER),
        )
        return numbered("S", added)

    def end_declaration(self, declaration: str) -> str:
        """Let a statement hold no longer, and return its person."""
        row = number("S", declaration, STATEMENT)
        found = self._row("SELECT person FROM declarations WHERE number = ? AND ended_at IS NULL", row)
        if found is None:
            raise unknown(STATEMENT, declaration, "shoumi declaration list")
        self._run("UPDATE declarations SET ended_at = ? WHERE number = ?", self._at, row)
        return str(found[0])

    def _visit(self, visit: str) -> tuple[int, str, str, str | None, str | None]:
        row = number("V", visit, VISIT)
        found = self._row("SELECT number, person, badge, ended_at, left_at FROM visits WHERE number = ?", row)
        if found is None:
            raise unknown(VISIT, visit, "shoumi visitor list")
        return int(found[0]), str(found[1]), str(found[2]), found[3], found[4]

    def _need_staff(self, person: str, visitor: str) -> None:
        self._need_person(person)
        found = self._row("SELECT 1 FROM people WHERE id = ? AND employment = ?", person, Employment.VISITOR.value)
        if found or person == visitor:
            raise RefusedError(
                Text(f"`{visible(person)}` is a visitor himself", f"`{visible(person)}` 本人即为来访人员"),
                Text("host and escort are other people, of the site", "接待人和陪同人须为他人，且为本单位人员"),
            )


def _window(earliest: datetime, since: datetime, until: datetime, what: Text) -> None:
    if until <= earliest:
        raise RefusedError(
            Text(f"the {what.en} would end before it begins", f"{what.zh}在开始之前即结束"),
            Text(f"give an end after {instant(earliest)}", f"请给出晚于 {instant(earliest)} 的结束时间"),
        )
    if until - since > _LONGEST:
        raise RefusedError(
            Text(f"a {what.en} lasts {_LONGEST.days} days at most", f"{what.zh}最长 {_LONGEST.days} 天"),
            Text("give an earlier end", "请提前结束时间"),
        )

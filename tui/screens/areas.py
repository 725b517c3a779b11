"""Areas: the list, and the protection and grants of the highlighted one.

Rules of this file: an area in observe mode says so in words wherever it is shown. An act that changes access shows its
plan first.
"""

from collections.abc import Iterator
from typing import Any

from agent.api.timestamps import local
from agent.presentation import seen
from agent.presentation.marking import marking
from agent.presentation.terms import DOMAINS, LEVELS, MODES, TIERS, word
from rules.text import Message, from_json
from rules.visible import visible
from tui.render.cells import GLYPHS, Piece, Tone, Toned
from tui.render.person import day
from tui.render.plan import PlanLine, PlanPage
from tui.screens.listing import ListScreen
from tui.widgets.virtual_list import Column, Row, field

_OBSERVING = Message("tui.mode-observe")
_TONES: dict[str, Tone] = {"good": "good", "warning": "warning", "serious": "bad"}


def _level(row: Row) -> Piece:
    return word(LEVELS, row["level"])


def _mode(row: Row) -> Piece:
    return MODES["enforce"] if row["mode"] == "enforce" else Toned(_OBSERVING, "warning")


def _tier(row: Row) -> Piece:
    return row["tier"] if row["tier"] != "none" else Toned(TIERS["none"], "bad")


def _guard_seen(row: Row) -> Piece:
    return Toned(seen.short(row["seen"], _clock), seen.tone(row["seen"]))


def _clock(moment: str) -> str:
    return local(moment)[5:]


class AreasScreen(ListScreen):
    """The areas of the site."""

    PLACE = "areas"
    COLUMNS = (
        field(Message("common.object-name"), "name", 16),
        Column(Message("common.level"), _level, 12),
        Column(Message("tui.domain"), lambda row: word(DOMAINS, row["domain"]), 14, least=70),
        Column(Message("common.mode"), _mode, 8),
        Column(Message("common.tier"), _tier, 5),
        Column(Message("common.guard-seen"), _guard_seen, 20, least=100),
        field(Message("common.path"), "path", least=70),
        field(Message("cli.custodian"), "custodian", 12, least=110),
    )
    KEY = "name"
    OP = "area.list"
    NO_ROW = Message("tui.no-area-highlighted")
    EMPTY = Message("tui.no-areas-yet")

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return its protection and its grants."""
        details = await self.agent.call("area.show", area=row["name"])
        grants = await self.agent.items("grant.list", area=row["name"])
        return tuple(_detail(details, grants))

    # Changes ----------------------------------------------------------------------------------------------------------

    def do_add(self) -> None:
        """Add an area."""
        self.form("area.add")

    def do_change(self) -> None:
        """Change the area."""
        self.form("area.set", area=self.chosen)

    def do_grant(self) -> None:
        """Grant a person access."""
        self.form("grant.add", area=self.chosen)

    def do_confirm(self) -> None:
        """Keep enforcing."""
        self.form("area.confirm", area=self.chosen)

    def do_enforce(self) -> None:
        """Enforce: show who would have been denied, ask for the name, open the form."""
        self.start(self._enforce, group="form")

    async def _enforce(self) -> None:
        area = self.chosen
        would = await self.agent.call("area.would", area=area)
        lines = [_denied(row) for row in would["denied"]]
        lines = lines or [PlanLine(Message("tui.no-denials-while-observed"))]
        await self._agreed("area.enforce", PlanPage(Message("tui.enforce-area", area=area), lines, name=area))

    def do_observe(self) -> None:
        """Return to observe mode."""
        lines = [PlanLine(Message("tui.file-system-permissions-apply"))]
        plan = PlanPage(Message("tui.observe-area", area=self.chosen), lines, name=self.chosen)
        self.start(self._agreed, "area.observe", plan, group="form")

    def do_seal(self) -> None:
        """Seal the volume: deny files without a label."""
        self.form("area.seal", area=self.chosen)

    def do_relabel(self) -> None:
        """Label files by their place: show the counts, ask for the name, open the form."""
        self.start(self._relabel, group="form")

    async def _relabel(self) -> None:
        area = self.chosen
        path = (await self.agent.call("area.show", area=area))["path"]
        summary = (await self.agent.items("area.labels", path=path))[-1]
        lines = [
            PlanLine(Message("tui.files-without-label", count=summary["unlabelled"])),
            PlanLine(Message("tui.files-with-foreign-label", count=summary["foreign"])),
            *(PlanLine(visible(entry["path"])) for entry in summary["first"]),
        ]
        plan = PlanPage(Message("tui.relabel-area", area=area), lines, name=area)
        if await self.program.agreed(plan):
            await self._form("area.relabel", {"path": path})

    def do_remove(self) -> None:
        """End the protection of the area."""
        lines = [
            PlanLine(Message("tui.no-verdicts-or-entries")),
            PlanLine(Message("tui.all-grants-end")),
            PlanLine(Message("tui.files-unchanged")),
        ]
        plan = PlanPage(Message("tui.end-area-protection", area=self.chosen), lines, name=self.chosen)
        self.start(self._agreed, "area.remove", plan, group="form")

    async def _agreed(self, op: str, plan: PlanPage) -> None:
        if await self.program.agreed(plan):
            await self._form(op, {"area": plan.name})

    def do_log(self) -> None:
        """Go to the log of the area."""
        self.program.go("log", filter=f"area:{self.chosen}")


def _denied(row: Row) -> PlanLine:
    person = str(row["person"] or row["login_person"] or "?")
    rules = ", ".join(map(visible, row["rules"]))
    return PlanLine(Message("tui.denials-while-observed", person=person, count=row["count"]), note=rules)


def _detail(area: Row, grants: list[Row]) -> Iterator[Piece]:
    yield from (
        Toned(area["name"], "strong"),
        "  ",
        marking(word(LEVELS, area["level"]), area["domain"], area["secret_until"] and day(area["secret_until"])),
        "  ",
        word(DOMAINS, area["domain"]),
        "\n",
    )
    yield from (Toned(area["path"], "dim"), "\n")
    if area["mode"] == "observe":
        text = Message("tui.observe-mode-explained")
        yield from (Toned(text, "warning"), "\n")
    if confirm_by := area["enforce_confirm_by"]:
        text = Message("tui.returns-to-observe-unless-confirmed", day=day(confirm_by))
        yield from (Toned(text, "warning"), "\n")
    yield from (Message("tui.tier-value", tier=word(TIERS, area["tier"])), "  ")
    yield from (Message("tui.area-files-labelled", count=area["files"]), "\n")
    yield from (Toned(seen.sentence(area["seen"], _clock), seen.tone(area["seen"])), "\n")
    for finding in area["findings"]:
        tone = _TONES.get(finding["state"], "plain")
        yield from (Toned(f"{GLYPHS.get(finding['state'], '·')} ", tone), from_json(finding["text"]), "\n")
        if finding["hint"]:
            yield from ("  ", Toned(from_json(finding["hint"]), "dim"), "\n")
    yield from _scope(area["scope"])
    yield from ("\n", Toned(Message("tui.granted-to"), "dim"), "\n")
    for grant in grants:
        until = grant["until"] and Message("tui.valid-until", time=day(grant["until"]))
        yield from ("  ", Toned(grant["id"], "dim"), "  ", grant["person"], "  ", grant["reason"], "  ", until, "\n")


def _scope(scope: dict[str, Any]) -> Iterator[Piece]:
    titles = {
        "person": Message("tui.scope-persons"),
        "department": Message("tui.scope-departments"),
        "project": Message("common.projects"),
    }
    yield from ("\n", Toned(Message("tui.need-to-know-scope"), "dim"), "  ")
    named = [(titles[kind], members) for kind, members in scope.items() if members]
    if not named:
        yield Message("tui.scope-grants-only")
    for title, members in named:
        yield from (Toned(title, "dim"), " ", ", ".join(map(str, members)), "  ")
    yield "\n"

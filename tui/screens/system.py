"""The system: the checks of ``doctor``, the worst first, and the state of the processes.

Rules of this file: the agent checks, the screen shows. A check that found nothing wrong is shown too, so that readers
know that it was made.
"""

from collections.abc import Iterator
from typing import Any

from agent.presentation.terms import DURABILITIES, TIERS, YES_NO, word
from rules.text import Message, Sentence, foreign, from_json
from rules.visible import visible
from tui.render.cells import GLYPHS, Piece, Tone, Toned, number
from tui.render.plan import PlanLine, PlanPage, outcome_page
from tui.screens.choice import ChoiceScreen
from tui.screens.document import DocumentScreen
from tui.screens.system_volumes import VolumeActs
from tui.widgets.virtual_list import Column, Row

_STATES: dict[str, tuple[Sentence, Tone]] = {
    "serious": (Message("tui.severity-serious"), "bad"),
    "warning": (Message("tui.severity-warning"), "warning"),
    "good": (Message("tui.severity-good"), "good"),
}


_NO_SERVICE = Message("common.no-services")
_COUNTS = {  # the counters of the decider
    "allowed": Message("tui.count-allowed"),
    "denied": Message("tui.count-denied"),
    "accesses": Message("tui.count-accesses"),
    "unprotected": Message("tui.count-unprotected"),
    "unlogged": Message("tui.count-unlogged"),
    "epoch": Message("tui.epoch-in-use"),
    "quiet": Message("tui.count-quiet"),
    "next_seq": Message("tui.next-entry-number"),
    "clock_behind": Message("tui.clock-behind"),
    "clock_behind_since": Message("tui.clock-behind-since"),
    "trouble": Message("common.trouble"),
}


def _state(row: Row) -> Piece:
    label, tone = _STATES.get(row["state"], (foreign(row["state"]), "plain"))
    glyph = GLYPHS.get(row["state"], "·")
    return Toned(Message("common.beside", text=glyph, more=label), tone)


class SystemScreen(VolumeActs):
    """The state of the agent."""

    PLACE = "system"
    COLUMNS = (
        Column(Message("common.state"), _state, 10),
        Column(Message("tui.column-finding"), lambda row: from_json(row["text"])),
    )
    KEY = "place"
    OP = "doctor"
    NO_ROW = Message("tui.no-finding-highlighted")
    FREE = frozenset(
        {"agent", "service", "add-service", "end-service", "clock", "key", "volumes"}
        | {"attach-volume", "publish-volume", "hide-volume", "accept-registry"}
    )

    async def rows(self) -> list[Row]:
        """Return the findings, the worst first."""
        findings = await self.agent.call("doctor")
        order = list(_STATES)
        ranked = sorted(findings, key=lambda finding: order.index(finding["state"]))
        return [finding | {"place": f"{finding['code']} {finding['text']}"} for finding in ranked]

    async def detail(self, row: Row) -> tuple[Piece, ...]:
        """Return the finding with its hint."""
        pieces: list[Piece] = [_state(row), "\n", from_json(row["text"]), "\n"]
        if row["hint"]:
            pieces += ["\n", Toned(Message("tui.heading-hint"), "dim"), "\n", from_json(row["hint"]), "\n"]
        return tuple(pieces)

    def do_agent(self) -> None:
        """Show the state of the processes."""
        self.start(self._about, group="form")

    async def _about(self) -> None:
        status, roles = await self.agent.call("status"), await self.agent.call("role.list")
        facts: dict[Sentence, Sentence | str] = {
            Message("common.host"): status["host"],
            Message("tui.agent-home"): status["home"],
            Message("tui.tier"): word(TIERS, status["tier"]),
            Message("tui.durability"): word(DURABILITIES, status["durability"]),
            Message("common.pack"): status["pack"],
            Message("tui.rights-epoch"): number(status["epoch"]),
            **{from_json(role["text"]): str(role["group"] or "-") for role in roles["roles"]},
            **dict(_counts(status["decider"])),
        }
        lines = [PlanLine(title, "info", text) for title, text in facts.items()]
        await self.program.agreed(PlanPage(Message("tui.agent"), lines))

    def do_service(self) -> None:
        """Show the services."""
        self.start(self._services, group="form")

    async def _services(self) -> None:
        services = await self.agent.items("service.list")
        lines = [PlanLine(service["id"], "info", _touches(service)) for service in services] or [
            PlanLine(_NO_SERVICE, "info")
        ]
        await self.program.agreed(PlanPage(Message("common.services"), lines))

    def do_clock(self) -> None:
        """Accept the clock of the host."""
        self.form("clock.accept")

    def do_set_roles(self) -> None:
        """Set the groups of the three roles."""
        self.form("role.set")

    def do_add_service(self) -> None:
        """Add a service account for a program."""
        self.form("service.add")

    def do_end_service(self) -> None:
        """Remove a service account: choice, plan, name."""
        self.start(self._end_service, group="form")

    async def _end_service(self) -> None:
        services = await self.agent.items("service.list")
        if not services:
            self.program.tell(_NO_SERVICE)
            return
        titles = [foreign(service["id"]) for service in services]
        place = await self.app.push_screen_wait(ChoiceScreen(Message("tui.choose-service"), titles))
        if place is None:
            return
        name = services[place]["id"]
        lines = [
            PlanLine(Message("tui.program-loses-areas")),
            PlanLine(_touches(services[place]), "info"),
        ]
        title = Message("tui.remove-service", service=name)
        if await self.program.agreed(PlanPage(title, lines, name=name)):
            await self.agent.call("service.remove", service=name)
            await self.program.agreed(outcome_page(title, [PlanLine(Message("tui.denied-from-now-on"), "confirmed")]))

    def do_key(self) -> None:
        """Show the public key that verifies receipts."""
        self.start(self._key, group="form")

    async def _key(self) -> None:
        key = await self.agent.call("keys.show")
        text = f"SHA-256 {key['fingerprint']}\n\n{key['pem']}"
        title = Message("tui.agent-public-key")
        await self.app.push_screen_wait(DocumentScreen(title, foreign(text), "agent.pem"))


def _touches(service: Row) -> Sentence:
    """Return the program of a service account and the areas it may access."""
    return Message("tui.service-line", uid=service["uid"], program=service["executable"], areas=service["areas"])


def _counts(stats: dict[str, Any]) -> Iterator[tuple[Sentence, Sentence | str]]:
    """Yield the counters of the decider; one without a label in this version is shown by its name."""
    for name, count in stats.items():
        if isinstance(count, dict) and not ({"code", "parameters"} <= count.keys() or {"en", "zh"} <= count.keys()):
            continue  # measurements, shown elsewhere
        label = _COUNTS.get(name, foreign(visible(name)))
        if isinstance(count, bool):
            yield label, word(YES_NO, "yes" if count else "no")
        elif isinstance(count, int):
            yield label, number(count)
        else:
            yield label, from_json(count) if count is not None else Message("common.none")

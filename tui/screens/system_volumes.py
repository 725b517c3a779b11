"""Acts on volumes and on an old registry, for the screen of the system.

Rules of this file: hiding a volume takes access away, so the holders of the disk are shown first, and the mount point
is typed. A change of a volume counts as started when the agent has accepted it: a job waits for its outcome.
"""

from typing import Any

from agent.api.timestamps import local
from agent.errors import RefusedError
from agent.presentation import seen
from agent.presentation.terms import VOLUME_STATES, word
from rules.text import Message, Sentence, from_json, labelled, series
from rules.visible import visible
from tui.jobs import Job
from tui.render.plan import PlanLine, PlanPage
from tui.screens.listing import ListScreen
from tui.widgets.virtual_list import Row

_NONE = Message("tui.no-volumes")


class VolumeActs(ListScreen):
    """The acts on volumes, and on a registry that is older than the log."""

    def do_volumes(self) -> None:
        """Show the volumes."""
        self.start(self._volumes, group="form")

    async def _volumes(self) -> None:
        volumes = await self.agent.items("volume.list")
        lines = [line for volume in volumes for line in _described(volume)] or [PlanLine(_NONE, "info")]
        await self.program.agreed(PlanPage(Message("common.volumes"), lines))

    def do_attach_volume(self) -> None:
        """Attach a disk: mount it out of sight, and mark it."""
        self.start(self._attach_volume, group="form")

    async def _attach_volume(self) -> None:
        if answer := await self.ask("volume.attach", {}):
            self._follow(answer)

    def do_publish_volume(self) -> None:
        """Publish an attached or hidden volume at its mount point."""
        self.start(self._publish, group="form")

    async def _publish(self) -> None:
        rows = [row for row in await self.agent.items("volume.list") if row["state"] in ("hidden", "attached")]
        none = Message("tui.no-volume-to-publish")
        if row := await self.one_of(Message("tui.choose-volume"), rows, _named, none=none, always=True):
            self._follow(await self.agent.call("volume.publish", volume=row["point"]))

    def do_hide_volume(self) -> None:
        """Hide a volume: choice, holders, mount point."""
        self.start(self._hide, group="form")

    async def _hide(self) -> None:
        rows = [row for row in await self.agent.items("volume.list") if row["state"] != "hidden"]
        row = await self.one_of(Message("tui.choose-volume"), rows, _named, none=_NONE, always=True)
        if row is None:
            return
        point = row["point"]
        details = await self.agent.call("volume.show", volume=point)
        lines = [PlanLine(Message("tui.areas-become-unreachable", areas=details["areas"] or "-"))]
        lines += [PlanLine(from_json(holder["text"]), "info") for holder in details["holders"]]
        if await self.program.agreed(PlanPage(Message("tui.hide-volume", point=point), lines, name=point)):
            self._follow(await self.agent.call("volume.hide", point=point))

    def _follow(self, answer: dict[str, Any]) -> None:
        point = visible(answer["point"])

        async def wait(_work: Job) -> Sentence:
            [outcome] = await self.agent.items("volume.outcome", point=answer["point"], at=answer["at"])
            await self.load()
            if outcome["error"]:
                raise RefusedError(Message("common.named", name=point, text=from_json(outcome["error"])))
            state = word(VOLUME_STATES, outcome["state"])
            if outcome["state"] == "hidden" and not outcome["free"]:
                text = series([state, Message("tui.disk-still-held")])
                return Message("common.warned", text=Message("common.named", name=point, text=text))
            return Message("common.done-to", name=point, text=state)

        self.program.begin(Message("tui.volume-change-started", point=point), wait)

    def do_accept_registry(self) -> None:
        """Accept a registry that lacks acts of the log, after showing which."""
        self.start(self._accept_registry, group="form")

    async def _accept_registry(self) -> None:
        registry = await self.agent.call("registry.show")
        if not registry["older"]:
            self.program.tell(Message("common.registry-holds-every-act-log"))
            return
        last = registry["lost"][-1]["seq"] if registry["lost"] else 0
        lost = ", ".join(visible(act["act"]) for act in registry["lost"][:5])
        note = Message("tui.acts-given-up", count=len(registry["lost"]), lost=lost)
        if await self.ask("registry.accept", {"last": str(last)}, note=note):
            await self.load()


def _described(volume: Row) -> tuple[PlanLine, ...]:
    """Return the state of a volume, its problem, and the time when its guard was last proven."""
    areas = ", ".join(map(visible, volume["areas"])) or "-"
    state = word(VOLUME_STATES, volume["state"])
    device = visible(volume["device"])
    text = labelled(state, f"{device} → {areas}")
    lines = [PlanLine(visible(volume["point"]), "info", text)]
    if volume["seen"]:
        lines.append(PlanLine(Message("common.guard-seen"), "info", seen.short(volume["seen"], local)))
    if volume["trouble"]:
        lines.append(PlanLine(from_json(volume["trouble"]), "pending"))
    return tuple(lines)


def _named(volume: Row) -> Sentence:
    state, point, device = word(VOLUME_STATES, volume["state"]), visible(volume["point"]), visible(volume["device"])
    return labelled(Message("common.with-note", text=point, more=device), state)

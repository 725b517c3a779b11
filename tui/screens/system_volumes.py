"""Volumes and stores, as the screen of the system asks about them.

Rules of this file: hiding takes access away, so it shows first who holds the disk, and asks for the place to be typed.
What is wanted of a volume is only begun when the agent has taken it: what came of it is waited for, and said.
"""

from typing import Any

from agent.api.timestamps import local
from agent.errors import RefusedError
from agent.presentation import seen
from agent.presentation.terms import VOLUME_STATES, word
from rules.text import Text
from rules.visible import visible
from tui.i18n import text_of
from tui.jobs import Job
from tui.render.plan import PlanLine, PlanPage
from tui.screens.listing import ListScreen
from tui.widgets.virtual_list import Row

_NONE = Text("no volumes", "没有卷")


class VolumeActs(ListScreen):
    """The acts on volumes, and on a registry that is older than the log."""

    def do_volumes(self) -> None:
        """Show the volumes."""
        self.start(self._volumes, group="form")

    async def _volumes(self) -> None:
        found = await self.agent.items("volume.list")
        lines = [line for one in found for line in _described(one)] or [PlanLine(_NONE, "info")]
        await self.program.agreed(PlanPage(Text("volumes", "卷"), lines))

    def do_attach_volume(self) -> None:
        """Have a disk mounted where nobody sees it, and marked."""
        self.start(self._attach_volume, group="form")

    async def _attach_volume(self) -> None:
        if answer := await self.ask("volume.attach", {}):
            self._follow(answer)

    def do_publish_volume(self) -> None:
        """Bring an attached or hidden volume to its place."""
        self.start(self._publish, group="form")

    async def _publish(self) -> None:
        found = [one for one in await self.agent.items("volume.list") if one["state"] in ("hidden", "attached")]
        none = Text("no volume is attached or hidden", "没有已附加或已隐藏的卷")
        if one := await self.one_of(Text("which volume", "哪个卷"), found, _named, none=none, always=True):
            self._follow(await self.agent.call("volume.publish", volume=one["point"]))

    def do_hide_volume(self) -> None:
        """Take a volume away from everybody: which one, who holds it, its place."""
        self.start(self._hide, group="form")

    async def _hide(self) -> None:
        found = [one for one in await self.agent.items("volume.list") if one["state"] != "hidden"]
        one = await self.one_of(Text("which volume", "哪个卷"), found, _named, none=_NONE, always=True)
        if one is None:
            return
        about = await self.agent.call("volume.show", volume=one["point"])
        areas = ", ".join(map(visible, about["areas"])) or "-"
        lines = [PlanLine(Text(f"nobody reaches these areas: {areas}", f"以下目录将无法访问：{areas}"))]
        lines += [PlanLine(text_of(holder["text"]), "info") for holder in about["holders"]]
        said = visible(one["point"])
        title = Text(f"hide the volume at `{said}`", f"隐藏 `{said}` 上的卷")
        if await self.program.agreed(PlanPage(title, lines, name=one["point"])):
            self._follow(await self.agent.call("volume.hide", point=one["point"]))

    def _follow(self, answer: dict[str, Any]) -> None:
        point = visible(answer["point"])

        async def wait(_work: Job) -> Text:
            [came] = await self.agent.items("volume.outcome", point=answer["point"], at=answer["at"])
            await self.load()
            if came["error"]:
                why = text_of(came["error"])
                raise RefusedError(Text(f"`{point}`: {why.en}", f"`{point}`：{why.zh}"))
            state = word(VOLUME_STATES, came["state"])
            if came["state"] == "hidden" and not came["free"]:
                held = Text("its disk is still held", "磁盘仍被占用")
                return Text(f"! `{point}`: {state.en}; {held.en}", f"! `{point}`：{state.zh}；{held.zh}")
            return Text(f"✓ `{point}`: {state.en}", f"✓ `{point}`：{state.zh}")

        self.program.begin(Text(f"`{point}`: begun, not done yet", f"`{point}`：已开始，尚未完成"), wait)

    def do_accept_registry(self) -> None:
        """Go on with a registry that lacks acts of the log: first, which they are."""
        self.start(self._accept_registry, group="form")

    async def _accept_registry(self) -> None:
        found = await self.agent.call("registry.show")
        if not found["older"]:
            self.program.tell(Text("the registry holds every act of the log", "登记库包含日志中的全部操作"))
            return
        last = found["lost"][-1]["seq"] if found["lost"] else 0
        lost = ", ".join(visible(one["act"]) for one in found["lost"][:5])
        note = Text(f"given up: {len(found['lost'])} acts ({lost})", f"将放弃 {len(found['lost'])} 项操作（{lost}）")
        if await self.ask("registry.accept", {"last": str(last)}, note=note):
            await self.load()


def _described(one: Row) -> tuple[PlanLine, ...]:
    """Return a volume as it is now, why it is not as it should be, and when its guard was last seen."""
    areas = ", ".join(map(visible, one["areas"])) or "-"
    state = word(VOLUME_STATES, one["state"])
    device = visible(one["device"])
    what = Text(f"{state.en}: {device} → {areas}", f"{state.zh}：{device} → {areas}")
    lines = [PlanLine(visible(one["point"]), "info", what)]
    if one["seen"]:
        lines.append(PlanLine(Text("guard seen", "证实时间"), "info", seen.short(one["seen"], local)))
    if one["trouble"]:
        lines.append(PlanLine(text_of(one["trouble"]), "pending"))
    return tuple(lines)


def _named(one: Row) -> Text:
    state, point, device = word(VOLUME_STATES, one["state"]), visible(one["point"]), visible(one["device"])
    return Text(f"{point} ({device}): {state.en}", f"{point}（{device}）：{state.zh}")

"""Disks the agent mounts and lets go of itself: what is wanted of each is brought about, and what came of it kept.

    attached    open the disk → mount it where nobody sees it → mark it → cover it
    published   the same, then: to its place beneath the cover → prove → uncover
    hidden      cover (in the act) → end who holds it, if asked → unmount → the watcher lets go → close the container

Rules of this file: everything can be done again, after a failure, a crash or a start; a disk that is not there yet is
tried again. What an administrator mounts or unmounts by hand afterwards is left as it is. Marks are never taken off a
volume: they go with its filesystem, when nobody holds that any more. Belongs to one thread, but for the methods whose
first line says otherwise.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from agent.api.findings import Finding
from agent.api.timestamps import local
from agent.control.decider_client import DeciderClient
from agent.control.earlier_holders import our_processes
from agent.control.volume_states import DiskUse, is_free, mounted_at, number, on_volume, use_of
from agent.control.watcher_client import WatcherClient
from agent.disks import holders, luks, opening
from agent.errors import RefusedError, ShoumiError
from agent.kernel import cover, ending, mounting
from agent.kernel.fanotify import FanotifyGroups
from agent.kernel.mountinfo import Device
from agent.kernel.start_time import start_time
from agent.registry.rows.areas import AreaRow
from agent.registry.rows.volumes import VolumeRow
from agent.runtime.failures import going_on, to_stderr
from agent.site.context import SiteContext
from agent.volumes import guarding
from agent.volumes.protection import Protection
from agent.volumes.staging import StagedVolume, Staging, VolumeSource
from agent.volumes.status import guarded_by
from rules.text import Text
from rules.visible import visible

_AGAIN = 30.0  # seconds between two tries of what has failed
_STAGING = 120.0  # seconds a filesystem may take to be mounted: its journal is replayed
_OURS = 15.0  # seconds for a watcher or a canary of ours to let go, on a machine under load
_GOING = 3.0  # seconds for a filesystem to go when nobody holds it, or for a process that was ended


class VolumeOutcome(NamedTuple):
    """What has become of what was wanted at an instant; ``error`` is empty when it was brought about."""

    at: datetime
    error: Text | None = None
    hint: Text | None = None
    use: DiskUse | None = None


class HideRequest(NamedTuple):
    """A volume to be let go of. ``end``: end who holds it, but for the processes ``spared``."""

    row: VolumeRow
    devices: frozenset[Device]
    areas: tuple[str, ...]
    end: bool = False
    spared: frozenset[int] = frozenset()
    forget: bool = False


class _Staged(NamedTuple):
    """A volume that nobody sees, and which wish it was prepared for."""

    volume: StagedVolume
    since: datetime


class VolumeKeeper:
    """The volumes of one agent. *look* brings every area under guard that can be."""

    def __init__(
        self,
        site: SiteContext,
        decider: DeciderClient,
        groups: FanotifyGroups | None,
        protection: Protection,
        watcher: WatcherClient,
        look: Callable[[], None],
    ) -> None:
        self._site = site
        self._decider = decider
        self._groups = groups
        self._protection = protection
        self._watcher = watcher
        self._look = look
        self._staged: dict[str, _Staged] = {}
        self._stagings: dict[str, Staging] = {}  # given up, and not over
        self._outcomes: dict[str, VolumeOutcome] = {}
        self._requests: dict[str, HideRequest] = {}
        self._changed = threading.Condition()
        self._woken = False
        self._stopping = False

    def start(self, beside: Sequence[AreaRow] = ()) -> None:
        """Keep hidden what is to be: before any area is brought under guard. Raises :class:`ShoumiError`.

        *beside* are areas that the registry does not know (:meth:`agent.control.mount_chore.MountChore.start`).
        """
        rows = (*self._site.facts.areas(), *beside)
        for row in self._site.lists.volumes.all():
            if row.wanted == "hidden":
                names = {area.resource.id: hidden_finding(row) for area in on_volume(row.point, rows)}
                self._protection.hide(names, rows)

    def stop(self) -> None:
        """End :meth:`serve`. For any thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def close(self) -> None:
        """Let go of what nobody has seen."""
        for point in [*self._staged]:
            self._drop(point)

    def wake(self) -> None:
        """Have :meth:`serve` look now. For any thread."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def hide(self, row: VolumeRow, *, end: bool, spared: frozenset[int], forget: bool) -> None:
        """Close the areas on a volume at once, and have it let go of. For any thread. Raises :class:`ShoumiError`."""
        rows = self._site.facts.areas()
        areas = tuple(area.resource.id for area in on_volume(row.point, rows))
        devices = self._devices(row, areas)
        self._protection.hide({name: hidden_finding(row) for name in areas}, rows)
        if not areas and mounted_at(row.point):
            mounting.hide(row.point)
        with self._changed:
            self._requests[row.point] = HideRequest(row, devices, areas, end, spared, forget)
        self.wake()

    def outcome(self, point: str, at: datetime) -> VolumeOutcome | None:
        """Return what has become of what was wanted of the volume at *point* at that instant. For any thread."""
        found = self._outcomes.get(point)
        return found if found is not None and found.at >= at else None

    def trouble(self, row: VolumeRow) -> VolumeOutcome | None:
        """Return why what is wanted has not come about, if it has not. For any thread."""
        found = self.outcome(row.point, row.at)
        return found if found is not None and found.error is not None else None

    def is_staged(self, point: str) -> bool:
        """Whether the volume for *point* is mounted where nobody sees it. For any thread."""
        return point in self._staged

    def serve(self) -> None:
        """Bring about what is wanted until :meth:`stop`."""
        while not self._stopping:
            with going_on(to_stderr("volumes")):
                self.step()
            with self._changed:
                if not self._woken and not self._stopping:
                    self._changed.wait(_AGAIN)
                self._woken = False

    def step(self) -> None:
        """Bring about what is wanted and has not come about yet. Raises :class:`ShoumiError`."""
        with self._changed:
            requests, self._requests = self._requests, {}
        for request in requests.values():
            self._try(request.row, lambda request=request: self._let_go(request))  # type: ignore[misc]
        for row in self._site.lists.volumes.all():
            known = self.outcome(row.point, row.at)
            if row.point in self._requests or (known is not None and known.error is None):
                if row.wanted == "hidden" and row.uuid:
                    with contextlib.suppress(ShoumiError):  # whoever held it may have let go since
                        luks.close_device(row.uuid)
                continue
            if row.wanted == "hidden":
                self._try(row, lambda row=row: self._go_on_hiding(row))  # type: ignore[misc]
            else:
                self._try(row, lambda row=row: self._bring(row))  # type: ignore[misc]

    def _try(self, row: VolumeRow, work: Callable[[], DiskUse | None]) -> None:
        before = self._outcomes.get(row.point)
        try:
            found = VolumeOutcome(row.at, use=work())
        except TimeoutError:
            slow = Text(f"`{visible(row.device)}` does not answer", f"`{visible(row.device)}` 没有响应")
            found = VolumeOutcome(row.at, slow, Text("it is tried again", "将自动重试"))
        except ShoumiError as error:
            found = VolumeOutcome(row.at, error.text, error.hint)
        except OSError as error:
            said = visible(f"{error.filename or row.device}: {error.strerror or error}")
            found = VolumeOutcome(row.at, Text(f"`{said}`", f"`{said}`"))
        self._outcomes[row.point] = found
        if before is None or (before.at, before.error) != (found.at, found.error):
            state = "failed" if found.error else row.wanted
            fields = {"kind": "volume", "state": state, "path": row.point, "device": row.device}
            said_why = {"reason": found.error.to_json()} if found.error else {}
            with contextlib.suppress(ShoumiError):  # the act has its entry; this one says what came of it
                self._decider.append({**fields, **said_why})

    def _bring(self, row: VolumeRow) -> None:
        there = mounted_at(row.point)
        if there is not None:
            known = number(there.device) in opening.numbers(row.device, row.uuid)
            if not known or row.wanted == "attached":
                shown = visible(row.point)
                raise RefusedError(
                    Text(f"something is mounted at `{shown}` already", f"`{shown}` 上已有挂载"),
                    Text(
                        f"umount {shown} (stop the agent first where a cover comes back), then publish it again",
                        f"umount {shown}（遮蔽反复出现时先停止代理），随后重新公开",
                    ),
                )
        elif row.point not in self._staged or (row.wanted == "attached" and self._staged[row.point].since != row.at):
            self._drop(row.point)
            self._staged[row.point] = self._stage(row)
        if row.wanted == "published":
            self._publish(row)

    def _stage(self, row: VolumeRow) -> _Staged:
        if self._groups is None:
            raise RefusedError(Text("a rehearsal guards nothing", "演练不保护任何内容"))
        if (slow := self._stagings.get(row.point)) is not None and not slow.over:
            raise TimeoutError
        opened = opening.open_disk(row.device, row.uuid, row.key_file)
        staged, done = None, False
        try:
            _refuse_mounted(row, opened.node)
            source = VolumeSource(opened.node, opened.fstype, row.options)
            staging = self._stagings[row.point] = Staging(self._groups, self._protection, source, row.point)
            staged = staging.result(_STAGING)
            del self._stagings[row.point]
            with self._protection.turn:
                if owner := self._protection.locks.adopt(staged.device):
                    raise guarded_by(owner)
            done = True
            return _Staged(staged, row.at)
        finally:
            opened.close()
            if not done:
                if staged is not None:
                    staged.close()
                    self._abandon(staged.device)
                if opened.container:
                    with contextlib.suppress(ShoumiError):  # somebody holds it; it is found open next time
                        luks.close_device(opened.container)

    def _drop(self, point: str) -> None:
        if (staged := self._staged.pop(point, None)) is not None:
            staged.volume.close()
            self._abandon(staged.volume.device)

    def _abandon(self, device: Device) -> None:
        """Let another agent have the filesystem, or whatever gets its number next; not while it is still ours."""
        with self._protection.turn:
            if not self._is_marked(device):
                self._protection.locks.abandon(device)

    def _publish(self, row: VolumeRow) -> None:
        areas = [area.resource.id for area in on_volume(row.point, self._site.facts.areas())]
        self._protection.show(areas)
        staged = self._staged.get(row.point)
        if staged is not None:
            staged.volume.publish()
            del self._staged[row.point]
        self._look()
        there = mounted_at(row.point)
        if not areas and there is not None and self._is_marked(there.device):
            mounting.unhide(row.point)  # nothing on it is an area yet; it is marked all the same
        found = [self._protection.now[name] for name in areas if name in self._protection.now]
        if found and all(area.tier == "none" for area in found):
            reasons = [finding for area in found for finding in area.findings]
            why = reasons[0].text if reasons else Text("nothing says why", "原因不明")
            raise RefusedError(
                Text(f"it is mounted and stays covered: {why.en}", f"已挂载但仍被遮蔽：{why.zh}"),
                reasons[0].hint if reasons else None,
            )

    def _go_on_hiding(self, row: VolumeRow) -> DiskUse:
        """Go on with what an earlier control process has begun: only while the filesystem still carries our mark."""
        areas = tuple(area.resource.id for area in on_volume(row.point, self._site.facts.areas()))
        devices = frozenset(device for device in self._devices(row, areas) if self._is_marked(device))
        return self._let_go(HideRequest(row, devices, areas))

    def _let_go(self, request: HideRequest) -> DiskUse:
        row, rows = request.row, self._site.facts.areas()
        self._drop(row.point)
        # Again: it may have been on its way to its place when it was hidden, and be there only now.
        self._protection.hide({name: hidden_finding(row) for name in request.areas}, rows)
        request = request._replace(devices=request.devices | self._devices(row, request.areas))
        numbers = frozenset(map(number, request.devices))
        if request.end:
            self._end_holders(request, numbers)
        for device in request.devices:
            with mounting.pinned(device) as mounted:
                if mounted and (self._is_marked(device) or self._is_own(row, device)):
                    mounting.unmount_filesystem(device)
        self._watcher.look()
        self._await_end(row, request.devices)
        if row.uuid and luks.node_of(row.uuid):
            with contextlib.suppress(ShoumiError):  # its holders are named below
                luks.close_device(row.uuid)
                self._await_end(row, request.devices)
        for device in request.devices:
            self._abandon(device)
        if request.forget:
            self._protection.show(request.areas)
        return use_of(self._held(row, request.devices))

    def _await_end(self, row: VolumeRow, devices: frozenset[Device]) -> None:
        """Wait a while for the filesystem to go; longer when only the agent itself holds it, which it soon does not."""
        for patience in (_GOING, _OURS):
            deadline = time.monotonic() + patience
            while self._is_held(row, devices):
                if time.monotonic() > deadline:
                    break
                time.sleep(0.02)  # the kernel tells nobody when a filesystem has gone
            else:
                return
            ours = our_processes()
            if any(one.pid not in ours for one in use_of(self._held(row, devices)).holders if one.how != "stacked"):
                return

    def _end_holders(self, request: HideRequest, numbers: frozenset[int]) -> None:
        use = use_of(numbers, our_processes())
        doomed = {one.pid: one for one in use.holders if one.how != "mount" and one.pid > 1}
        started = {pid: start_time(pid) for pid in doomed if pid not in request.spared}
        shown = [one._asdict() for one in use.holders[:20]]
        self._decider.append(
            {"kind": "volume", "state": "ending", "path": request.row.point, "device": request.row.device}
            | {"holders": shown, "ended": len(started)}
        )
        for pid, begun in started.items():
            ending.end(pid, begun)
        deadline = time.monotonic() + _GOING
        while any(start_time(pid) == begun for pid, begun in started.items()) and time.monotonic() < deadline:
            time.sleep(0.01)

    def _devices(self, row: VolumeRow, areas: tuple[str, ...]) -> frozenset[Device]:
        """Return the filesystems meant by a volume: its own if mounted there, what is staged, what was seen last.

        Somebody else's filesystem at its place is none of them, because what is meant is unmounted wherever it stands.
        """
        found = set()
        there = mounted_at(row.point)
        if there is not None and (self._is_marked(there.device) or self._is_own(row, there.device)):
            found.add(there.device)
        if (staged := self._staged.get(row.point)) is not None:
            found.add(staged.volume.device)
        for place in cover.read_list(self._site.home.covers):
            if place.area in areas and self._is_marked(place.device):
                found.add(place.device)
        return frozenset(found)

    def _held(self, row: VolumeRow, devices: frozenset[Device]) -> frozenset[int]:
        """Return the devices of a volume that is let go of; the number of a loop device may be another's by now."""
        alive = {number(device) for device in devices if self._is_marked(device)}
        return opening.numbers(row.device, row.uuid) | alive

    def _is_held(self, row: VolumeRow, devices: frozenset[Device]) -> bool:
        """Whether one of these filesystems lives, or its device is still being given back: of a container the inner."""
        inner = luks.node_of(row.uuid) if row.uuid else None
        numbers = opening.numbers(inner, "") if inner else self._held(row, devices)
        return any(map(self._is_marked, devices)) or not all(map(is_free, numbers))

    def _is_own(self, row: VolumeRow, device: Device) -> bool:
        return number(device) in opening.numbers(row.device, row.uuid)

    def _is_marked(self, device: Device) -> bool:
        return self._groups is not None and number(device) in guarding.marked(self._groups.open)


def hidden_finding(row: VolumeRow) -> Finding:
    """Say that a volume is hidden, by whom and since when."""
    point, by, since = visible(row.point), visible(row.by), local(row.at.isoformat())
    return Finding(
        "warning",
        "hidden",
        Text(f"the volume at `{point}` is hidden by {by} since {since}", f"`{point}` 的卷自 {since} 起由 {by} 隐藏"),
        Text(f"shoumi volume publish {point}", f"shoumi volume publish {point}"),
    )


def _refuse_mounted(row: VolumeRow, node: str) -> None:
    """Refuse a volume that somebody sees already: nobody could vouch for who opened what."""
    seen = holders.mounted_at(Path(node).stat().st_rdev)
    if seen:
        shown = visible(row.device)
        raise RefusedError(
            Text(f"`{shown}`: {seen[0].text().en}", f"`{shown}`：{seen[0].text().zh}"),
            Text("unmount it there first", "请先在该处卸载"),
        )

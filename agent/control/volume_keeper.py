"""Volume keeper: mounts and releases volumes as requested, and keeps the outcome.

    attached    open the disk → mount it out of sight → mark it → cover it
    published   the same, then: move it beneath the cover → prove → uncover
    hidden      cover (in the act) → end holders, if requested → unmount → watcher releases → close the container

Rules of this file: every step can be repeated, after a failure, a crash or a start; a disk that is not present yet is
retried. Manual mounts and unmounts by an administrator afterwards are left as they are. Marks are never removed from a
volume: they vanish with its filesystem when no process holds it any more. Belongs to one thread, except for methods
whose first line says otherwise.
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
from rules.text import Message, Sentence, foreign
from rules.visible import visible

_AGAIN = 30.0  # seconds between two attempts after a failure
_STAGING = 120.0  # seconds for mounting a filesystem, whose journal may be replayed
_OURS = 15.0  # seconds for a watcher or a canary of the agent to release it, under load
_GOING = 3.0  # seconds for an unheld filesystem to vanish, or for a killed process to end


class VolumeOutcome(NamedTuple):
    """Outcome of the state wanted at an instant; ``error`` is ``None`` on success."""

    at: datetime
    error: Sentence | None = None
    hint: Sentence | None = None
    use: DiskUse | None = None


class HideRequest(NamedTuple):
    """A volume to release. ``end``: end its holders, except the processes ``spared``."""

    row: VolumeRow
    devices: frozenset[Device]
    areas: tuple[str, ...]
    end: bool = False
    spared: frozenset[int] = frozenset()
    forget: bool = False


class _Staged(NamedTuple):
    """A volume mounted out of sight, and the time of the request behind it."""

    volume: StagedVolume
    since: datetime


class VolumeKeeper:
    """The volumes of one agent. *bring_up* brings every possible area under guard."""

    def __init__(
        self,
        site: SiteContext,
        decider: DeciderClient,
        groups: FanotifyGroups | None,
        protection: Protection,
        watcher: WatcherClient,
        bring_up: Callable[[], None],
    ) -> None:
        self._site = site
        self._decider = decider
        self._groups = groups
        self._protection = protection
        self._watcher = watcher
        self._bring_up = bring_up
        self._staged: dict[str, _Staged] = {}
        self._stagings: dict[str, Staging] = {}  # timed out, and not finished
        self._outcomes: dict[str, VolumeOutcome] = {}
        self._requests: dict[str, HideRequest] = {}
        self._changed = threading.Condition()
        self._woken = False
        self._stopping = False

    def start(self, log_only: Sequence[AreaRow] = ()) -> None:
        """Hide the volumes that are to be hidden, before any area is guarded. Raises :class:`ShoumiError`.

        *log_only*: areas that the registry does not know (:meth:`agent.control.mount_chore.MountChore.start`).
        """
        rows = (*self._site.facts.areas(), *log_only)
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
        """Release the volumes mounted out of sight."""
        for point in [*self._staged]:
            self._drop(point)

    def wake(self) -> None:
        """Wake :meth:`serve`. For any thread."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def hide(self, row: VolumeRow, *, end: bool, spared: frozenset[int], forget: bool) -> None:
        """Close the areas on a volume, and schedule its release. For any thread. Raises :class:`ShoumiError`."""
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
        """Return the outcome of the request of that instant for the volume at *point*. For any thread."""
        latest = self._outcomes.get(point)
        return latest if latest is not None and latest.at >= at else None

    def trouble(self, row: VolumeRow) -> VolumeOutcome | None:
        """Return the failed outcome of the wanted state, ``None`` without failure. For any thread."""
        outcome = self.outcome(row.point, row.at)
        return outcome if outcome is not None and outcome.error is not None else None

    def is_staged(self, point: str) -> bool:
        """Return whether the volume for *point* is mounted out of sight. For any thread."""
        return point in self._staged

    def serve(self) -> None:
        """Bring about the wanted states until :meth:`stop`."""
        while not self._stopping:
            with going_on(to_stderr("volumes")):
                self.step()
            with self._changed:
                if not self._woken and not self._stopping:
                    self._changed.wait(_AGAIN)
                self._woken = False

    def step(self) -> None:
        """Bring about the wanted states that are still missing. Raises :class:`ShoumiError`."""
        with self._changed:
            requests, self._requests = self._requests, {}
        for request in requests.values():
            self._try(request.row, lambda request=request: self._let_go(request))  # type: ignore[misc]
        for row in self._site.lists.volumes.all():
            outcome = self.outcome(row.point, row.at)
            if row.point in self._requests or (outcome is not None and outcome.error is None):
                if row.wanted == "hidden" and row.uuid:
                    with contextlib.suppress(ShoumiError):  # its holders may have released it since
                        luks.close_device(row.uuid)
                continue
            if row.wanted == "hidden":
                self._try(row, lambda row=row: self._go_on_hiding(row))  # type: ignore[misc]
            else:
                self._try(row, lambda row=row: self._bring(row))  # type: ignore[misc]

    def _try(self, row: VolumeRow, work: Callable[[], DiskUse | None]) -> None:
        before = self._outcomes.get(row.point)
        try:
            outcome = VolumeOutcome(row.at, use=work())
        except TimeoutError:
            slow = Message("control.device-not-responding", device=row.device)
            outcome = VolumeOutcome(row.at, slow, Message("control.retry-automatic"))
        except ShoumiError as error:
            outcome = VolumeOutcome(row.at, error.text, error.hint)
        except OSError as error:
            cause = visible(f"{error.filename or row.device}: {error.strerror or error}")
            outcome = VolumeOutcome(row.at, foreign(f"`{cause}`"))
        self._outcomes[row.point] = outcome
        if before is None or (before.at, before.error) != (outcome.at, outcome.error):
            state = "failed" if outcome.error else row.wanted
            fields = {"kind": "volume", "state": state, "path": row.point, "device": row.device}
            said_why = {"reason": outcome.error.to_json()} if outcome.error else {}
            with contextlib.suppress(ShoumiError):  # the act has its own entry; this one records the outcome
                self._decider.append({**fields, **said_why})

    def _bring(self, row: VolumeRow) -> None:
        mount = mounted_at(row.point)
        if mount is not None:
            is_same = number(mount.device) in opening.numbers(row.device, row.uuid)
            if not is_same or row.wanted == "attached":
                shown_point = visible(row.point)
                raise RefusedError(
                    Message("control.mount-point-occupied", point=shown_point),
                    Message("control.unmount-and-publish", point=shown_point),
                )
        elif row.point not in self._staged or (row.wanted == "attached" and self._staged[row.point].since != row.at):
            self._drop(row.point)
            self._staged[row.point] = self._stage(row)
        if row.wanted == "published":
            self._publish(row)

    def _stage(self, row: VolumeRow) -> _Staged:
        if self._groups is None:
            raise RefusedError(Message("control.rehearsal-cannot-guard"))
        if (slow := self._stagings.get(row.point)) is not None and not slow.over:
            raise TimeoutError
        opened = opening.open_disk(row.device, row.uuid, row.key_file)
        staged, complete = None, False
        try:
            _refuse_mounted(row, opened.node)
            source = VolumeSource(opened.node, opened.fstype, row.options)
            staging = self._stagings[row.point] = Staging(self._groups, self._protection, source, row.point)
            staged = staging.result(_STAGING)
            del self._stagings[row.point]
            with self._protection.turn:
                if owner := self._protection.locks.adopt(staged.device):
                    raise guarded_by(owner)
            complete = True
            return _Staged(staged, row.at)
        finally:
            opened.close()
            if not complete:
                if staged is not None:
                    staged.close()
                    self._abandon(staged.device)
                if opened.container:
                    with contextlib.suppress(ShoumiError):  # a process holds it; the next attempt finds it open
                        luks.close_device(opened.container)

    def _drop(self, point: str) -> None:
        if (staged := self._staged.pop(point, None)) is not None:
            staged.volume.close()
            self._abandon(staged.volume.device)

    def _abandon(self, device: Device) -> None:
        """Release the lock on the filesystem's device number, unless the filesystem still carries our mark."""
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
        self._bring_up()
        mount = mounted_at(row.point)
        if not areas and mount is not None and self._is_marked(mount.device):
            mounting.unhide(row.point)  # it has no area yet, but is marked
        protected = [self._protection.now[name] for name in areas if name in self._protection.now]
        if protected and all(area.tier == "none" for area in protected):
            reasons = [finding for area in protected for finding in area.findings]
            reason = reasons[0].text if reasons else Message("control.reason-unknown")
            raise RefusedError(
                Message("control.volume-stays-covered", reason=reason),
                reasons[0].hint if reasons else None,
            )

    def _go_on_hiding(self, row: VolumeRow) -> DiskUse:
        """Continue the hiding begun by an earlier control process, while the filesystem carries our mark."""
        areas = tuple(area.resource.id for area in on_volume(row.point, self._site.facts.areas()))
        devices = frozenset(device for device in self._devices(row, areas) if self._is_marked(device))
        return self._let_go(HideRequest(row, devices, areas))

    def _let_go(self, request: HideRequest) -> DiskUse:
        row, rows = request.row, self._site.facts.areas()
        self._drop(row.point)
        # Hide again: the volume may have been moved into place only after it was hidden.
        self._protection.hide({name: hidden_finding(row) for name in request.areas}, rows)
        request = request._replace(devices=request.devices | self._devices(row, request.areas))
        numbers = frozenset(map(number, request.devices))
        if request.end:
            self._end_holders(request, numbers)
        for device in request.devices:
            with mounting.pinned(device) as mounted:
                if mounted and (self._is_marked(device) or self._is_own(row, device)):
                    mounting.unmount_filesystem(device)
        self._watcher.check_mounts()
        self._await_end(row, request.devices)
        if row.uuid and luks.node_of(row.uuid):
            with contextlib.suppress(ShoumiError):  # the return value lists its holders
                luks.close_device(row.uuid)
                self._await_end(row, request.devices)
        for device in request.devices:
            self._abandon(device)
        if request.forget:
            self._protection.show(request.areas)
        return use_of(self._held(row, request.devices))

    def _await_end(self, row: VolumeRow, devices: frozenset[Device]) -> None:
        """Wait for the filesystem to vanish; longer when only the agent itself holds it, which ends soon."""
        for patience in (_GOING, _OURS):
            deadline = time.monotonic() + patience
            while self._is_held(row, devices):
                if time.monotonic() > deadline:
                    break
                time.sleep(0.02)  # the kernel gives no notice when a filesystem vanishes
            else:
                return
            ours = our_processes()
            if any(
                holder.pid not in ours for holder in use_of(self._held(row, devices)).holders if holder.how != "stacked"
            ):
                return

    def _end_holders(self, request: HideRequest, numbers: frozenset[int]) -> None:
        use = use_of(numbers, our_processes())
        doomed = {holder.pid: holder for holder in use.holders if holder.how != "mount" and holder.pid > 1}
        started = {pid: start_time(pid) for pid in doomed if pid not in request.spared}
        named = [holder._asdict() for holder in use.holders[:20]]
        self._decider.append(
            {"kind": "volume", "state": "ending", "path": request.row.point, "device": request.row.device}
            | {"holders": named, "ended": len(started)}
        )
        for pid, begun in started.items():
            ending.end(pid, begun)
        deadline = time.monotonic() + _GOING
        while any(start_time(pid) == begun for pid, begun in started.items()) and time.monotonic() < deadline:
            time.sleep(0.01)

    def _devices(self, row: VolumeRow, areas: tuple[str, ...]) -> frozenset[Device]:
        """Return the filesystems of a volume: its own if mounted there, the staged one, the last covered one.

        Another filesystem at its mount point is not included, because these are unmounted wherever they are.
        """
        filesystems = set()
        mount = mounted_at(row.point)
        if mount is not None and (self._is_marked(mount.device) or self._is_own(row, mount.device)):
            filesystems.add(mount.device)
        if (staged := self._staged.get(row.point)) is not None:
            filesystems.add(staged.volume.device)
        for place in cover.read_list(self._site.home.covers):
            if place.area in areas and self._is_marked(place.device):
                filesystems.add(place.device)
        return frozenset(filesystems)

    def _held(self, row: VolumeRow, devices: frozenset[Device]) -> frozenset[int]:
        """Return the device numbers of a volume under release; a loop device number may be reused by now."""
        alive = {number(device) for device in devices if self._is_marked(device)}
        return opening.numbers(row.device, row.uuid) | alive

    def _is_held(self, row: VolumeRow, devices: frozenset[Device]) -> bool:
        """Return whether one of these filesystems exists, or its device (the inner one of a container) is in use."""
        inner = luks.node_of(row.uuid) if row.uuid else None
        numbers = opening.numbers(inner, "") if inner else self._held(row, devices)
        return any(map(self._is_marked, devices)) or not all(map(is_free, numbers))

    def _is_own(self, row: VolumeRow, device: Device) -> bool:
        return number(device) in opening.numbers(row.device, row.uuid)

    def _is_marked(self, device: Device) -> bool:
        return self._groups is not None and number(device) in guarding.marked(self._groups.open)


def hidden_finding(row: VolumeRow) -> Finding:
    """Return the finding that a volume is hidden, by whom and since when."""
    point, officer, since = visible(row.point), _officer(row.by), local(row.at.isoformat())
    return Finding(
        "warning",
        "hidden",
        Message("control.volume-hidden", point=point, officer=officer, since=since),
        Message("control.publish-volume", point=point),
    )


def _officer(name: str) -> Sentence | str:
    """Return the officer as a person reads it: a bare account is stored as ``uid:N``."""
    return Message("control.uid", uid=name.removeprefix("uid:")) if name.startswith("uid:") else visible(name)


def _refuse_mounted(row: VolumeRow, node: str) -> None:
    """Refuse a volume that is mounted already: earlier opens could not be accounted for."""
    mounts = holders.mounted_at(Path(node).stat().st_rdev)
    if mounts:
        shown_device = visible(row.device)
        raise RefusedError(
            Message("common.named", name=shown_device, text=mounts[0].text()),
            Message("control.unmount-first"),
        )

"""Label chore: sweeps, relabelling, sealing and scans of volumes, in the background at low priority.

    areas that wait for a sweep → relabel requests of officers → volumes not sealed yet → scans

A dedicated volume is *sealed* when a walk over all of it found no file with content and without a label; an act of the
agent records that in the registry. From then on such a file can only have lost its label, or have been placed there
while no agent ran; access to it is denied, and a scan finds it even if no one opens it.

Rules of this file: it needs no verdict and opens no file. A scan labels only files without content, or files in an area
that were public before. Each result is an entry and a finding. Belongs to one thread, except :meth:`sealable`,
:meth:`sealable_with`, :meth:`relabel` and :meth:`relabelling`.
"""

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.control.decider_client import DeciderClient
from agent.errors import ShoumiError
from agent.kernel import labels
from agent.kernel.fanotify import FanotifyGroups
from agent.kernel.mountinfo import within
from agent.kernel.open_files import held
from agent.kernel.private_mount import doorway
from agent.language.catalogue import localized
from agent.registry.rows.areas import AreaRow
from agent.runtime.failures import going_on, to_stderr
from agent.runtime.time_share import TimeShare
from agent.site.context import SiteContext
from agent.volumes import status, whole_volume
from agent.volumes.label_rules import Tour
from agent.volumes.label_tour import TourCounts, tour
from agent.volumes.protection import Protection
from agent.volumes.whole_volume import WholeVolume

_LOW = 10  # nice(2)
_REST = 0.25  # seconds of pause between two stretches of a scan, each as long: no caller waits for it
_AGAIN = 60.0  # seconds until an incomplete walk is repeated
_PASSES = 4  # walks over a volume in one step
_KEPT = 64  # relabel requests whose outcome is kept
_PARTS = 20  # at most one part in this many of the time goes into listing volumes


@dataclass(slots=True)
class RelabelJob:
    """An officer's request to relabel everything below ``path``, and its progress."""

    number: int
    path: str
    counts: TourCounts = field(default_factory=TourCounts)
    trouble: str = ""
    ended: bool = False


class LabelChore:
    """Labels in the background. *every* is the number of seconds between two scans of a volume."""

    def __init__(self, site: SiteContext, decider: DeciderClient, protection: Protection, every: float) -> None:
        self._site = site
        self._decider = decider
        self._protection = protection
        self._every = every
        self._share = TimeShare(_PARTS)
        self._area_rows: tuple[int, tuple[AreaRow, ...]] | None = None  # at which epoch
        self._due: dict[int, float] = {}  # when a volume is walked over next (monotonic), by its device
        self._sealable: dict[str, int] = {}  # area → device of its volume
        self._jobs: dict[int, RelabelJob] = {}
        self._requested: deque[RelabelJob] = deque()
        self._turn = threading.Lock()
        self._stop = threading.Event()

    def stop(self) -> None:
        """Stop the work under way, from any thread; it restarts at the next start."""
        self._protection.sweeps.stop()
        self._stop.set()

    def step(self) -> None:
        """Do the pending work. Raises ``OSError`` and :class:`agent.errors.ShoumiError`; the next step continues."""
        _give_way()
        for name, device in list(
            self._sealable.items()
        ):  # before a sweep of another volume with the same device number
            if not self._is_there(name, device):
                self._sealable.pop(name, None)
        self._protection.sweep_waiting()
        groups = self._protection.groups
        if groups is None or self._stop.is_set():
            return
        while self._requested:
            self._relabel(groups, self._requested.popleft())
        began = time.monotonic()
        if self._share.rests(began):
            return
        rows = self._rows()
        volumes = whole_volume.find(self._protection.plans, self._guarded(), rows)
        self._share.spent(began, time.monotonic())
        for volume in volumes:
            if volume.dedicated and not self._stop.is_set():
                with going_on(to_stderr("control")):
                    self._look_after(groups, volume, rows)

    def sealable(self) -> tuple[str, ...]:
        """Return the areas whose volume has a label on every inode and is not recorded as sealed yet."""
        return tuple(name for name, device in list(self._sealable.items()) if self._is_there(name, device))

    def sealable_with(self, area: str) -> frozenset[str]:
        """Return those of :meth:`sealable` on the volume of *area*, including *area* if it is sealable."""
        device = self._sealable.get(area)
        names = [name for name, other_device in list(self._sealable.items()) if other_device == device]
        return frozenset(name for name in names if device is not None and self._is_there(name, device))

    def sealed(self, areas: Iterable[str]) -> None:
        """Record that the registry has *areas* as sealed now."""
        for area in areas:
            self._sealable.pop(area, None)

    # Requests of officers.

    def relabel(self, path: str) -> int:
        """Queue the labelling of everything below *path* without a valid label; return the request number."""
        with self._turn:
            number = max(self._jobs, default=0) + 1
            job = self._jobs[number] = RelabelJob(number, path)
            for old in [ended_number for ended_number, earlier in self._jobs.items() if earlier.ended][
                : max(0, len(self._jobs) - _KEPT)
            ]:
                del self._jobs[old]
        self._requested.append(job)
        return number

    def relabelling(self, number: int) -> RelabelJob | None:
        """Return the job of a request, ``None`` for an unknown or forgotten one."""
        return self._jobs.get(number)

    def preview(self, path: str) -> Iterator[TourCounts]:
        """Yield the counts that :meth:`relabel` would reach below *path*, without a change. Raises ``OSError``."""
        groups = self._protection.groups
        volume = self.volume_of(path)
        if groups is not None and volume is not None:
            yield from self._below(groups, volume, path, write=False)

    def volume_of(self, path: str) -> WholeVolume | None:
        """Return the guarded volume of *path* (absolute, without links); on a shared one only within areas."""
        volumes = whole_volume.find(self._protection.plans, self._guarded(), self._site.facts.areas())
        volume = whole_volume.around(path, volumes)
        if volume is not None and not volume.dedicated and not any(within(path, at) for at in volume.areas):
            return None
        with contextlib.suppress(OSError):
            return volume if volume and os.stat(path).st_dev == volume.st_dev else None  # noqa: PTH116 - any path
        return None

    def _rows(self) -> tuple[AreaRow, ...]:
        """Return every area, read again only after a change: there may be thousands, and this runs each second."""
        epoch = self._site.facts.epoch()
        if self._area_rows is None or self._area_rows[0] != epoch:
            self._area_rows = epoch, self._site.facts.areas()
        return self._area_rows[1]

    def _relabel(self, groups: FanotifyGroups, job: RelabelJob) -> None:
        try:
            volume = self.volume_of(job.path)
            if volume is None:
                raise FileNotFoundError(2, os.strerror(2), job.path)
            for counts in self._below(groups, volume, job.path, write=True):
                job.counts = counts
                if self._stop.is_set():
                    return
            fields = {"kind": "labels", "state": "relabelled", "path": job.path, "request": job.number}
            self._decider.append({**fields, "areas": list(volume.names), **job.counts.to_json()})
            self._decider.epoch(self._site.facts.epoch())
            self._due.pop(volume.st_dev, None)  # a scan reports the rest
        except (OSError, ShoumiError) as error:
            job.trouble = (
                localized(error.text, "en") if isinstance(error, ShoumiError) else error.strerror or str(error)
            )
        finally:
            job.ended = True

    def _below(self, groups: FanotifyGroups, volume: WholeVolume, path: str, *, write: bool) -> Iterator[TourCounts]:
        names = [row.resource.id for row in self._site.facts.areas()]
        with doorway(groups.open, groups.access, path) as inside:
            above = _label_above(path, volume)
            yield from tour(inside, path, volume.areas, names, "mend", above=above, write=write)

    # Sealing and scanning.

    def _look_after(self, groups: FanotifyGroups, volume: WholeVolume, rows: Sequence[AreaRow]) -> None:
        swept = all(
            self._protection.sweeps.have_swept(name, path, volume.st_dev) for path, name in _paths(volume, rows)
        )
        unsealed = self._unsealed(rows)
        sealed = [name for name in volume.names if name not in unsealed]
        if not volume.sealed:
            if swept and not any(name in self._sealable for name in volume.names) and self._is_due(volume):
                self._seal(groups, volume, rows)
            return
        if len(sealed) < len(volume.names):  # an area added while the volume was being sealed
            self._sealable.update({name: volume.st_dev for name in volume.names if name not in sealed})
        if self._is_due(volume):
            self._scan(groups, volume, rows)

    def _seal(self, groups: FanotifyGroups, volume: WholeVolume, rows: Sequence[AreaRow]) -> None:
        """Label the whole volume until a walk finds no unlabelled file with content."""
        for _ in range(_PASSES):
            counts = self._walk(groups, volume, rows, "seal")
            if counts is None:
                return
            self._label_held(volume)
            if not counts.complete:
                self._due[volume.st_dev] = time.monotonic() + _AGAIN
                self._tell_unsealed(volume, _first_trouble(counts))
                return
            if not counts.kinds["unlabelled"]:
                break
        else:  # files are moved faster than they are walked; the next step continues
            return
        self._protection.drop_findings(volume.names, status.UNSEALED)
        self._due[volume.st_dev] = time.monotonic() + self._every
        self._sealable.update(dict.fromkeys(volume.names, volume.st_dev))

    def _scan(self, groups: FanotifyGroups, volume: WholeVolume, rows: Sequence[AreaRow]) -> None:
        began = time.monotonic()
        counts = self._walk(groups, volume, rows, "scan", pause=_REST)
        if counts is None:
            return
        self._due[volume.st_dev] = time.monotonic() + (self._every if counts.complete else _AGAIN)
        fields = {"kind": "labels", "state": "scanned", "path": volume.point, "areas": list(volume.names)}
        alarm = {"alarm": True} if counts.wrong else {}
        took = round(time.monotonic() - began, 3)
        self._decider.append({**fields, **counts.to_json(), "seconds": took, **alarm})
        for kind, say in (("unlabelled", status.stripped), ("foreign", status.foreign)):
            first = next((path for first_kind, path in counts.first if first_kind == kind), volume.point)
            finding = say(volume.names[0], counts.kinds[kind], first, volume.point)
            self._protection.drop_findings(volume.names, finding.code)
            if counts.kinds[kind]:
                self._protection.add_finding(volume.names[0], finding)

    def _walk(
        self, groups: FanotifyGroups, volume: WholeVolume, rows: Sequence[AreaRow], kind: Tour, pause: float = 0.0
    ) -> TourCounts | None:
        """Return the counts of a walk over the whole volume; ``None`` if stopped, or no mount shows all of it."""
        if not volume.point:
            self._due[volume.st_dev] = time.monotonic() + _AGAIN
            self._tell_unsealed(volume, "")
            return None
        names = [row.resource.id for row in rows]
        counts = TourCounts()
        with doorway(groups.open, groups.access, volume.point) as inside:
            for counts in tour(inside, volume.point, volume.areas, names, kind):
                if self._stop.wait(0.0 if counts.ended else pause):
                    return None
        return counts

    def _label_held(self, volume: WholeVolume) -> None:
        """Label deleted files that processes still hold: no walk meets them."""
        for held_file in held({volume.st_dev}):
            with contextlib.suppress(OSError):
                inode = os.stat(held_file.link)  # noqa: PTH116 - follows to the inode without an open
                if not inode.st_nlink and labels.read(held_file.link, follow=True) is None:
                    path = str(Path(held_file.link).readlink()).removesuffix(" (deleted)")
                    area = next((area for at, area in volume.areas.items() if within(path, at)), labels.PUBLIC)
                    os.setxattr(held_file.link, labels.ATTRIBUTE, area.encode(), os.XATTR_CREATE)

    def _is_there(self, area: str, device: int) -> bool:
        """Return whether *area* is still on the volume that was walked, not on another one with the same number."""
        plan = self._protection.plans.get(area)
        return (
            plan is not None and plan.st_dev == device and self._protection.sweeps.have_swept(area, plan.path, device)
        )

    def _is_due(self, volume: WholeVolume) -> bool:
        return time.monotonic() >= self._due.get(volume.st_dev, 0.0)

    def _guarded(self) -> list[str]:
        return [name for name, protected in self._protection.now.items() if protected.tier != "none"]

    def _unsealed(self, rows: Sequence[AreaRow]) -> set[str]:
        return {row.resource.id for row in rows if row.volume.get("sealed") is not True}

    def _tell_unsealed(self, volume: WholeVolume, first: str) -> None:
        self._protection.drop_findings(volume.names, status.UNSEALED)
        self._protection.add_finding(volume.names[0], status.unsealed(volume.names[0], first))


def _give_way() -> None:
    """Lower the priority of this thread; never raise it."""
    thread = threading.get_native_id()
    with contextlib.suppress(OSError):  # without it the chore is only less polite
        if os.getpriority(os.PRIO_PROCESS, thread) < _LOW:
            os.setpriority(os.PRIO_PROCESS, thread, _LOW)


def _paths(volume: WholeVolume, rows: Sequence[AreaRow]) -> Iterator[tuple[str, str]]:
    names = frozenset(volume.names)
    return ((row.path, row.resource.id) for row in rows if row.resource.id in names)


def _first_trouble(counts: TourCounts) -> str:
    return counts.troubles[0].path if counts.troubles else ""


def _label_above(path: str, volume: WholeVolume) -> str:
    """Return the area that labels the nearest labelled folder above *path* on its volume, "" for none."""
    top = volume.point or next((at for at in volume.areas if within(path, at)), path)
    while path not in ("/", top):
        path = str(Path(path).parent)
        with contextlib.suppress(OSError):
            label = labels.read(path)
            if label is not None:
                return labels.area_of(label)
    return ""

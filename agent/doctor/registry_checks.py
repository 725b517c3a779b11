"""Checks of ``doctor`` on the registry, with or without a running agent. A gap names the step that closes it.

Rules of this file: reading only. Good states are reported too, in one line, so that no output never means good.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from agent.api.findings import Finding
from agent.kernel.open_files import HeldFile
from agent.log.verifier_supervisor import VerifiedState
from agent.registry.columns import moment
from agent.registry.queries.registry_queries import RegistryQueries
from agent.runtime.home import Home
from rules.pack.reader import Pack
from rules.text import Message, Text
from rules.visible import visible

_SOON = 14  # days
_LOG_ROOM = 1 << 30  # bytes; when the disk is full, every access is denied


def zone(pack: Pack, now: datetime) -> Iterator[Finding]:
    """Yield a finding when the time zones of host and pack differ: dates use the former, hours the latter."""
    host_offset = now.astimezone().utcoffset()
    if host_offset != pack.utc_offset:
        yield Finding(
            "warning",
            "zone",
            Message("doctor.time-zone-differs", host_offset=host_offset, utc_offset=pack.utc_offset),
            Message("doctor.align-time-zone"),
        )


def log_room(home: Home) -> Iterator[Finding]:
    """Yield the free disk space for the log: when the disk is full, every access is denied."""
    try:
        free = shutil.disk_usage(home.log).free
    except OSError as error:
        reason = visible(os.strerror(error.errno or 0))
        yield Finding("serious", "log", Message("doctor.log-folder-unusable", reason=reason))
        return
    gib = f"{free / (1 << 30):.1f} GiB"
    if free < _LOG_ROOM:
        yield Finding(
            "serious",
            "log-room",
            Message("doctor.log-space-low", gib=gib),
            Message("doctor.free-disk-space"),
        )
    else:
        yield Finding("good", "log-room", Message("doctor.log-space", gib=gib))


def log_whole(verified: VerifiedState) -> Iterator[Finding]:
    """Yield how far the log was verified, and its problems."""
    if verified.trouble:
        yield Finding("serious", "log", verified.trouble, Message("doctor.shoumi-log-verify"))
    elif verified.to is None:
        yield Finding(
            "warning",
            "log",
            Message("doctor.log-not-verified"),
            Message("doctor.shoumi-log-verify"),
        )
    else:
        yield Finding(
            "good",
            "log",
            Message("doctor.log-verified", to=verified.to),
        )


_BLIND = {
    "unfinished": Message("doctor.reads-checked-for-short-processes"),
    "ring": Message("doctor.reads-checked-for-ring"),
    "closed": Message("doctor.reads-checked-for-closed-ring"),
    "flight": Message("doctor.reads-checked-for-sockets"),
}


def blind(held_files: Iterable[HeldFile]) -> Iterator[Finding]:
    """Yield the processes because of which every read is checked (:mod:`agent.control.quiet_scan`)."""
    for pid, how in sorted({(file.pid, file.how if file.looked_into else "closed") for file in held_files}):
        yield Finding("warning", "reads-asked", _BLIND[how].about(pid=pid), Message("doctor.reads-slower"))


def expiring(lists: RegistryQueries, pack: Pack, now: datetime) -> Iterator[Finding]:
    """Yield the grants and records that end within two weeks."""
    soon = now + timedelta(days=_SOON)
    for row in lists.grants.find(now):
        if row["until"] and moment(str(row["until"])) <= soon:
            person, area, until = visible(str(row["person"])), visible(str(row["resource"])), str(row["until"])[:16]
            yield Finding(
                "warning",
                "grant-ends",
                Message("doctor.grant-ending", id=row["id"], person=person, area=area, until=until),
                Message("doctor.renew-grant"),
            )
    days = {kind: record.valid_days for kind, record in pack.records.items() if record.valid_days}
    if pack.records:
        for row in lists.records.due(now, _SOON, valid_days=days):
            person, kind, ends = visible(str(row["person"])), visible(str(row["kind"])), str(row["ends"])[:10]
            title = pack.records[str(row["kind"])].title if row["kind"] in pack.records else Text(kind, kind)
            yield Finding(
                "warning",
                "record-ends",
                Message("doctor.record-ending", title=title, person=person, ends=ends),
                Message("doctor.renew-record", person=person, kind=kind),
            )


def observing(areas: list[dict[str, object]]) -> Iterator[Finding]:
    """Yield the areas in observe mode, which block nothing."""
    for row in areas:
        if row["mode"] == "observe":
            name = visible(str(row["name"]))
            yield Finding(
                "warning",
                "observing",
                Message("doctor.area-observing", name=name),
                Message("doctor.shoumi-area-enforce", name=name),
            )

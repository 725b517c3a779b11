"""Rights end, the decider dies, the volume goes and comes: what of it is cut, and that nobody gets in by it.

Rules of this file: the people are those of the demo, on the demo's own site; each check leaves the site as it found it.
"""

import mmap
import os
import select
import signal
from collections.abc import Callable, Mapping
from typing import Any

from agent.demo import cast, cutting, remounting, traffic
from agent.demo.actors import acting, attempt, reading
from agent.demo.cast import DRAWINGS, LI, SUN, WANG, ZHANG, OfficerAct
from agent.demo.live import Live
from agent.demo.record import LogPosition
from agent.demo.shared import wait_until
from agent.demo.site import own_session
from agent.demo.stage import DemoStage
from rules.tiers import Use, cuts
from tests.long.guest_seen import Checks

_PATIENCE = 120.0

Say = Callable[[object], None]


def cut(checks: Checks, made: DemoStage, site: Live) -> None:
    """A level is lowered, which is no hold: each use is refused, or its process ended, as the tier promises."""
    tier = site.tiers[DRAWINGS.id]
    for use in Use:
        with checks.guarded(f"cut-{use}"):
            seen = _cut(made, site, use)
            checks.result.setdefault("cuts", {})[str(use)] = seen
            checks.check(f"cut-{use}", held=seen == ("refused" if cuts(tier, use) else "ended"), seen=seen)


def _cut(made: DemoStage, site: Live, use: Use) -> str:
    """Return what came of *use* when the right to it ended: ``refused``, ``ended`` (with its entry), or what else."""
    document = made.root / DRAWINGS.document
    waiting, opening = os.pipe()
    record = LogPosition(made.home.log)

    def act(say: Say) -> None:
        fd = os.open(document, os.O_RDWR if use is Use.WRITE else os.O_RDONLY)
        mapped = mmap.mmap(fd, 0, prot=mmap.PROT_READ) if use is Use.MAP else b""
        say(len(os.pread(fd, 64, 0)) + len(mapped[:1]))
        os.read(waiting, 1)
        if use is Use.READ:
            say(len(os.pread(fd, 64, 0)))
        elif use is Use.WRITE:
            say(os.pwrite(fd, b"#", 0))
        signal.pause()

    with acting(site.identity(own_session(ZHANG)), act) as actor:
        process = os.pidfd_open(actor.pid)
        try:
            if not (first := actor.next(_PATIENCE)).allowed:
                return f"not open: {first.error}"
            record.fresh()
            _level(site, "confidential")
            if cuts(site.tiers[DRAWINGS.id], use):
                os.write(opening, b".")
                said = actor.next(_PATIENCE)
                return "refused" if said.error == "EPERM" else f"went on: {said}"
            if not select.select([process], [], [], _PATIENCE)[0]:
                return "goes on"
            told = any(_tells(entry, actor.pid) for entry in record.fresh())
            return "ended" if told else "ended without an entry"
        finally:
            os.close(process)
            os.close(waiting)
            os.close(opening)
            _level(site, "secret")


def _tells(entry: Mapping[str, Any], pid: int) -> bool:
    """Whether an entry tells of the end of *pid*: of a look at all holders, or of the act that took the area."""
    if entry["kind"] == "holder-ended":
        return bool(entry["pid"] == pid)
    lost = entry.get("lost", {}).get("first", ())
    return any(one["person"] == ZHANG.id and DRAWINGS.id in one["areas"] for one in lost)


def _level(site: Live, level: str) -> None:
    site.act(OfficerAct("person.set", {"person": ZHANG.id, "domain": cast.DOMAIN, "level": [level]}))


def hold(checks: Checks, made: DemoStage, site: Live) -> None:
    """A hold while he reads: nothing is read that began after its acknowledgement, and his neighbour reads on."""
    person, reason = {"person": ZHANG.id}, {"reason": "岗位调查"}
    document = made.root / DRAWINGS.document
    reader, bystander = site.identity(own_session(ZHANG)), site.identity(own_session(SUN))
    try:
        seen = cutting.holding(
            document, reader, bystander, lambda: site.act(OfficerAct("hold.add", person | reason)), site.quiet
        )
    finally:
        site.act(OfficerAct("hold.lift", person | reason))
    checks.check("hold", held=seen.stopped and not seen.late and not seen.bystander_errors, seen=seen)


def kill(checks: Checks, made: DemoStage, site: Live) -> None:
    """SIGKILL of the decider in mid-traffic: nobody gets in who should not, and no access is without its entry."""
    cleared, others = ([site.identity(own_session(one)) for one in group] for group in ((ZHANG, SUN), (LI, WANG)))
    seen = traffic.killing(made, LogPosition(made.home.log), made.root / DRAWINGS.document, cleared, others)
    held = bool(seen.kills == seen.restarts and seen.allowed and seen.turned_away)
    checks.check("kill", held=held and not seen.leaked and not seen.unrecorded, seen=seen)


def remount(checks: Checks, made: DemoStage, site: Live) -> None:
    """umount and mount of the guarded volume: it is closed to whoever may not, from the first moment on."""
    document = made.root / DRAWINGS.document
    uncleared, cleared = site.identity(own_session(LI)), site.identity(own_session(ZHANG))
    remounting.remount(made)
    wrong = sum(attempt(uncleared, reading(document), _PATIENCE).allowed for _ in range(5))
    back = wait_until(lambda: attempt(cleared, reading(document), _PATIENCE).allowed, _PATIENCE)
    wrong += attempt(uncleared, reading(document), _PATIENCE).allowed
    checks.check("remount", held=back and not wrong, seen=f"{wrong} wrong opens; cleared {'in' if back else 'out'}")

"""One of everything: a registry with a bit of each kind, and a log entry of each kind with every code it can carry."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import get_args

from agent.api.operations import TABLE
from agent.api.roles import Role
from agent.disks.holders import DiskHolder, How
from agent.offboard.intake.notice import HrEvent
from agent.offboard.intake.reasons import REASONS
from agent.offboard.plan import Cause
from agent.offboard.progress import TITLES
from agent.offboard.warning.mail import Mailed
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.rooms.panel.effects import AlarmKind, Settled
from agent.volumes.canary.verdict import Outcome
from agent.volumes.label_tour import TourCounts
from rules.model import Action, Employment, Level, Passback, RoomRules
from rules.text import Text

FOLDERS = ("accepted", "rejected", "quarantine")  # where a notice of the personnel system ends up


def everything(change: RegistryTransaction) -> None:
    """Add to a furnished site what it lacks: at least one of each thing, in an odd state where there is one."""
    now = datetime.now(UTC)
    end = now + timedelta(days=1)
    for approver in ("M1", "M2", "M3", "M4", "M5"):
        change.people.add(approver, name="审批人", employment=Employment.OUTSOURCED)
    change.badges.add("4660", "E1001")
    change.badges.add("4661", "E1001")
    change.badges.mark_lost("4661")
    change.accounts.add(61_234, "E1001")
    change.pins.set("E1001", "472913", "613702")
    change.services.add("backup", uid=61_235, executable="/usr/bin/true", areas=["plans"])
    change.records.add("E1001", "training", on=now - timedelta(days=3), topic="保密")
    change.records.add("E1001", "vetting", on=now - timedelta(days=3), passed=False)
    rules = RoomRules(two_person=True, needs_purpose=True, anti_passback=Passback.HARD)
    change.rooms.add("vault", level=Level.SECRET, domain="state", custodian="E1001", rules=rules)
    readers = [("osdp+tcp://127.0.0.1:9/1", "in"), ("osdp+tcp://127.0.0.1:9/2", "out")]
    change.doors.add("vault", "vault", protocol="osdp", readers=readers, strike=readers[0][0])  # type: ignore[arg-type]
    change.presence.enter("vault", "E1001", door="vault")
    change.visits.add(
        "V1", "vault", host="E1001", escort="E1001", purpose="维修", since=now, until=end
    ) if False else None
    change.declarations.add("E1001", "vault", until=end, purpose="查档", devices="笔记本")
    change.alarms.add("forced", Text("forced", "强行打开"), room="vault", door="vault", person="E1001")
    change.boards.want_card("423187757", "4660", "put")
    change.holidays.add((now + timedelta(days=30)).date(), name="国庆")


def entries() -> Iterator[dict[str, object]]:
    """Yield an entry of every kind there is, with every code it can carry."""
    said, actor = {"en": "the reason", "zh": "说明原因"}, {"uid": 0, "gid": 0, "pid": 1, "loginuid": None}
    for action in Action:
        yield {"kind": "access", "action": action, "verdict": "allow", "mode": "enforce", "person": "E1001",
               "area": "plans", "level": "top-secret", "domain": "commercial", "exe": "/bin/cat"}  # fmt: skip
    for side, how in (("in", "card"), ("out", "pin"), ("out", "button")):
        yield {"kind": "door", "action": "enter", "verdict": "deny", "rule": "level", "room": "vault", "door": "vault",
               "side": side, "how": how, "secure": True, "released": "?", "reason": said}  # fmt: skip
    for outcome in get_args(Settled.__annotations__["outcome"]):
        yield {"kind": "door-released", "room": "vault", "door": "vault", "release": "7", "released": outcome}
    for alarm in AlarmKind:
        yield {"kind": "door-alarm", "what": alarm, "room": "vault", "silent": False, "reason": said}
        yield {"kind": "door-event", "what": f"{alarm}-over", "room": "vault"}
    for what in ("open", "close", "flood", "unknown-door", "earlier", "own-decision", "not-inside", "left", "reset",
                 "frames-dropped", "trouble", "state-lost", "process-ended"):  # fmt: skip
        yield {"kind": "door-event", "what": what, "room": "vault", "door": "vault", "reason": said}
    for number, (name, operation) in enumerate(TABLE.items()):
        outcome = ("done", "refused", "forbidden", "not-completed")[number % 4]
        args = {one.name: (one.choices or ("secret" if "level" in one.kind else "甲",))[0] for one in operation.params}
        yield {"kind": "act", "act": name, "actor": {**actor, "role": list(Role)[number % 4]}, "args": args,
               "outcome": outcome, "epoch": 1}  # fmt: skip
    yield {"kind": "read", "what": "log.read", "actor": {**actor, "role": "auditor"}, "args": {"verdict": "deny"}}
    for cause, step in itertools.product(Cause, TITLES):
        yield {"kind": "revocation", "case": "C000001", "cause": cause, "person": "E1001", "areas": ["plans"],
               "step": step, "state": "cannot-see", "detail": said, "facts": {}, "tries": 1, "began_at": None,
               "ended_at": None}  # fmt: skip
    yield {"kind": "receipt", "case": "C000001", "person": "E1001", "file": "/srv/1"}
    yield from _of_hr(said)
    yield {"kind": "expiring", "count": 2, "what": [said, said]}
    for mail in Mailed:
        yield {"kind": "warned", "person": "E1001", "what": [said], "terminals": 2, "mail": [mail]}
    yield {"kind": "deny-entries", "area": "plans", "uids": [61_234], "changed": 12, "not_reached": 0}
    yield {"kind": "holder-ended", "area": "plans", "tier": "C", "pid": 4711, "uid": 61001, "exe": "/usr/bin/cat"}
    yield {
        "kind": "start",
        "process": "control",
        "epoch": 1,
        "areas": [{"area": "plans", "tier": "none", "labelled": 0}],
    }
    yield {"kind": "decider-started", "start": 1, "denied_meanwhile": 0}
    yield {"kind": "recovered", "bytes": 3}
    yield {"kind": "started", "boot_id": "9f2c1a7e-0000", "kernel": "6.18", "version": "0.1.0", "durability": "power"}
    yield {"kind": "stopped"}
    for accepted in (False, "forward", "returned", "synchronised", "officer"):
        yield {"kind": "clock", "from": "2026-03-01T08:00:00Z", "to": "2026-03-01T07:00:00Z", "offset": -3600.0,
               "accepted": accepted, "judged_from": "2026-03-01T08:00:00Z",
               "judged_to": "2026-03-01T08:00:00Z"}  # fmt: skip
    yield {"kind": "gap", "what": "doors", "count": 2, "since": "2026-03-01T08:00:00Z"}
    yield {"kind": "gap", "count": 0, "since": "2026-03-01T08:00:00Z", "why": said, "missing_from": 1, "missing_to": 3}
    yield {
        "kind": "signing-key",
        "alarm": True,
        "former_key": "3c29d6d554e7",
        "signing_key": "9f2c1a7e0000",
        "reason": said,
    }
    yield {"kind": "over-budget", "alarm": True, "uid": 61001, "person": None, "since": "2026-03-01T08:00:00Z",
           "refused_connections": 12, "refused_requests": 3, "not_recorded": 4, "reason": said}  # fmt: skip
    hand = {"uid": 61001, "loginuid": 61001, "role": "security", "person": "E1"}
    yield {"kind": "act", "act": "grant.add", "outcome": "done", "actor": hand, "args": {"person": "甲"},
           "hands": {"proposal": "P000001", "proposed_by": hand, "at": "2026-03-01T08:00:00Z"},
           "changes": [{"table": "grants", "before": None, "after": {"person": "甲", "number": 1}}],
           "changes_more": 2}  # fmt: skip
    yield {"kind": "act", "act": "role.set", "outcome": "done", "actor": hand | {"role": "break-glass"},
           "hands": "break-glass", "alarm": True}  # fmt: skip
    yield {"kind": "factor", "outcome": "refused", "actor": hand, "reason": said}
    yield {"kind": "disk-low", "alarm": True, "state": "low", "path": "/var/lib/shoumi/log", "free": 1 << 20,
           "whole": 1 << 30, "hours": 3.5, "reason": said}  # fmt: skip
    yield {"kind": "process-died", "alarm": True, "process": "control", "how": "SIGBUS", "lived": 1.5, "deaths": 3,
           "pid": 4711}  # fmt: skip
    yield {"kind": "service-program", "alarm": True, "service": "backup", "reason": said}
    yield {"kind": "roles-lost", "alarm": True, "epoch": 7, "reason": said}
    yield {"kind": "pack-edited", "alarm": True, "recorded": "甲", "pack": "minimal@3c29d6d554e7"}
    yield from _of_volumes(said)
    yield {"kind": "registry-older", "alarm": True, "epoch": 7, "registry_epoch": 5, "acts": 2, "reason": said}
    yield {"kind": "log-older", "alarm": True, "epoch": 7, "change": "9f2c1a7e00009f2c", "after": 3, "known": 5,
           "reason": said}  # fmt: skip
    yield {"kind": "log-damaged", "alarm": True, "faults": 1, "reason": said}
    yield {"kind": "damaged", "path": "{"}  # a line that is no entry
    yield {"kind": "missing"}  # a number that has none


def _of_hr(said: object) -> Iterator[dict[str, object]]:
    """Yield what the channel of the personnel system tells: a notice for each reason and event, and its own trouble."""
    for reason, event, folder in zip(REASONS, itertools.cycle(HrEvent), itertools.cycle(FOLDERS), strict=False):
        notice = {"person": "E1001", "event": event, "reference": "D26-7", "jti": "9f2c1a7e", "late": True}
        named = {"named": "张三", "not_counted": ["E1002"]}
        yield {"kind": "hr-event", "file": "/srv/1", "folder": folder, "outcome": reason, "alarm": True,
               "reason": said, **notice, **named}  # fmt: skip
    for trouble in ("answers", "silence", "keys", "spool-replaced", "spool-unusable"):
        yield {"kind": "hr-channel", "outcome": trouble, "alarm": True, "reason": said}


def _of_volumes(said: object) -> Iterator[dict[str, object]]:
    """Yield what is told of volumes, their labels, who held something there before, and the agent's own attempts."""
    about = {"area": "plans", "path": "/srv/plans"}
    for state in ("guarded", "closed", "not-there"):
        yield {"kind": "volume", "state": state, "why": "unguarded", "alarm": True, **about}
    yield {"kind": "volume", "state": "covered", "why": "mounted", "after_ms": 12.5, "alarm": True, **about}
    for wanted in ("hidden", "attached", "published", "failed"):
        yield {"kind": "volume", "state": wanted, "path": "/srv/1", "device": "/dev/sdb1", "reason": said}
    holder = {"pid": 4711, "comm": "制图", "uid": 61_001, "path": "/srv/1", "files": 1, "may": False}
    for how in get_args(How):
        yield {"kind": "volume", "state": "ending", "path": "/srv/1", "device": "/dev/sdb1", "ended": 1,
               "holders": [DiskHolder(how, "制图", 4711)._asdict()]}  # fmt: skip
    for why in ("mounted", "start"):
        yield {"kind": "held-before", "area": "plans", "why": why, "processes": 1, "ended": 1, "holders": [holder],
               "alarm": True}  # fmt: skip
    for state in ("relabelled", "scanned"):
        yield {"kind": "labels", "state": state, "path": "/srv/1", "areas": ["plans", "archive"], "request": 3,
               **TourCounts(seen=7).to_json(), "seconds": 0.5}  # fmt: skip
    for outcome in get_args(Outcome):
        yield {"kind": "canary", "own": "canary", "outcome": outcome, "volume": "8:17", "areas": ["plans", "archive"],
               "tried": 1, "proven": ["open", "list"], "enforced": True, "why": "let-in", "reason": said}  # fmt: skip
        yield {"kind": "canary", "own": "canary", "outcome": outcome, "volume": "8:17", "areas_tried": 2,
               "attempts": 9, "refused": 8, "observed": 1, "since": "2026-03-01T08:00:00Z"}  # fmt: skip

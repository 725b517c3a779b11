"""An officer's act, entered into the registry without an agent. For the rehearsal only.

Rules of this file: the same writes with the same refusals as behind the control socket; nothing here decides anything.
Areas are in observe mode, because nothing is blocked.
"""

import csv
import io
from datetime import datetime, timedelta

from agent.demo.cast import OfficerAct
from agent.registry.repositories.registry_transaction import RegistryTransaction
from rules.model import Clearance, DepartureStage, Employment, Level, Mode, RoomRules, Scope
from rules.pack.reader import Pack

_OFFICER = "officer"


def enter(change: RegistryTransaction, act: OfficerAct, pack: Pack) -> None:
    """Apply *act*; raise :class:`RefusedError` as the agent would, ``LookupError`` for one the demo has not."""
    args = act.args
    match act.name:
        case "person.add":
            clearances = [
                Clearance(args["domain"], Level.parse(level), approved_by=_OFFICER) for level in args["level"]
            ]
            change.people.add(args["person"], name=args["name"], department=args["department"], clearances=clearances)
            for uid in args["account"]:
                change.accounts.add(uid, args["person"])
        case "record.add":
            change.records.add(args["person"], args["kind"], on=datetime.fromisoformat(args["on"]))
        case "area.add":
            change.areas.add(
                args["name"],
                path=args["path"],
                level=Level.parse(args["level"]),
                domain=args["domain"],
                mode=Mode.OBSERVE,
                scope=Scope(frozenset(args["person"]), frozenset(args["department"])),
                secret_until=datetime.fromisoformat(args["secret_until"]),
            )
        case "grant.add":
            temporary = args.get("temporary", False)
            change.grants.add(
                args["person"],
                args["area"],
                reason=args["reason"],
                approver=_OFFICER,
                until=datetime.fromisoformat(args["until"]) if "until" in args else None,
                temporary=temporary,
                max_days=pack.temp_auth.max_days if temporary else None,
            )
        case "grant.end":
            change.grants.end(args["grant"], by=_OFFICER, reason=args["reason"])
        case "person.import":
            for row in csv.DictReader(io.StringIO(args["csv"])):
                change.people.set(row["id"], department=row["department"])
        case "hold.add":
            change.holds.add(args["person"], reason=args["reason"], by=_OFFICER)
        case "room.add":
            scope = Scope(frozenset(args["person"]), frozenset(args["department"]))
            rules = RoomRules(two_person=args["two_person"] == "yes")
            level = Level.parse(args["level"])
            change.rooms.add(args["room"], level=level, domain=args["domain"], scope=scope, rules=rules)
            for area in args["keep"]:
                change.contents.add(area, args["room"])
        case "door.add":
            [outside], [inside] = args["reader"], args["exit_reader"]
            change.doors.add(
                args["door"],
                args["room"],
                protocol="osdp",
                readers=[(outside, "in"), (inside, "out")],
                strike=outside,
                contact=args["contact"] == "yes",
            )
        case "badge.add":
            change.badges.add(args["number"], args["person"])
        case "declaration.add":
            until = change.at + timedelta(days=1)
            change.declarations.add(args["person"], args["room"], purpose=args["purpose"], until=until)
        case "visitor.add":
            change.people.add(args["person"], name=args["name"], employment=Employment.VISITOR)
            change.badges.add(args["badge"], args["person"])
            change.visits.add(
                args["person"],
                args["room"],
                host=args["host"],
                escort=args["escort"],
                purpose=args["purpose"],
                badge=args["badge"],
                until=change.at + timedelta(hours=8),
            )
        case "door.listen":
            pass  # there is no board to listen to
        case "case.notice":
            at = datetime.fromisoformat(args["at"])
            change.departures.add(
                args["person"], stage=DepartureStage.APPROVED, approved_at=at, approver=args["approver"][0]
            )
        case _:
            raise LookupError(act.name)

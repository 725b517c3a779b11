"""Revocation receipt of an offboarding, fetched and verified as its requester would.

Rules of this file: the receipt is fetched and verified with the command line, with only the file and the public
key.
"""

import json
from collections.abc import Callable, Iterable

from agent.demo.cast import Player
from agent.demo.shared import wait_until
from agent.demo.site import Entry, Mark, ReceiptSummary
from agent.demo.stage import DemoStage
from agent.offboard.receipt.timeline import MARKS
from rules.text import Message, foreign
from rules.visible import visible

_PATIENCE = 20.0
_NONE = foreign("-")


def proven(stage: DemoStage, leaver: Player, entries: Callable[[], list[Entry]]) -> ReceiptSummary:
    """Wait for the receipt of *leaver* and verify it. Raises :class:`agent.errors.RefusedError` when there is none."""
    wait_until(lambda: len(trail(entries(), leaver)) == 3, _PATIENCE)
    answer = stage.ask("case", "receipt", leaver.id)
    public = stage.home.root.parent / "agent.pem"
    public.write_text(answer["public_key"], encoding="ascii")
    verification = stage.shoumi(
        "case", "receipt", "--verify", answer["file"], "--key", str(public), "--json", check=False
    )
    verified = json.loads(verification.stdout)
    body = json.loads(answer["receipt"].partition("\n")[0])
    return ReceiptSummary(
        timeline=tuple(map(_mark, body["timeline"])),
        genuine=verified["ok"],
        complete=verified["complete"],
        still_open=tuple(body["open"]),
        entries=tuple(trail(entries(), leaver)),
        doors=tuple((str(door["door"]), str(door["state"])) for door in body["doors"]),
    )


def trail(entries: Iterable[Entry], leaver: Player) -> list[int]:
    """Return the entry numbers of the approval, the delivery and the receipt, as far as they exist."""
    numbers = {}
    for entry in entries:
        args = entry.get("args") or {}
        if entry.get("act") == "case.notice" and args.get("person") == leaver.id:
            numbers["approval"] = entry["seq"]
        elif entry["kind"] in ("hr-event", "receipt") and entry.get("person") == leaver.id and not _of_loss(entry):
            numbers[entry["kind"]] = entry["seq"]
    return sorted(numbers.values())


def _of_loss(entry: Entry) -> bool:
    """Whether the entry concerns an earlier loss by an act."""
    return str(entry.get("case", "")).startswith("L")


def _mark(row: dict[str, object]) -> Mark:
    name, after = str(row["mark"]), row["after_us"]
    spent = f"{after / 1000:,.1f}" if isinstance(after, int) else ""
    span = Message("demo.milliseconds", spent=spent) if spent else _NONE
    return Mark(MARKS.get(name) or foreign(name), visible(str(row["at"] or "-")), span)

"""The status line: the protection of the site in one sentence that never overstates it.

Rules of this file: pure. "Enforcing" appears only when the agent says so of every area; unprotected areas are named
first, in words. What got no answer is called unknown.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.api.findings import Finding
from agent.api.timestamps import local
from agent.presentation import backlog
from rules.text import Message, Sentence, from_json
from tui.keys.shape import ScreenPlace
from tui.render.cells import Piece, Toned, number

Status = dict[str, Any]

_BARS = "▁▂▃▄▅▆▇█"
# The place for each finding: the beginning of its code, and the name of the place.
_REMEDIES = (
    ("observing", "areas"), ("no-areas", "areas"), ("area", "areas"), ("grant", "people"), ("record", "people"),
    ("pack", "rules"), ("unlogged", "log"), ("alarms", "rooms"), ("lockdown", "rooms"), ("board-cards", "rooms"),
    ("no-exit-reader", "rooms"), ("no-contact", "rooms"), ("wire", "rooms"), ("no-key", "rooms"), ("hr", "departures"),
    ("proposals", "proposals"),
    ("", "system"),
)  # fmt: skip


def sentence(status: Status, cases: int, verified: int) -> list[Piece]:
    """Return the status line. ``verified``: the number up to which the log is intact, see :func:`verified`."""
    areas = status["areas"]
    bare = [row for row in areas if row["tier"] == "none"]
    watched = [row for row in areas if row["mode"] == "observe" and row not in bare]
    unseen = [row for row in areas if row not in bare and row not in watched and _state(row) != "seen"]
    pieces: list[Piece] = []
    if status.get("registry") == "older":
        closed = Message("tui.all-denied-registry-older")
        pieces += [Toned(closed, "bad"), " · "]
    if status["enforcing"]:
        pieces += [Toned(_enforcing(status), "good"), " · ", _tier(status)]
    elif not areas:
        pieces.append(Toned(Message("tui.nothing-protected"), "bad"))
    else:
        if bare:
            pieces.append(Toned(_named(Message("tui.not-protected"), bare), "bad"))
        for part in (
            *_unseen(unseen),
            *([Toned(_named(Message("tui.only-observed"), watched), "warning")] * bool(watched)),
        ):
            pieces += [" · "] if pieces else []
            pieces.append(part)
        if not pieces:
            pieces.append(Toned(Message("tui.below-required-tier"), "bad"))
    pieces += [" · ", Message("tui.area-count", count=len(areas))]
    if doors := status["doors"]:
        pieces += [" · ", Message("tui.door-count", count=doors)]
    pieces += [" · ", _log(status, verified)]
    if cases:
        pieces += [" · ", Message("tui.open-cases", count=cases)]
    if waiting := status.get("proposals"):
        second = Message("tui.proposals-wait", count=waiting)
        pieces += [" · ", Toned(second, "warning")]
    if holds := status["holds"]:
        pieces += [" · ", Message("tui.people-on-hold", count=holds)]
    if status.get("trial"):
        trial = Message("common.trial-root-alone")
        pieces += [" · ", Toned(trial, "warning")]
    if under_way := backlog.sentence(status["revocations"]):
        pieces += [" · ", under_way]
    return pieces


def verified(status: Status, locally: int) -> int:
    """Return the number up to which the log is intact: the larger of *locally* and what the agent has verified.

    0 when it was never verified, or when the agent found an error.
    """
    log = status.get("log") or {}
    return 0 if log.get("verify_trouble") else max(locally, int(log.get("verified_to") or 0))


def waits(status: Status) -> list[Piece]:
    """Return the waiting time of opens in the guard, as the agent measures it; nothing where it has no figures."""
    opens = status["decider"].get("opens")
    if not isinstance(opens, dict):
        return []
    half, most, count = opens.get("p50_us"), opens.get("p99_us"), int(opens.get("count") or 0)
    if half is None or most is None:
        return [Message("tui.no-opens-last-minute")]
    p50, p99 = _milliseconds(half), _milliseconds(most)
    return [Message("tui.guard-wait-times", p50=p50, p99=p99, count=count)]


def needs(findings: Sequence[Finding], places: Mapping[str, ScreenPlace]) -> list[dict[str, Any]]:
    """Return the findings that need attention, worst first, each with the place to handle it."""
    order = {"serious": 0, "warning": 1}
    open_findings = [finding for finding in findings if finding.state in order]
    open_findings.sort(key=lambda finding: order[finding.state])
    return [
        {"id": number, "state": finding.state, "text": finding.text, "hint": finding.hint} | _remedy(finding, places)
        for number, finding in enumerate(open_findings)
    ]


def sparkline(samples: Sequence[float]) -> str:
    """Return one bar for each of *samples*, scaled to the highest."""
    most = max(samples, default=0)
    return "".join(_BARS[round(sample / most * (len(_BARS) - 1))] if most else _BARS[0] for sample in samples)


def _log(status: Status, verified: int) -> Piece:
    """Return the last number of the log, and the number up to which it is known to be intact."""
    last = int(status["decider"].get("next_seq", 1)) - 1
    if trouble := (status.get("log") or {}).get("verify_trouble"):
        return Toned(Message("tui.status-log-has-errors", reason=from_json(trouble)), "bad")
    if not verified:
        return Message("tui.log-not-yet-verified", last=number(last))
    if last > verified:
        return Message("tui.log-verified-of", verified=number(verified), last=number(last))
    return Message("tui.log-verified", verified=number(verified))


def _milliseconds(microseconds: float) -> str:
    """Return a duration with two significant digits: ``0.21``, ``1.3``, ``140``."""
    span = microseconds / 1000
    return f"{span:.2f}" if span < 1 else f"{span:.1f}" if span < 10 else f"{span:.0f}"


def _enforcing(status: Status) -> Sentence:
    """Return the sentence that every area enforces, with the time of the last proof."""
    if not status.get("seen"):
        return Message("tui.enforcing")
    return Message("tui.enforcing-proven-at", time=_clock(status["seen"]))


def _unseen(areas: Sequence[dict[str, Any]]) -> list[Toned]:
    """Return the notices on areas whose guard was never proven, or not recently."""
    asking = [row for row in areas if _state(row) == "asking"]
    unknown = [row for row in areas if row not in asking]
    notices = []
    if unknown:
        since = _clock(min(str(row["seen"]["since"]) for row in unknown))
        notices.append(Toned(_named(Message("tui.not-proven-since", since=since), unknown), "bad"))
    if asking:
        notices.append(Toned(_named(Message("tui.not-proven-yet"), asking), "warning"))
    return notices


def _state(row: dict[str, Any]) -> str:
    return str((row.get("seen") or {"state": "seen"})["state"])


def _clock(moment: str) -> str:
    return local(moment)[5:]


def _tier(status: Status) -> Sentence:
    return Message("tui.tier-value", tier=status["tier"])


def _named(label: Sentence, areas: Sequence[dict[str, Any]]) -> Sentence:
    names = [str(row["name"]) for row in areas[:3]]
    more = f" +{len(areas) - 3}" if len(areas) > 3 else ""
    return Message("tui.labelled-names", label=label, names=names, more=more)


def _remedy(finding: Finding, places: Mapping[str, ScreenPlace]) -> dict[str, Any]:
    """Return the place to handle *finding*, if a screen exists for it, and the text for its column."""
    name = next(place for prefix, place in _REMEDIES if finding.code.startswith(prefix))
    if place := places.get(name):
        return {"place": name, "where": Message("common.beside", text=place.key, more=place.title)}
    return {"place": "", "where": Message("tui.enter-shows-hint") if finding.hint else ""}

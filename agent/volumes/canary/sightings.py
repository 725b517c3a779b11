"""What canaries have seen of each area, and since when it is unknown. Pure.

Rules of this file: what the agent says of protection it has seen, and says when (contract C11). Before the first
canary nothing is known; what was not seen for two periods is unknown since it last was. A proof of an observed area
proves nothing about its enforcement. ``moment`` is in seconds of a clock that counts while the machine sleeps, ``at``
is for people.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from agent.volumes.canary.schedule import STALE, CanaryPeriods, TriedArea
from agent.volumes.canary.trying import CanaryResult
from agent.volumes.canary.verdict import REASONS
from rules.text import Text

State = Literal["seen", "missing", "unknown", "asking"]


@dataclass(frozen=True, slots=True)
class AreaSighting:
    """What is known of one area: the last attempt, and the last one that proved something."""

    last: CanaryResult
    tried: float
    volume: str
    proof: CanaryResult | None = None
    proven: float = 0.0
    proven_at: datetime | None = None


class Sightings:
    """All areas of an agent that began at *began*. One writer; ``view`` is for any thread."""

    def __init__(self, periods: CanaryPeriods, began: datetime) -> None:
        self._periods = periods
        self._began = began
        self._areas: dict[str, AreaSighting] = {}
        self._volumes: dict[str, tuple[float, datetime]] = {}  # when the guard was last seen there

    def note(self, result: CanaryResult, moment: float, at: datetime) -> None:
        """Take note of a result."""
        area, volume = result.target.area, result.target.volume
        known = self._areas.get(area)
        made = AreaSighting(result, moment, volume)
        if result.outcome == "seen":
            made = replace(made, proof=result, proven=moment, proven_at=at)
            self._volumes[volume] = moment, at
        elif known is not None:
            made = replace(made, proof=known.proof, proven=known.proven, proven_at=known.proven_at)
        self._areas[area] = made

    def keep(self, names: Iterable[str]) -> None:
        """Forget every area that is not among *names*."""
        kept = set(names)
        for name in [name for name in self._areas if name not in kept]:
            del self._areas[name]

    def tried(self, name: str, volume: str) -> TriedArea:
        """Return what the schedule needs of an area that lies on *volume* now."""
        known = self._areas.get(name)
        if known is None or known.volume != volume:
            return TriedArea(name, volume, None)
        return TriedArea(name, volume, known.tried, known.last.outcome == "seen")

    def view(self, name: str, moment: float, *, enforced: bool) -> dict[str, Any]:
        """Return as JSON what is known of an area: ``state``, ``at``, ``since``, ``what``, ``why``.

        ``at`` is when the guard was last seen, ``since`` from when on nothing is known. ``what`` was seen to be
        refused: ``read`` (through an older descriptor), ``open``, ``list``; or ``record``, where nothing is refused.
        """
        known = self._areas.get(name)
        if known is None:
            return _json("asking", None, self._began, "", None)
        proof = known.proof if known.proof and known.proof.target.enforced == enforced else None
        at = known.proven_at if proof else None
        what = (proof.proven[-1] if enforced else "record") if proof and proof.proven else ""
        if known.last.outcome == "missing":
            return _json("missing", at, at or self._began, what, known.last)
        if proof is None or at is None:
            return _json("asking" if known.last.outcome == "seen" else "unknown", None, self._began, "", known.last)
        seen_there, seen_there_at = self._volumes.get(known.volume, (known.proven, at))
        if moment - known.proven > STALE * self._periods.area:
            return _json("unknown", at, at, what, known.last)
        if moment - seen_there > STALE * self._periods.volume:
            return _json("unknown", at, max(at, seen_there_at), what, known.last)
        return _json("seen", at, None, what, None)


def _json(
    state: State, at: datetime | None, since: datetime | None, what: str, last: CanaryResult | None
) -> dict[str, Any]:
    return {
        "state": state,
        "at": at.isoformat() if at else None,
        "since": since.isoformat() if since else None,
        "what": what or None,
        "why": why(last).to_json() if last and last.judgement.why else None,
    }


def why(result: CanaryResult) -> Text:
    """Return why a result proves nothing."""
    judged = result.judgement
    text = REASONS[judged.why]
    return Text(f"{text.en}: {judged.error}", f"{text.zh}：{judged.error}") if judged.error else text

"""Sightings: the results of canaries for each area, and the time since which its protection is unknown. Pure.

Rules of this file: the agent states only protection that it has seen, and when (contract C11). Before the first canary
nothing is known; a sighting expires after two periods. A proof for an area in observe mode proves nothing about
enforcement. ``moment`` is in seconds of a clock that counts while the machine sleeps, ``at`` is for people.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from agent.volumes.canary.schedule import STALE, CanaryPeriods, TriedArea
from agent.volumes.canary.trying import CanaryResult
from agent.volumes.canary.verdict import REASONS
from rules.text import Message, Sentence

State = Literal["seen", "missing", "unknown", "asking"]


@dataclass(frozen=True, slots=True)
class AreaSighting:
    """The sightings of one area: the last attempt, and the last one that proved something."""

    last: CanaryResult
    tried: float
    volume: str
    proof: CanaryResult | None = None
    proven: float = 0.0
    proven_at: datetime | None = None


class Sightings:
    """The sightings of all areas of an agent that started at *began*. One writer; ``view`` is for any thread."""

    def __init__(self, periods: CanaryPeriods, began: datetime) -> None:
        self._periods = periods
        self._began = began
        self._areas: dict[str, AreaSighting] = {}
        self._volumes: dict[str, tuple[float, datetime]] = {}  # when the guard was last seen there

    def note(self, canary_result: CanaryResult, moment: float, at: datetime) -> None:
        """Store a result."""
        area, volume = canary_result.target.area, canary_result.target.volume
        earlier = self._areas.get(area)
        sighting = AreaSighting(canary_result, moment, volume)
        if canary_result.outcome == "seen":
            sighting = replace(sighting, proof=canary_result, proven=moment, proven_at=at)
            self._volumes[volume] = moment, at
        elif earlier is not None:
            sighting = replace(sighting, proof=earlier.proof, proven=earlier.proven, proven_at=earlier.proven_at)
        self._areas[area] = sighting

    def keep(self, names: Iterable[str]) -> None:
        """Forget every area that is not among *names*."""
        wanted = set(names)
        for name in [name for name in self._areas if name not in wanted]:
            del self._areas[name]

    def tried(self, name: str, volume: str) -> TriedArea:
        """Return the schedule's data of an area that is on *volume* now."""
        sighting = self._areas.get(name)
        if sighting is None or sighting.volume != volume:
            return TriedArea(name, volume, None)
        return TriedArea(name, volume, sighting.tried, sighting.last.outcome == "seen")

    def view(self, name: str, moment: float, *, enforced: bool) -> dict[str, Any]:
        """Return the sighting of an area as JSON: ``state``, ``at``, ``since``, ``what``, ``why``.

        ``at`` is when the guard was last seen, ``since`` when its state became unknown. ``what`` was refused: ``read``
        (through an older descriptor), ``open``, ``list``; or ``record``, where nothing is refused.
        """
        sighting = self._areas.get(name)
        if sighting is None:
            return _json("asking", None, self._began, "", None)
        proof = sighting.proof if sighting.proof and sighting.proof.target.enforced == enforced else None
        at = sighting.proven_at if proof else None
        refused = (proof.proven[-1] if enforced else "record") if proof and proof.proven else ""
        if sighting.last.outcome == "missing":
            return _json("missing", at, at or self._began, refused, sighting.last)
        if proof is None or at is None:
            return _json(
                "asking" if sighting.last.outcome == "seen" else "unknown", None, self._began, "", sighting.last
            )
        volume_seen, volume_seen_at = self._volumes.get(sighting.volume, (sighting.proven, at))
        if moment - sighting.proven > STALE * self._periods.area:
            return _json("unknown", at, at, refused, sighting.last)
        if moment - volume_seen > STALE * self._periods.volume:
            return _json("unknown", at, max(at, volume_seen_at), refused, sighting.last)
        return _json("seen", at, None, refused, None)


def _json(
    state: State, at: datetime | None, since: datetime | None, refused: str, last: CanaryResult | None
) -> dict[str, Any]:
    return {
        "state": state,
        "at": at.isoformat() if at else None,
        "since": since.isoformat() if since else None,
        "what": refused or None,
        "why": why(last).to_json() if last and last.judgement.reason else None,
    }


def why(canary_result: CanaryResult) -> Sentence:
    """Return the reason why a result proves nothing."""
    judged = canary_result.judgement
    text = REASONS[judged.reason]
    return Message("common.labelled", label=text, text=judged.error) if judged.error else text

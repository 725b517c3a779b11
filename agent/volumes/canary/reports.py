"""Log entries about canaries. Pure.

Rules of this file: the first result of an area, and each change of it, is an entry at once; unchanged results are
counted, and summarised once an hour for each volume. Every entry is marked as the agent's own attempt. Areas of one
volume with the same result at the same time share an entry, unless it is an alarm. A result whose entry could not be
written counts as not reported: see :meth:`CanaryReports.unwritten`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

from agent.volumes.canary.sightings import why
from agent.volumes.canary.trying import CanaryResult

KIND: Final = "canary"
OWN: Final = "canary"
HOUR: Final = 3600.0

Entry = dict[str, Any]


class AreaEntry(NamedTuple):
    """An entry to be written, and the areas it is about."""

    areas: tuple[str, ...]
    fields: Entry


@dataclass(slots=True)
class _Counts:
    begun: float
    since: datetime
    areas: set[str] = field(default_factory=set)
    outcomes: set[str] = field(default_factory=set)
    attempts: int = 0
    refused: int = 0
    observed: int = 0


class CanaryReports:
    """The last reported result of each area, and the counts since. Moments: :mod:`agent.volumes.canary.sightings`."""

    def __init__(self) -> None:
        self._last_keys: dict[str, tuple[object, ...]] = {}
        self._counts: dict[str, _Counts] = {}

    def news(self, results: Iterable[CanaryResult], moment: float, at: datetime) -> list[AreaEntry]:
        """Return the entries for the new or changed *results*, and count the others."""
        fresh = []
        for canary_result in results:
            if self._last_keys.get(canary_result.target.area) == _key(canary_result):
                self._count(canary_result, moment, at)
            else:
                self._last_keys[canary_result.target.area] = _key(canary_result)
                fresh.append(canary_result)
        fresh.sort(key=lambda canary_result: repr(_group(canary_result)))
        return [_entry(list(alike)) for _, alike in groupby(fresh, key=_group)]

    def unwritten(self, areas: Iterable[str]) -> None:
        """Forget the last result of *areas*: their next result is an entry again."""
        for area in areas:
            self._last_keys.pop(area, None)

    def summaries(self, moment: float) -> Iterator[tuple[str, Entry]]:
        """Yield the volumes whose counts are due, each with its entry; :meth:`told` resets the counts."""
        for volume, counts in self._counts.items():
            if moment - counts.begun >= HOUR:
                yield volume, _summary(volume, counts)

    def told(self, volume: str) -> None:
        """Reset the counts of a volume."""
        self._counts.pop(volume, None)

    def _count(self, canary_result: CanaryResult, moment: float, at: datetime) -> None:
        counts = self._counts.setdefault(canary_result.target.volume, _Counts(moment, at))
        counts.areas.add(canary_result.target.area)
        counts.outcomes.add(canary_result.outcome)
        counts.attempts += canary_result.tries
        proven = len(canary_result.proven)
        counts.refused += proven if canary_result.target.enforced else 0
        counts.observed += 0 if canary_result.target.enforced else proven


def _key(canary_result: CanaryResult) -> tuple[object, ...]:
    return canary_result.judgement, canary_result.target.enforced, canary_result.target.volume


def _group(canary_result: CanaryResult) -> tuple[object, ...]:
    alone = canary_result.target.area if canary_result.outcome == "missing" else ""
    return *_key(canary_result), alone


def _entry(alike: Sequence[CanaryResult]) -> AreaEntry:
    first, names = alike[0], tuple(canary_result.target.area for canary_result in alike)
    judged, target = first.judgement, first.target
    fields: Entry = {"kind": KIND, "own": OWN, "outcome": judged.outcome, "volume": target.volume}
    fields |= {"area": names[0]} if len(names) == 1 else {"areas": list(names)}
    fields |= {"tried": max(canary_result.tries for canary_result in alike), "proven": list(judged.proven)}
    fields["enforced"] = target.enforced
    if judged.reason:
        fields |= {"why": judged.reason, "reason": why(first).to_json()}
    if judged.outcome == "missing":
        fields["alarm"] = True
    return AreaEntry(names, fields)


def _summary(volume: str, counts: _Counts) -> Entry:
    outcome = next((name for name in ("missing", "unknown") if name in counts.outcomes), "seen")
    fields: Entry = {"kind": KIND, "own": OWN, "outcome": outcome, "volume": volume, "areas_tried": len(counts.areas)}
    fields |= {"attempts": counts.attempts, "refused": counts.refused}
    fields |= {"observed": counts.observed} if counts.observed else {}
    return fields | {"since": counts.since.isoformat()}

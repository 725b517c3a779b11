"""Which entries the log gets of canaries. Pure.

Rules of this file: the first result of an area, and each change of it, is an entry at once; what is as it was is
counted, and told once an hour for each volume. Every entry carries the mark of the agent's own attempts. Areas of one
volume that come out alike at once share an entry, unless it is an alarm. What could not be written down is not told:
see :meth:`CanaryReports.unwritten`.
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
    """What was told of each area, and what is counted since. Moments as in :mod:`agent.volumes.canary.sightings`."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[object, ...]] = {}
        self._counts: dict[str, _Counts] = {}

    def news(self, results: Iterable[CanaryResult], moment: float, at: datetime) -> list[AreaEntry]:
        """Return the entries of *results* that are news, and count the others."""
        fresh = []
        for result in results:
            if self._told.get(result.target.area) == _key(result):
                self._count(result, moment, at)
            else:
                self._told[result.target.area] = _key(result)
                fresh.append(result)
        fresh.sort(key=lambda result: repr(_group(result)))
        return [_entry(list(alike)) for _, alike in groupby(fresh, key=_group)]

    def unwritten(self, areas: Iterable[str]) -> None:
        """Take back what was said of *areas*: their next result is news again."""
        for area in areas:
            self._told.pop(area, None)

    def summaries(self, moment: float) -> Iterator[tuple[str, Entry]]:
        """Yield the volumes whose counts are due, each with its entry; :meth:`told` begins counting anew."""
        for volume, counts in self._counts.items():
            if moment - counts.begun >= HOUR:
                yield volume, _summary(volume, counts)

    def told(self, volume: str) -> None:
        """Forget the counts of a volume."""
        self._counts.pop(volume, None)

    def _count(self, result: CanaryResult, moment: float, at: datetime) -> None:
        counts = self._counts.setdefault(result.target.volume, _Counts(moment, at))
        counts.areas.add(result.target.area)
        counts.outcomes.add(result.outcome)
        counts.attempts += result.tries
        proven = len(result.proven)
        counts.refused += proven if result.target.enforced else 0
        counts.observed += 0 if result.target.enforced else proven


def _key(result: CanaryResult) -> tuple[object, ...]:
    return result.judgement, result.target.enforced, result.target.volume


def _group(result: CanaryResult) -> tuple[object, ...]:
    alone = result.target.area if result.outcome == "missing" else ""
    return *_key(result), alone


def _entry(alike: Sequence[CanaryResult]) -> AreaEntry:
    first, names = alike[0], tuple(result.target.area for result in alike)
    judged, target = first.judgement, first.target
    fields: Entry = {"kind": KIND, "own": OWN, "outcome": judged.outcome, "volume": target.volume}
    fields |= {"area": names[0]} if len(names) == 1 else {"areas": list(names)}
    fields |= {"tried": max(result.tries for result in alike), "proven": list(judged.proven)}
    fields["enforced"] = target.enforced
    if judged.why:
        fields |= {"why": judged.why, "reason": why(first).to_json()}
    if judged.outcome == "missing":
        fields["alarm"] = True
    return AreaEntry(names, fields)


def _summary(volume: str, counts: _Counts) -> Entry:
    outcome = next((word for word in ("missing", "unknown") if word in counts.outcomes), "seen")
    fields: Entry = {"kind": KIND, "own": OWN, "outcome": outcome, "volume": volume, "areas_tried": len(counts.areas)}
    fields |= {"attempts": counts.attempts, "refused": counts.refused}
    fields |= {"observed": counts.observed} if counts.observed else {}
    return fields | {"since": counts.since.isoformat()}

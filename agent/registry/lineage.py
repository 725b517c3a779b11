"""Comparison of registry and log: which of the two lacks entries of the other. Pure.

An act is appended to the log before its change is committed, and the change stores the number of that entry and a
random id that both hold (:class:`RecordedChange`). So the two can be compared exactly:

    newest change that both hold   the log after it          the registry after it   relation
    the registry's newest          nothing                   nothing                 consistent
    the registry's newest          the one act in progress   nothing                 unfinished
    the registry's newest          other acts                nothing                 registry older
    an earlier one, or none        nothing                   changes                 log shorter
    an earlier one, or none        acts                      changes                 diverged: older

Rules of this file: a registry never refutes what the log proves. Every entry written under an epoch proves that epoch,
so a registry below such an epoch is older even where the act itself was not found. Registries of releases that stored
no changes are compared by epochs alone.

A limit: an agent killed between the commit and the clearing of its intent, with a copy from exactly one act earlier
restored before the next start, looks like an act that was never committed. The success of that act had not been
reported, and no decision was based on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Intent = Mapping[str, Any]


class RecordedChange(NamedTuple):
    """A change of the registry: the number of its entry, its epoch, and the id that registry and log hold."""

    entry: int
    epoch: int
    change: str


class LoggedAct(NamedTuple):
    """An act from its log entry. *completed*: the entry says ``done``; else ``not-completed``, of an earlier act."""

    seq: int
    epoch: int
    change: str
    completed: bool


class LogEvidence(NamedTuple):
    """The evidence read from a log.

    *last*: its last number. *shared*: the newest change of the registry that has an entry in this log. *acts*: those
    after it, as far back as was read, oldest first. *in_force*: the highest epoch of an entry after it, 0 when no entry
    has one. *whole*: everything relevant after *shared* was read.
    """

    last: int
    shared: RecordedChange | None
    acts: tuple[LoggedAct, ...]
    in_force: int
    whole: bool = True


@dataclass(frozen=True, slots=True)
class StoreRelation:
    """The relation of registry and log.

    *older*: the registry lacks acts of the log, and nothing may be decided from it. *log_short*: the log lacks changes
    of the registry. *unfinished*: the act in progress when the agent was killed; its change was never made. *proven*:
    the highest epoch known to have been in force. *highest*: the highest epoch that any entry names. *since*: the
    number after which the two differ.
    """

    older: bool = False
    log_short: bool = False
    unfinished: Intent | None = None
    proven: int = 0
    highest: int = 0
    since: int = 0


def compare(epoch: int, newest: RecordedChange | None, evidence: LogEvidence, intent: Intent | None) -> StoreRelation:
    """Return the relation of a registry at *epoch*, whose last recorded change is *newest*, to a log.

    *intent* is the write-ahead intent of the agent (:mod:`agent.registry.intent`).
    """
    standing = standing_acts(evidence.acts)
    if newest is None:  # a registry without recorded changes holds every act up to its epoch
        standing = tuple(act for act in standing if act.epoch > epoch)
    unfinished = _unfinished(standing, evidence, intent)
    missing = standing[:-1] if unfinished else standing
    beyond = newest is not None and evidence.shared != newest
    proven = max(epoch, evidence.in_force, *(act.epoch for act in missing))
    return StoreRelation(
        older=bool(missing) or evidence.in_force > epoch or (beyond and not evidence.whole),
        log_short=beyond and evidence.whole and not missing and evidence.in_force <= epoch,
        unfinished=intent if unfinished else None,
        proven=proven,
        highest=max(proven, *(act.epoch for act in evidence.acts), 0),
        since=evidence.shared.entry if evidence.shared else 0,
    )


def standing_acts(acts: tuple[LoggedAct, ...]) -> tuple[LoggedAct, ...]:
    """Return the acts that no later entry reports as not completed."""
    standing: list[LoggedAct] = []
    for act in acts:
        if act.completed:
            standing.append(act)
        else:
            taken_back = (act.epoch, act.change)
            last = next(
                (earlier for earlier in reversed(standing) if (earlier.epoch, earlier.change) == taken_back), None
            )
            if last is not None:
                standing.remove(last)
    return tuple(standing)


def _unfinished(standing: tuple[LoggedAct, ...], evidence: LogEvidence, intent: Intent | None) -> bool:
    """Return whether the last act of the log is the one of *intent*, and no entry shows that it was completed.

    Such an act is the last one, because one thread performs all acts, and nothing was decided under its epoch.
    """
    if not standing or intent is None or standing[-1] != evidence.acts[-1]:
        return False
    last = standing[-1]
    noted = intent.get("epoch"), intent.get("change", "")
    return noted == (last.epoch, last.change) and evidence.in_force < last.epoch

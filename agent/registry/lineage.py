"""Whether registry and log belong together: which of the two lacks what the other knows. Pure.

An act is appended to the log before its change is committed, and the change remembers the number of that entry and a
random id that both hold (:class:`RecordedChange`). So each side can be held against the other exactly:

    the newest change that both know   what the log holds behind it   what the registry holds behind it   they are
    the registry's newest              nothing                        nothing                             together
    the registry's newest              the one act under way          nothing                             unfinished
    the registry's newest              other acts                     nothing                             registry older
    an earlier one, or none            nothing                        changes                             log shorter
    an earlier one, or none            acts                           changes                             apart: older

Rules of this file: what the log proves is never taken back by what a registry says. An epoch proves itself by every
entry that was written under it, so a registry below such an epoch is older even where the act itself is not seen.
Registries of releases that remembered no change are compared by epochs alone.

What nobody can tell apart: an agent killed in the moment between commit and the end of its intent, and a copy from
exactly one act earlier put back before the next start, look like an act that was never committed. Nobody had been told
of that act by then, and nothing was decided by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Intent = Mapping[str, Any]


class RecordedChange(NamedTuple):
    """A change of the registry: the number of its entry, the epoch it brought, and the id that both hold."""

    entry: int
    epoch: int
    change: str


class LoggedAct(NamedTuple):
    """An act as its entry has it. *done*: it says ``done``; else it says ``not-completed`` of an earlier one."""

    seq: int
    epoch: int
    change: str
    done: bool


class LogEvidence(NamedTuple):
    """What was seen of a log.

    *last*: its last number. *shared*: the newest change of the registry whose entry this log has. *acts*: those behind
    it, as far back as was looked, oldest first. *in_force*: the epoch of the newest entry behind it that was written
    under one, 0 where there is none. *whole*: everything behind *shared* that can matter was seen.
    """

    last: int
    shared: RecordedChange | None
    acts: tuple[LoggedAct, ...]
    in_force: int
    whole: bool = True


@dataclass(frozen=True, slots=True)
class StoreRelation:
    """How registry and log stand to each other.

    *older*: the registry lacks what the log holds, and nothing may be decided from it. *log_short*: the log lacks what
    the registry holds. *unfinished*: the act that was under way when the agent was killed; its change was never made.
    *proven*: the highest epoch known to have been in force. *highest*: the highest that any entry names. *since*: the
    number behind which the two differ.
    """

    older: bool = False
    log_short: bool = False
    unfinished: Intent | None = None
    proven: int = 0
    highest: int = 0
    since: int = 0


def compare(epoch: int, newest: RecordedChange | None, seen: LogEvidence, intent: Intent | None) -> StoreRelation:
    """Hold a registry at *epoch*, whose last recorded change is *newest*, against a log.

    *intent* is what the agent had written down as under way (:mod:`agent.registry.intent`).
    """
    standing = standing_acts(seen.acts)
    if newest is None:  # a registry that remembers nothing holds what its epoch says
        standing = tuple(act for act in standing if act.epoch > epoch)
    unfinished = _unfinished(standing, seen, intent)
    missing = standing[:-1] if unfinished else standing
    beyond = newest is not None and seen.shared != newest
    proven = max(epoch, seen.in_force, *(act.epoch for act in missing))
    return StoreRelation(
        older=bool(missing) or seen.in_force > epoch or (beyond and not seen.whole),
        log_short=beyond and seen.whole and not missing and seen.in_force <= epoch,
        unfinished=intent if unfinished else None,
        proven=proven,
        highest=max(proven, *(act.epoch for act in seen.acts), 0),
        since=seen.shared.entry if seen.shared else 0,
    )


def standing_acts(acts: tuple[LoggedAct, ...]) -> tuple[LoggedAct, ...]:
    """Return the acts that no later entry says were not completed."""
    standing: list[LoggedAct] = []
    for act in acts:
        if act.done:
            standing.append(act)
        else:
            taken_back = (act.epoch, act.change)
            last = next((one for one in reversed(standing) if (one.epoch, one.change) == taken_back), None)
            if last is not None:
                standing.remove(last)
    return tuple(standing)


def _unfinished(standing: tuple[LoggedAct, ...], seen: LogEvidence, intent: Intent | None) -> bool:
    """Whether the last act of the log is the one that *intent* says was under way, and nothing says that it was done.

    Such an act is the last one, because one thread does them all, and nothing was decided under its epoch.
    """
    if not standing or intent is None or standing[-1] != seen.acts[-1]:
        return False
    last = standing[-1]
    noted = intent.get("epoch"), intent.get("change", "")
    return noted == (last.epoch, last.change) and seen.in_force < last.epoch

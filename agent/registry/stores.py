"""Consistency of the registry and the log of one home: whether the registry lacks acts of the log.

Rules of this file:
- the comparison itself is pure (:mod:`agent.registry.lineage`); here data is read and nothing is written;
- the log is read backwards to the first entry of a kind that always carries the current epoch (accesses and starts), so
  the cost does not depend on the length of the log. Every relevant act is after that entry, except the act of the
  intent, which is searched until it is found;
- where the two have diverged the log is read back to an entry before that, at most 64 MiB: beyond that the registry
  counts as older;
- of a registry that was found consistent only the epoch is read, which never decreases.
"""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.log import backward
from agent.registry import intent as intents
from agent.registry.facts import FactsReader
from agent.registry.lineage import Intent, LogEvidence, LoggedAct, RecordedChange, StoreRelation, compare
from agent.runtime.home import Home
from rules.model import Verdict
from rules.text import Message

_MARGIN = 1 << 20  # bytes beyond the first entry of a strict kind: an act is recorded before it is in force
_PARTED = 64 << 20
_EPOCH = re.compile(rb'"epoch":([1-9][0-9]{0,15})[,}]')
_STRICT = (b'"kind":"access"', b'"kind":"start"')

OLDER = Message("registry.registry-older-than-log")
REMEDY = Message("registry.restore-registry")
CLOSED = Verdict(allow=False, rule="registry-older", clauses=(), because=OLDER, change=REMEDY)


class StoreCheck:
    """The last comparison of the two stores of *home*. One thread calls :meth:`check`; any thread may read ``now``.

    A new object has compared nothing, and does not say whether the registry is older.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._good: FactsReader | None = None  # found consistent; another reader may have another file
        self._in_force = 0
        self.now = StoreRelation()

    def check(self, reader: FactsReader, at_least: int = 0) -> StoreRelation:
        """Compare the registry that *reader* reads with the log, and with its earlier epochs.

        *at_least* is an epoch that it is reported to have. Raises ``OSError`` and what *reader* raises.
        """
        epoch = reader.epoch()
        self._in_force = max(self._in_force, at_least)
        if reader is self._good and epoch >= self._in_force:
            self._in_force = epoch
            return self.now
        return self.look(reader)

    def look(self, reader: FactsReader) -> StoreRelation:
        """Make a full comparison."""
        relation = look(reader, self._home)
        if relation.older and not self.now.older:
            relation = look(reader, self._home)  # an act may have been committed between two of the reads
        epoch = reader.epoch()
        if epoch < self._in_force:
            proven = max(relation.proven, self._in_force)
            relation = replace(
                relation, older=True, log_short=False, proven=proven, highest=max(relation.highest, proven)
            )
        self._good = None if relation.older else reader
        self._in_force = max(self._in_force, relation.proven)
        self.now = relation
        return relation


def look(reader: FactsReader, home: Home) -> StoreRelation:
    """Compare the registry that *reader* reads with the log and the intent of *home*.

    Raises ``OSError`` when the log or the intent cannot be read, and what *reader* raises.
    """
    while True:
        with reader.snapshot() as epoch:
            newest = reader.newest_change()
        # Read last: it is cleared after the commit, so a cleared intent means that its change is in the file.
        first = intents.noted(home.intent)
        seen = evidence(reader, newest, home.log, first)
        noted = intents.noted(home.intent)
        if noted == first and reader.epoch() == epoch:
            return compare(epoch, newest, seen, noted)


def evidence(
    reader: FactsReader, newest: RecordedChange | None, log: Path, intent: Intent | None = None
) -> LogEvidence:
    """Return the evidence of *log* about a registry whose last recorded change is *newest*."""
    last = backward.last(log)
    shared = _shared(reader, newest, log, last)
    since, parted = shared.entry if shared else 0, shared != newest
    # After divergence each act after the last common change has an epoch above that change's.
    enough = (shared.epoch if shared else 0) if parted else sys.maxsize
    acts: list[LoggedAct] = []
    in_force = read = strict = 0
    wanted, after = (intent or {}).get("epoch", 0), (intent or {}).get("after", 0)
    whole = True
    for seq, line in backward.lines(log):
        if seq <= since:
            break
        read += len(line)
        if act := _act(seq, line):
            acts.append(act)
            if act.epoch == wanted:
                wanted = 0
        elif b'"repeats":' not in line and (match := _EPOCH.search(line)):
            epoch = int(match[1])
            in_force = max(in_force, epoch)
            if not strict and epoch <= enough and any(kind in line for kind in _STRICT):
                strict = read
        if parted and read > _PARTED:
            whole = False
            break
        if strict and read > strict + _MARGIN and (wanted <= in_force or seq <= after):
            break
    return LogEvidence(last, shared, tuple(reversed(acts)), in_force, whole)


def _shared(reader: FactsReader, newest: RecordedChange | None, log: Path, last: int) -> RecordedChange | None:
    """Return the newest change whose entry is in the log. All changes up to it have entries there, none after it."""
    if newest is None or _logged(newest, log, last):
        return newest
    rows = reader.recorded_changes()
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if _logged(rows[middle], log, last):
            low = middle + 1
        else:
            high = middle
    return rows[low - 1] if low else None


def _logged(change: RecordedChange, log: Path, last: int) -> bool:
    line = backward.find(log, change.entry) if change.entry <= last else None
    return line is not None and _fields(line).get("change") == change.change


def _act(seq: int, line: bytes) -> LoggedAct | None:
    """Return the act that *line* records as done or as not completed."""
    if b'"kind":"act"' not in line:
        return None
    fields = _fields(line)
    outcome, epoch = fields.get("outcome"), fields.get("epoch")
    if fields.get("kind") != "act" or outcome not in ("done", "not-completed") or not isinstance(epoch, int):
        return None
    return LoggedAct(seq, epoch, str(fields.get("change", "")), outcome == "done")


def _fields(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}
